# SPDX-License-Identifier: GPL-2.0-or-later
"""Which locks are taken inside which, as a small SVG to stand inside an HTML page.

Like the circle of a report it has no id, script, style sheet or link and takes its colour from the text around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

from reviewer.model import LockOrder
from reviewer.report.drawing import BOX, FONT, HEAD, PAD, box_at, box_width, shortened

# In pixels.
_ACROSS: Final = 20
_DOWN: Final = 40
_LONGEST: Final = 40  # characters
_MOST: Final = 24  # orders in one picture


def drawn(orders: Sequence[LockOrder]) -> tuple[LockOrder, ...]:
    """Those of ``orders`` that the picture has room for: what the patch brings comes first."""
    return tuple(sorted(orders, key=lambda one: not one.brought)[:_MOST])


def orders_svg(orders: Sequence[LockOrder]) -> str:
    """An ``<svg>`` element with an arrow from each held lock down to what is taken inside it; empty without any.

    An order that the patch brings is drawn thick. One that leads back up, so that locks are taken in a circle, is
    dashed.
    """
    shown = drawn(orders)
    if not shown:
        return ""
    brought: dict[tuple[str, str], bool] = {}
    for one in shown:
        pair = (one.held, one.taken)
        brought[pair] = brought.get(pair, False) or one.brought
    levels = _levels(list(brought))
    rows: dict[int, list[str]] = {}
    for lock, level in levels.items():
        rows.setdefault(level, []).append(lock)
    boxes: dict[str, tuple[float, float, float]] = {}
    for level, locks in rows.items():
        left = float(PAD)
        for lock in locks:
            width = box_width(shortened(lock, _LONGEST))
            boxes[lock] = (left, PAD + level * (BOX + _DOWN), width)
            left += width + _ACROSS
    right = max(left + width for left, _, width in boxes.values())
    parts = [box_at(*boxes[lock][:2], shortened(lock, _LONGEST)) for lock in boxes]
    lane = right + PAD
    for (held, taken), is_new in brought.items():
        back = levels[held] >= levels[taken]
        parts.append(_arrow(boxes[held], boxes[taken], lane if back else None, thick=is_new))
        lane += 10 if back else 0
    height = (max(levels.values()) + 1) * (BOX + _DOWN) - _DOWN + 2 * PAD
    told = "; ".join(f"{shortened(taken, _LONGEST)} inside {shortened(held, _LONGEST)}" for held, taken in brought)
    size = f'width="{lane + PAD:g}" height="{height:g}" viewBox="0 0 {lane + PAD:g} {height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="orders" role="img" aria-label='
        f"{quoteattr(f'Locks taken inside others: {told}')} {size} "
        f'font-family="monospace" font-size="{FONT}" fill="currentColor">{"".join(parts)}</svg>'
    )


def _levels(pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How far down each lock is drawn: below all that it is taken inside, but for the orders that close a circle."""
    inside: dict[str, list[str]] = {}
    for held, taken in pairs:
        inside.setdefault(held, []).append(taken)
        inside.setdefault(taken, [])
    down: list[tuple[str, str]] = []
    done: set[str] = set()
    for start in inside:
        _walk(start, inside, done, [], down)
    levels = dict.fromkeys(inside, 0)
    for _ in inside:
        for held, taken in down:
            levels[taken] = max(levels[taken], levels[held] + 1)
    return levels


def _walk(
    lock: str, inside: dict[str, list[str]], done: set[str], above: list[str], down: list[tuple[str, str]]
) -> None:
    """Collect in ``down`` the orders below ``lock`` that lead back to nothing above it."""
    if lock in done:
        return
    done.add(lock)
    for taken in inside[lock]:
        if taken != lock and taken not in above:
            down.append((lock, taken))
            _walk(taken, inside, done, [*above, lock], down)


def _arrow(
    held: tuple[float, float, float], taken: tuple[float, float, float], lane: float | None, *, thick: bool
) -> str:
    look = ' stroke-width="2.5"' if thick else ""
    if lane is None:
        x1, y1 = held[0] + held[2] / 2, held[1] + BOX
        x2, y2 = taken[0] + taken[2] / 2, taken[1]
        middle = (y1 + y2 - HEAD) / 2
        way = f"M{x1:g} {y1:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2 - HEAD:g}"
        head = f"{x2 - HEAD:g},{y2 - 2 * HEAD:g} {x2 + HEAD:g},{y2 - 2 * HEAD:g} {x2:g},{y2:g}"
    else:
        look += ' stroke-dasharray="5 4"'
        x1, y1 = held[0] + held[2], held[1] + BOX / 2
        x2, y2 = taken[0] + taken[2], taken[1] + BOX / 2
        way = f"M{x1:g} {y1:g}H{lane:g}V{y2:g}H{x2 + HEAD:g}"
        head = f"{x2 + 2 * HEAD:g},{y2 - HEAD:g} {x2 + 2 * HEAD:g},{y2 + HEAD:g} {x2:g},{y2:g}"
    return f'<path d="{way}" fill="none" stroke="currentColor"{look}/><polygon points="{head}"/>'
