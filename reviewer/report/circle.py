# SPDX-License-Identifier: GPL-2.0-or-later
"""The circle of locks of a report as a small SVG, to stand inside an HTML page.

It has no id, script, style sheet or link, so that any number of them fit on one page under any content policy, and
takes its colour from the text around it (``currentColor``). Names are the report's own and are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from reviewer.report.plain import clean_line
from reviewer.splat.cycle import Arc, caption, closed

# All in pixels. Texts are given their length, so that the widths hold with any monospaced font.
_CHARACTER: Final = 7.2
_FONT: Final = 12
_PAD: Final = 8
_BOX: Final = 24
_GAP: Final = 44
_LANE: Final = 24  # left of the boxes, where the way back runs
_STEM: Final = 20  # from the left side of a box to its arrow
_HEAD: Final = 5
_LONGEST: Final = 100  # characters


def circle_svg(arcs: Sequence[Arc]) -> str:
    """An ``<svg>`` element with the locks of ``arcs`` (``Account.circle``) and who takes which inside which.

    Empty where there is nothing to draw. What is wanted now is drawn thick, what the report only implies dashed.
    """
    if not arcs:
        return ""
    closes = closed(arcs)
    locks = [_short(arc.held) for arc in arcs] + ([] if closes else [_short(arcs[-1].wanted)])
    captions = [_short(caption(arcs, number)) for number in range(1, len(arcs) + 1)]
    left = _PAD + (_LANE if closes else 0)
    width = left + max(
        max(_width(lock) for lock in locks) + 2 * _PAD, _STEM + _PAD + max(_width(text) for text in captions)
    )
    drawn: list[str] = []
    top = float(_PAD)
    for number, lock in enumerate(locks):
        drawn.append(_box(left, top, lock))
        if number < len(arcs):
            stem, under = left + _STEM, top + _BOX
            drawn.append(_text(stem + _PAD, under + _GAP / 2 + _FONT / 3, captions[number]))
            if number + 1 < len(locks):
                drawn.append(_line(arcs[number], f"M{stem} {under}V{under + _GAP - _HEAD}"))
                drawn.append(_head(stem, under + _GAP, down=True))
            else:
                back = _PAD + _BOX / 2
                way = f"M{stem} {under}V{under + _GAP}H{_PAD}V{back}H{left - _HEAD}"
                drawn.append(_line(arcs[number], way))
                drawn.append(_head(left, back, down=False))
        top += _BOX + _GAP
    height = top - (0 if closes else _GAP) + _PAD
    name = quoteattr(
        "Locks taken in a circle: "
        + "; ".join(f"{_short(arc.held)}, {text}" for arc, text in zip(arcs, captions, strict=True))
    )
    size = f'width="{width + _PAD:g}" height="{height:g}" viewBox="0 0 {width + _PAD:g} {height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="circle" role="img" aria-label={name} {size} '
        f'font-family="monospace" font-size="{_FONT}" fill="currentColor">' + "".join(drawn) + "</svg>"
    )


def _short(text: str) -> str:
    safe = clean_line(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")  # XML has neither
    return safe if len(safe) <= _LONGEST else safe[: _LONGEST - 1] + "\u2026"


def _width(text: str) -> float:
    return len(text) * _CHARACTER


def _text(x: float, y: float, text: str) -> str:
    length = f'textLength="{_width(text):g}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x:g}" y="{y:g}" {length}>{escape(text)}</text>'


def _box(x: float, y: float, lock: str) -> str:
    size = f'width="{_width(lock) + 2 * _PAD:g}" height="{_BOX}"'
    frame = f'<rect x="{x:g}" y="{y:g}" {size} rx="4" fill="none" stroke="currentColor"/>'
    return frame + _text(x + _PAD, y + _BOX / 2 + _FONT / 3, lock)


def _line(arc: Arc, way: str) -> str:
    look = ' stroke-width="2.5"' if arc.now else ' stroke-dasharray="5 4"' if arc.inferred else ""
    return f'<path d="{way}" fill="none" stroke="currentColor"{look}/>'


def _head(x: float, y: float, *, down: bool) -> str:
    points = (
        f"{x - _HEAD:g},{y - 2 * _HEAD:g} {x + _HEAD:g},{y - 2 * _HEAD:g} {x:g},{y:g}"
        if down
        else f"{x - 2 * _HEAD:g},{y - _HEAD:g} {x - 2 * _HEAD:g},{y + _HEAD:g} {x:g},{y:g}"
    )
    return f'<polygon points="{points}"/>'
