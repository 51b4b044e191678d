# SPDX-License-Identifier: GPL-2.0-or-later
"""Rewrite kernel C, in the same length and with the same lines, into C that a grammar of plain C can read.

Kernel text is full of words that only the preprocessor explains: attribute macros, iteration macros, scoped guards,
types as macro arguments, macros that define functions. What is taken out goes to a side table by byte offset.
"""

from __future__ import annotations

from reviewer.source.arguments import rewrite_arguments
from reviewer.source.attributes import rewrite_attributes
from reviewer.source.definers import rewrite_definers
from reviewer.source.preprocess import blank_comments_and_strings, choose_arms
from reviewer.source.side import Side
from reviewer.source.statements import rewrite_statements


def normalise(text: bytes, wanted: frozenset[int] = frozenset()) -> tuple[bytes, Side]:
    """The rewritten text, of the same length and lines, and what was taken out.

    ``wanted`` are 1-based lines whose preprocessor arm is to be read even where it is not the usual one.
    """
    side = Side()
    text = blank_comments_and_strings(text)
    if b"#" in text:
        text, side.arms = choose_arms(text, wanted)
    if b"(" not in text:
        return text, side
    text = rewrite_attributes(text, side)
    text = rewrite_arguments(text)
    text = rewrite_definers(text, side)
    return rewrite_statements(text, side), side
