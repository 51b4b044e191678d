# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known where paths met on which a variable was found to be another constant each."""

from __future__ import annotations

import pytest

from reviewer.context.facts import NONZERO, SYMBOL, VALUE
from reviewer.context.oneof import names_of, one_of


@pytest.mark.parametrize(
    ("letter", "text", "other", "wanted"),
    [
        (SYMBOL, "kind==READ", "kind==WRITE", "kind==READ|WRITE|"),
        (SYMBOL, "kind==READ|WRITE|", "kind==WRITE", "kind==READ|WRITE|"),
        (SYMBOL, "io->kind==READ", "io->kind==WRITE", "io->kind==READ|WRITE|"),
        (SYMBOL, "kind==READ", "other==WRITE", None),
        (SYMBOL, "kind==READ", "kind==mode", None),
        (VALUE, "flags&READ", "flags&(SYNC|WRITE)", "flags&(READ|SYNC|WRITE)"),
        (VALUE, "flags&READ", "flags", None),
    ],
)
def test_either_of_two(letter: str, text: str, other: str, wanted: str | None) -> None:
    assert one_of(letter, text, {(letter, other): True if letter == SYMBOL else NONZERO}) == wanted


def test_what_does_not_hold_says_nothing() -> None:
    assert one_of(SYMBOL, "kind==READ", {(SYMBOL, "kind==WRITE"): False}) is None


def test_long_names_that_are_none_are_read_at_once() -> None:
    assert one_of(SYMBOL, "kind==" + "A" * 200 + "+1", {(SYMBOL, "kind==READ"): True}) is None
    assert one_of(VALUE, "kind&" + "A" * 200 + "+1", {(VALUE, "kind&READ"): NONZERO}) is None


def test_names_of_an_operand() -> None:
    assert names_of("READ|WRITE|") == {"READ", "WRITE"}
    assert names_of("READ") == frozenset()
