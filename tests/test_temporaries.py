# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of subexpressions are known for as long as something reads them, and no longer."""

from __future__ import annotations

import msgspec
import pytest

from reviewer.context.facts import DECIDED, DECISION, MEANING, SYMBOL, VALUE, Facts
from reviewer.context.temporaries import forget_temporaries, last_read
from reviewer.source.cfg import Block, Call, Edge, Function, Literal, Return
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.memory_files import MemoryFiles

_PATH = "kernel/example.c"


def _function(body: str) -> Function:
    files = MemoryFiles({_PATH: f"int get(int a);\nint f(int a, int b)\n{{\n{body}\n}}\n"})
    (found,) = Program(files, Store(None)).functions(_PATH, "f")
    return found


def _result_of(function: Function, argument: str) -> str:
    (found,) = [node.result for node in function.calls() if node.args == (argument,)]
    assert found is not None
    return found


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("if (get(1))\n\treturn 1;\nreturn 0;", id="branch"),
        pytest.param("while (get(1))\n\tget(b);\nreturn 0;", id="loop"),
        pytest.param("return a && get(1) ? 1 : 0;", id="and"),
    ],
)
def test_a_value_goes_with_the_condition_that_reads_it(body: str) -> None:
    function = _function(body)
    name = _result_of(function, "1")
    (deciding,) = [
        number
        for number, block in enumerate(function.blocks)
        if any(name == literal.left for edge in block.edges for literal in edge.literals)
    ]
    ways = last_read(function, ())
    assert all(
        name in ways[deciding, position]
        for position, edge in enumerate(function.blocks[deciding].edges)
        if any(name == literal.left for literal in edge.literals)
    )


def test_a_value_stays_until_the_last_block_that_reads_it() -> None:
    test = Edge(1, (Literal("$1", "==", "b", True),))
    blocks = (
        Block((Call(1, "get", ("a",), "$1"),), (Edge(1), Edge(3))),
        Block((), (Edge(2),)),
        Block((), (test, Edge(3))),
        Block((Return(2, "0"),), ()),
    )
    ways = last_read(msgspec.structs.replace(_function("return 0;"), blocks=blocks), ())
    assert ways == {(0, 1): {"$1"}, (2, 1): {"$1"}}


def test_who_asks_to_the_end_keeps_a_value() -> None:
    function = _function("if (get(1))\n\treturn 1;\nreturn 0;")
    name = _result_of(function, "1")
    assert any(name in names for names in last_read(function, ()).values())
    assert not any(name in names for names in last_read(function, (name,)).values())


def test_only_what_is_about_the_name_is_forgotten() -> None:
    stays: Facts = {
        (VALUE, "$10"): 0,
        (VALUE, "a"): 0,
        (VALUE, "get($1)"): 0,
        (SYMBOL, "$1==other"): True,
        (DECIDED, "$1"): None,
    }
    facts: Facts = {(VALUE, "$1"): 0, (MEANING, "$1"): ("same", "a"), (DECISION, "$1"): None} | stays
    facts[SYMBOL, "$1==ENOMEM"] = True
    forget_temporaries(facts, {"$1"})
    assert facts == stays
