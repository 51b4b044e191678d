# SPDX-License-Identifier: GPL-2.0-or-later
"""A changed line is judged in whatever preprocessor arm it lies, and the usual arms are not lost for it."""

from __future__ import annotations

import pytest

from reviewer.model import Change
from reviewer.source.cfg import Call
from reviewer.source.parse import parse
from reviewer.source.preprocess import holds
from tests.findings import brought_by

# Functions, or pieces of one, in arms; the calls say in which reading they must be seen together.
_IN_BODY = """\
void f(void)
{
#ifdef CONFIG_A
#if CONFIG_B > 2
	one();
#elif defined(CONFIG_C)
	two();
#else
	three();
#endif
#else
	four();
#if 0
	five();
#endif
#endif
	always();
#ifdef MODULE
	six();
#endif
}
"""
_IN_HEADER = """\
#if 0
void old(int a)
#elif defined(CONFIG_A)
void usual(int a)
#else
void rare(int a)
#endif
{
	g(a);
}
"""
# The same is asked at the beginning and at the end, in other words at times.
_ALIKE = """\
void f(void)
{
#ifdef CONFIG_PREEMPT_RT
	first();
#elif BITS_PER_LONG == 32 && !defined(CONFIG_A)
	second();
#else
	third();
#endif
	always();
#if !defined(CONFIG_PREEMPT_RT) && defined(CONFIG_A)
	other();
#elif IS_ENABLED(CONFIG_PREEMPT_RT)
	fourth();
#elif BITS_PER_LONG == 32 && \\
	!defined(CONFIG_A)
	fifth();
#else
	sixth();
#endif
#ifndef CONFIG_PREEMPT_RT
	seventh();
#endif
#if 0
	never();
#endif
}
#if 0
void g(void)
{
	dead();
#if 0
	deader();
#endif
}
#endif
"""


def _line(text: str, word: str) -> int:
    return next(number for number, line in enumerate(text.split("\n"), 1) if word in line)


def _calls(text: str, *words: str) -> list[set[str]]:
    """The calls of each function that is read where the lines that hold ``words`` are wanted."""
    parsed = parse("kernel/a.c", text.encode(), frozenset(_line(text, word) for word in words))
    assert all(extent.readable for extent in parsed.extents)
    return [
        {node.name for block in function.blocks for node in block.nodes if isinstance(node, Call)}
        for function in parsed.functions()
    ]


@pytest.mark.parametrize(
    ("wanted", "others"),
    [
        ((), []),
        (("one",), []),
        (("always",), []),
        (("two",), [{"two", "always"}]),
        (("three",), [{"three", "always"}]),
        (("four",), [{"four", "always"}]),
        (("five",), [{"four", "five", "always"}]),
        (("six",), [{"one", "always", "six"}]),
        (("one", "two"), [{"two", "always"}]),
        (("two", "three", "four"), [{"two", "always"}, {"three", "always"}, {"four", "always"}]),
        (("two", "six"), [{"two", "always", "six"}]),
        (("four", "five"), [{"four", "five", "always"}]),
    ],
)
def test_each_wanted_arm_is_read(wanted: tuple[str, ...], others: list[set[str]]) -> None:
    assert _calls(_IN_BODY, *wanted) == [{"one", "always"}, *others]


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [
        ("first", {"first", "always", "fourth"}),
        ("second", {"second", "always", "other", "seventh"}),
        ("fourth", {"first", "always", "fourth"}),
        ("fifth", {"second", "always", "fifth", "seventh"}),
        ("sixth", {"third", "always", "sixth", "seventh"}),
        ("never", {"third", "always", "other", "seventh", "never"}),
        ("dead", {"dead"}),
    ],
)
def test_conditionals_that_ask_the_same_are_answered_alike(wanted: str, calls: set[str]) -> None:
    assert _calls(_ALIKE, f"{wanted}()") == [{"third", "always", "other", "seventh"}, calls]


@pytest.mark.parametrize(
    ("wanted", "names"), [("usual", ["usual"]), ("old", ["usual", "old"]), ("rare", ["usual", "rare"])]
)
def test_header_in_an_arm(wanted: str, names: list[str]) -> None:
    parsed = parse("kernel/a.c", _IN_HEADER.encode(), frozenset((_line(_IN_HEADER, wanted),)))
    assert [function.name for function in parsed.functions()] == names


def test_lines_that_were_not_read_are_known() -> None:
    parsed = parse("kernel/a.c", _IN_BODY.encode())
    dead = [line for line in range(1, _IN_BODY.count("\n") + 2) if parsed.is_dead(line)]
    assert dead == [_line(_IN_BODY, word) for word in ("two", "three", "four", "five", "six")]


def test_an_arm_without_end_is_not_read() -> None:
    parsed = parse("kernel/a.c", b"#if 0\nvoid f(void)\n{\n}\n")
    assert [line for line in range(1, 6) if parsed.is_dead(line)] == [2, 3, 4, 5]


def test_arms_without_bound_are_read_some_of_the_time() -> None:
    arms = "".join(f"#elif defined(CONFIG_{number})\n\tf{number}();\n" for number in range(1, 50))
    text = f"void f(void)\n{{\n#if 0\n{arms}#endif\n}}\n"
    parsed = parse("kernel/a.c", text.encode(), frozenset(range(1, text.count("\n"))))
    assert 2 < len(list(parsed.functions())) < 20


_LOCKED = """\
static DEFINE_RAW_SPINLOCK(lock);

static void f(void)
{
	raw_spin_lock(&lock);
#ifdef CONFIG_SMP
	one();
#else
	two();
#endif
	raw_spin_unlock(&lock);
}
"""


def _brought(before: str, after: str) -> list[tuple[str, int]]:
    return [(f.check, f.line) for f in brought_by(after, before) if f.change not in (Change.FIXED, Change.PRE_EXISTING)]


@pytest.mark.parametrize("words", [("one",), ("two",), ("one", "two")])
def test_what_a_line_brings_is_found_in_its_arm(words: tuple[str, ...]) -> None:
    after = _LOCKED
    for word in words:
        after = after.replace(f"{word}();", "msleep(1);")
    found = {line for _, line in _brought(_LOCKED, after)}
    assert found == {_line(_LOCKED, word) for word in words}


@pytest.mark.parametrize("change", [("two();", "two();\n\tthree();"), ("two();", ""), ("two();", "three();")])
def test_what_an_arm_had_before_is_not_brought(change: tuple[str, str]) -> None:
    before = _LOCKED.replace("two();", "two();\n\tmsleep(1);")
    assert _brought(before, before.replace(*change)) == []


def test_a_lock_taken_in_one_arm_is_not_judged_by_another() -> None:
    before = _LOCKED.replace("\traw_spin_lock(&lock);\n", "").replace("one();", "raw_spin_lock(&lock);\n\tone();")
    before = before.replace("two();", "raw_spin_lock(&lock);\n\ttwo();")
    assert _brought(before, before.replace("two();", "three();")) == []


@pytest.mark.parametrize(
    ("condition", "read"),
    [
        ("#ifndef CONFIG_S390", True),
        ("#ifdef CONFIG_S390", True),
        ("#ifndef CONFIG_X86", False),
        ("#ifndef CONFIG_SMP", False),
    ],
)
def test_code_for_all_architectures_but_one_is_read(condition: str, read: bool) -> None:
    parsed = parse("kernel/a.c", f"{condition}\nvoid kick(void)\n{{\n}}\n#endif\n".encode())
    assert [extent.name for extent in parsed.extents] == (["kick"] if read else [])


def test_condition_that_is_not_understood_is_taken_for_true(recwarn: pytest.WarningsRecorder) -> None:
    assert holds(b"if", b"CC_IS(GCC_VERSION(7)) < 2")
    assert not holds(b"if", b"(0)")
    assert not recwarn.list
