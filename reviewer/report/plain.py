# SPDX-License-Identifier: GPL-2.0-or-later
"""Text from mail and trees, made safe to print.

A subject, a path or a source line may hold escape sequences that move the cursor, rename the terminal's window or hide
what follows, and direction marks that show code in another order than the compiler reads it.
"""

from __future__ import annotations

import re
from typing import Final

# C0 without tab and line feed, DEL, C1; the directional formatting characters of Unicode (annex 9).
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """``text`` without characters that control a terminal; undecodable bytes become U+FFFD. Lines and tabs stay."""
    return _SURROGATE.sub("\ufffd", _UNSAFE.sub("", text))


def clean_line(text: str) -> str:
    """``text`` as one safe line: white space folded."""
    return " ".join(clean(text).split())


def clean_path(path: str) -> str:
    """A path as one safe word: what cannot be shown becomes ``?``, white space is kept."""
    return _SURROGATE.sub("\ufffd", _UNSAFE.sub("?", path.replace("\n", "?").replace("\t", "?")))
