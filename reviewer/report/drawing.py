# SPDX-License-Identifier: GPL-2.0-or-later
"""Boxes and texts of the small pictures that stand inside an HTML page, in pixels.

Texts are given their length, so that the widths hold with any monospaced font.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from reviewer.report.plain import clean_line

FONT: Final = 12
PAD: Final = 8
BOX: Final = 24
HEAD: Final = 5
_CHARACTER: Final = 7.2


def shortened(text: str, longest: int) -> str:
    """``text`` as one safe line of at most ``longest`` characters."""
    safe = clean_line(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")  # XML has neither
    return safe if len(safe) <= longest else safe[: longest - 1] + "\u2026"


def width_of(text: str) -> float:
    """How wide ``text`` is."""
    return len(text) * _CHARACTER


def text_at(x: float, y: float, text: str) -> str:
    """``text`` with its base line beginning there."""
    length = f'textLength="{width_of(text):g}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x:g}" y="{y:g}" {length}>{escape(text)}</text>'


def box_width(text: str) -> float:
    """How wide the box around ``text`` is."""
    return width_of(text) + 2 * PAD


def box_at(x: float, y: float, text: str) -> str:
    """``text`` in a box with its upper left corner there."""
    size = f'width="{box_width(text):g}" height="{BOX}"'
    frame = f'<rect x="{x:g}" y="{y:g}" {size} rx="4" fill="none" stroke="currentColor"/>'
    return frame + text_at(x + PAD, y + BOX / 2 + FONT / 3, text)
