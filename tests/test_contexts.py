# SPDX-License-Identifier: GPL-2.0-or-later
"""In which context each line of a function runs, with what its callers and registrations add."""

from __future__ import annotations

import pytest

from reviewer.context.analysis import Analyser
from reviewer.context.contexts import Begin, Contexts
from reviewer.report.gutter import told
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.findings import API
from tests.memory_files import MemoryFiles

_PATH = "drivers/misc/bell.c"
_HEAD = """\
struct bell {
	spinlock_t lock; raw_spinlock_t raw; struct mutex big; rwlock_t rw; struct rw_semaphore sem;
	struct srcu_struct srcu; struct kvm *kvm; int rings;
};
struct kvm { struct srcu_struct srcu; struct mutex slots_lock; };
"""


def _contexts(code: str) -> tuple[Contexts, Program]:
    program = Program(MemoryFiles({_PATH: _HEAD + code}), Store(None))
    return Contexts(Analyser(program, API)), program


def _margin(code: str, name: str = "f", *, levels: int = 2) -> dict[str, str | None]:
    """The margin of each line of ``name``, by the text of the line; None where nothing is known."""
    contexts, program = _contexts(code)
    (function,) = program.functions(_PATH, name)
    lines = contexts.lines(function, levels)
    rows = (_HEAD + code).split("\n")
    found: dict[str, str | None] = {}
    for line in range(function.line, function.end + 1):
        marks = lines.marks(line)
        found[rows[line - 1].strip()] = None if marks is None else told(marks)
    return found


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("spin_lock(&b->lock);", "spin_unlock(&b->lock);", "b->lock !rt:pre-"),
        ("raw_spin_lock(&b->raw);", "raw_spin_unlock(&b->raw);", "raw pre-"),
        ("spin_lock_irq(&b->lock);", "spin_unlock_irq(&b->lock);", "b->lock !rt:pre-,irq-"),
        ("raw_spin_lock_irq(&b->raw);", "raw_spin_unlock_irq(&b->raw);", "raw pre- irq-"),
        ("mutex_lock(&b->big);", "mutex_unlock(&b->big);", "big"),
        ("read_lock(&b->rw);", "read_unlock(&b->rw);", "rw:r !rt:pre-"),
        ("down_read(&b->sem);", "up_read(&b->sem);", "b->sem:r"),
        ("rcu_read_lock();", "rcu_read_unlock();", "rcu"),
        ("int i = srcu_read_lock(&b->kvm->srcu);", "srcu_read_unlock(&b->kvm->srcu, i);", "srcu:kvm"),
        ("preempt_disable();", "preempt_enable();", "pre-"),
        ("local_irq_disable();", "local_irq_enable();", "irq-"),
        ("local_bh_disable();", "local_bh_enable();", "bh-"),
        ("set_current_state(TASK_INTERRUPTIBLE);", "__set_current_state(TASK_RUNNING);", "!run"),
        ("guest_state_enter_irqoff();", "guest_state_exit_irqoff();", "EQS"),
    ],
)
def test_a_line_shows_what_is_held_and_disabled(before: str, after: str, expected: str) -> None:
    margin = _margin(f"void f(struct bell *b)\n{{\n\t{before}\n\tb->rings++;\n\t{after}\n}}\n")
    assert margin[before] == "", "what a line takes is not held when it begins"
    assert margin["b->rings++;"] == expected
    assert margin[after] == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("one->big", "two->big", "one->big two->big"),
        ("one->bells[i].lock", "two->big", "bells.lock big"),
        ("one->lock", "a_rather_long_name->lock", "one->lock lock"),
        ("one->big", "big", "one->big big"),
    ],
)
def test_a_lock_whose_name_says_little_is_told_with_its_object(first: str, second: str, expected: str) -> None:
    code = f"mutex_lock(&{first});\n\tmutex_lock(&{second});\n\tring(one);\n\tmutex_unlock(&{second});\n"
    parameters = "struct bell *one, struct bell *two, struct bell *a_rather_long_name, int i"
    margin = _margin(f"void f({parameters})\n{{\n\t{code}\tmutex_unlock(&{first});\n}}\n")
    assert margin["ring(one);"] == expected


def test_lines_on_which_nothing_happens_take_part_where_their_neighbours_agree() -> None:
    margin = _margin(
        "void f(struct bell *b, int x)\n{\n\tmutex_lock(&b->big);\n\t/* one */\n\tif (x) {\n\t\tring(b);\n\t\t"
        "mutex_unlock(&b->big);\n\t\treturn;\n\t\t/* two */\n\t}\n\tring(b);\n\tmutex_unlock(&b->big);\n}\n"
    )
    assert margin["/* one */"] == "big"
    assert margin["/* two */"] is None


def test_what_holds_on_some_paths_only_stands_in_brackets() -> None:
    margin = _margin(
        "void f(struct bell *b, int x)\n{\n\tif (x)\n\t\tmutex_lock(&b->big);\n\tring(b);\n\tif (x)\n\t\t"
        "mutex_unlock(&b->big);\n}\n"
    )
    assert margin["ring(b);"] == "(big)"
    assert margin["mutex_unlock(&b->big);"] == "big"


def test_code_of_one_kind_of_kernel_is_told_for_that_kind() -> None:
    margin = _margin(
        "void f(struct bell *b)\n{\n\tspin_lock_irq(&b->lock);\n#ifndef CONFIG_PREEMPT_RT\n\tb->rings++;\n#endif\n"
        "\tspin_unlock_irq(&b->lock);\n}\n"
    )
    assert margin["b->rings++;"] == "!rt:b->lock,pre-,irq-"


_CALLERS = """\
static void f(struct bell *b)
{
	b->rings++;
}
void one(struct bell *b)
{
	mutex_lock(&b->big);
	f(b);
	mutex_unlock(&b->big);
}
"""


def test_a_function_runs_with_what_its_callers_hold() -> None:
    assert _margin(_CALLERS)["b->rings++;"] == "big"
    other = "void two(struct bell *b)\n{\n\tf(b);\n}\n"
    assert _margin(_CALLERS + other)["b->rings++;"] == "(big)"
    assert _margin(_CALLERS, levels=0)["b->rings++;"] == ""


def test_the_witness_of_a_caller_names_its_call_and_its_lock() -> None:
    contexts, program = _contexts(_CALLERS)
    (function,) = program.functions(_PATH, "f")
    (arrival,) = contexts.arrivals(function, 2)
    assert arrival.begin is Begin.UNKNOWN
    assert [(step.function, step.text) for step in arrival.steps] == [
        ("one", "<- callers not known"),
        ("one", "f()"),
    ]
    (mark,) = contexts.lines(function, 2).marks(function.line) or ()
    assert mark.meaning.startswith("mutex &b->big") or mark.meaning.startswith("mutex b->big")
    assert "mutex_lock(&b->big)" in mark.meaning
    assert "in one()" in mark.meaning


def test_a_lock_is_told_in_the_words_of_the_function_that_is_called() -> None:
    code = (
        "static void f(struct bell *bell)\n{\n\tmutex_unlock(&bell->big);\n\tbell->rings++;\n}\n"
        "void one(struct kvm *kvm, struct bell *b)\n{\n\tmutex_lock(&b->big);\n\tf(b);\n}\n"
    )
    assert _margin(code)["bell->rings++;"] == ""


def test_a_handler_runs_in_its_interrupt() -> None:
    code = (
        "static irqreturn_t f(int irq, void *data)\n{\n\tring(data);\n\treturn IRQ_HANDLED;\n}\n"
        'int probe(struct bell *b)\n{\n\treturn request_irq(1, f, FLAGS, "bell", b);\n}\n'
    )
    assert _margin(code.replace("FLAGS", "IRQF_NO_THREAD"))["ring(data);"] == "hardirq"
    assert _margin(code.replace("FLAGS", "0"))["ring(data);"] == "!rt:hardirq rt:thread"


def test_recursion_ends() -> None:
    code = "static void f(struct bell *b)\n{\n\tg(b);\n}\nstatic void g(struct bell *b)\n{\n\tf(b);\n}\n"
    assert _margin(code, levels=5)["g(b);"] == ""


def test_many_callers_are_asked_only_where_the_function_stands() -> None:
    """What is left out is not known, so that nothing counts as held by all."""
    caller = "void {name}(struct bell *b)\n{{\n\tmutex_lock(&b->big);\n\tf(b);\n}}\n"
    code = f"void f(struct bell *b)\n{{\n\tb->rings++;\n}}\n{caller.format(name='near')}"
    files = {_PATH: _HEAD + code, "drivers/misc/far.c": caller.format(name="far")}
    for few, expected in ((None, "big"), (2, "big"), (1, "(big)")):
        program = Program(MemoryFiles(files), Store(None))
        (function,) = program.functions(_PATH, "f")
        lines = Contexts(Analyser(program, API), few).lines(function, 1)
        assert told(lines.marks(function.line + 2) or ()) == expected


def test_lock_that_is_taken_twice_is_told_with_the_line_that_took_it_there() -> None:
    taken = "\tspin_lock(&b->lock);\n\tb->rings = {};\n\tspin_unlock(&b->lock);\n"
    code = "void f(struct bell *b)\n{\n" + "".join(taken.format(value) for value in (1, 2)) + "}\n"
    contexts, program = _contexts(code)
    (function,) = program.functions(_PATH, "f")
    lines = contexts.lines(function, 0)
    top = function.line
    assert [lines.names(top + at).taken["b->lock"].how for at in (3, 6)] == [
        f"taken by spin_lock(&b->lock) on line {top + 2}",
        f"taken by spin_lock(&b->lock) on line {top + 5}",
    ]
