# SPDX-License-Identifier: GPL-2.0-or-later
"""The circle of locks of a report as a small SVG, to stand inside an HTML page.

It has no id, script, style sheet or link, so that any number of them fit on one page under any content policy, and
takes its colour from the text around it (``currentColor``). Names are the report's own and are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

from reviewer.report.drawing import BOX, FONT, HEAD, PAD, box_at, box_width, shortened, text_at, width_of
from reviewer.splat.cycle import Arc, caption, closed

# In pixels.
_GAP: Final = 44
_LANE: Final = 24  # left of the boxes, where the way back runs
_STEM: Final = 20  # from the left side of a box to its arrow
_LONGEST: Final = 100  # characters


def circle_svg(arcs: Sequence[Arc]) -> str:
    """An ``<svg>`` element with the locks of ``arcs`` (``Account.circle``) and who takes which inside which.

    Empty where there is nothing to draw. What is wanted now is drawn thick, what the report only implies dashed.
    """
    if not arcs:
        return ""
    closes = closed(arcs)
    locks = [shortened(arc.held, _LONGEST) for arc in arcs] + ([] if closes else [shortened(arcs[-1].wanted, _LONGEST)])
    captions = [shortened(caption(arcs, number), _LONGEST) for number in range(1, len(arcs) + 1)]
    left = PAD + (_LANE if closes else 0)
    width = left + max(*map(box_width, locks), _STEM + PAD + max(width_of(text) for text in captions))
    drawn: list[str] = []
    top = float(PAD)
    for number, lock in enumerate(locks):
        drawn.append(box_at(left, top, lock))
        if number < len(arcs):
            stem, under = left + _STEM, top + BOX
            drawn.append(text_at(stem + PAD, under + _GAP / 2 + FONT / 3, captions[number]))
            if number + 1 < len(locks):
                drawn.append(_line(arcs[number], f"M{stem} {under}V{under + _GAP - HEAD}"))
                drawn.append(_head(stem, under + _GAP, down=True))
            else:
                back = PAD + BOX / 2
                way = f"M{stem} {under}V{under + _GAP}H{PAD}V{back}H{left - HEAD}"
                drawn.append(_line(arcs[number], way))
                drawn.append(_head(left, back, down=False))
        top += BOX + _GAP
    height = top - (0 if closes else _GAP) + PAD
    name = quoteattr(
        "Locks taken in a circle: "
        + "; ".join(f"{shortened(arc.held, _LONGEST)}, {text}" for arc, text in zip(arcs, captions, strict=True))
    )
    size = f'width="{width + PAD:g}" height="{height:g}" viewBox="0 0 {width + PAD:g} {height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="circle" role="img" aria-label={name} {size} '
        f'font-family="monospace" font-size="{FONT}" fill="currentColor">' + "".join(drawn) + "</svg>"
    )


def _line(arc: Arc, way: str) -> str:
    look = ' stroke-width="2.5"' if arc.now else ' stroke-dasharray="5 4"' if arc.inferred else ""
    return f'<path d="{way}" fill="none" stroke="currentColor"{look}/>'


def _head(x: float, y: float, *, down: bool) -> str:
    points = (
        f"{x - HEAD:g},{y - 2 * HEAD:g} {x + HEAD:g},{y - 2 * HEAD:g} {x:g},{y:g}"
        if down
        else f"{x - 2 * HEAD:g},{y - HEAD:g} {x - 2 * HEAD:g},{y + HEAD:g} {x:g},{y:g}"
    )
    return f'<polygon points="{points}"/>'
