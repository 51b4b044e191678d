# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch that changes the bodies of some functions alone: what it reaches is computed anew, the rest is taken over."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reviewer.config import data_dir
from reviewer.context.analysis import Analyser
from reviewer.context.closure import Closure, Key, Known
from reviewer.context.effects import Summary
from reviewer.registry import load_api
from reviewer.source.cfg import Function
from reviewer.source.edits import edit_between, moves_between
from reviewer.source.parse import parse
from reviewer.source.program import Program
from reviewer.source.store import Store
from reviewer.source.unlike import Unlike
from tests.memory_files import MemoryFiles

API = load_api(data_dir("checks"))
PATH = "kernel/example.c"
TEXT = """\
struct box { struct mutex lock; spinlock_t inner; };
static void low(struct box *b)
{
	touch(b);
}
static bool is_quick(struct box *b)
{
	return b->quick;
}
static void sleeper(struct box *b)
{
	mutex_lock(&b->lock);
	mutex_unlock(&b->lock);
}
static void middle(struct box *b)
{
	if (is_quick(b))
		low(b);
	sleeper(b);
}
void top(struct box *b)
{
	middle(b);
}
void beside(struct box *b)
{
	sleeper(b);
	if (b)
		return;
	spin_lock(&b->inner);
}
void circle_one(struct box *b, int n);
void circle_two(struct box *b, int n)
{
	circle_one(b, n - 1);
	sleeper(b);
}
void circle_one(struct box *b, int n)
{
	circle_two(b, n);
}
#define wait_for(b) mutex_lock(&(b)->lock)
void resume(struct box *b)
{
	pm_runtime_get_sync(b->dev);
	wait_for(b);
}
void two_ways(struct box *b)
{
	if (!b->polled)
		schedule();
	if (b->bulk)
		msleep(4);
}
"""
HEADER = "void beside(struct box *b);\nstatic inline void outside(struct box *b)\n{\n\tbeside(b);\n\tbelow(b);\n}\n"
INLINE = "kernel/example.h"


def program(text: str, base: Program | None = None) -> Program:
    files = MemoryFiles({PATH: text, INLINE: HEADER})
    if base is None:
        return Program(files, Store(None))
    return Program(files, base.store, base=base, changed=[PATH], wanted={PATH: frozenset((4,))})


def functions(of: Program) -> list[Function]:
    return [*of.functions(PATH), *of.functions(INLINE)]


def whole(summary: Summary) -> tuple[object, ...]:
    """All of a summary, with its lines."""
    return (
        list(summary.effects.items()),
        list(summary.exits),
        list(summary.requirements.items()),
        list(summary.acquisitions.items()),
    )


CHANGES = {
    "a line more": ("\ttouch(b);\n", "\ttouch(b);\n\tbarrier();\n"),
    "a line less": ("\ttouch(b);\n", ""),
    "a call that sleeps": ("\ttouch(b);\n", "\ttouch(b);\n\tmsleep(1);\n"),
    "a call of another function": ("\ttouch(b);\n", "\tif (b)\n\t\tcircle_one(b, 1);\n"),
    "a call removed from a circle": ("\tcircle_one(b, n - 1);\n\tsleeper(b);\n", "\tcircle_one(b, n - 1);\n\n\n"),
    "a lock removed": ("\tspin_lock(&b->inner);\n", ""),
    "another type of lock": ("struct mutex lock;", "spinlock_t lock;"),
    "a function more": (
        "static void middle",
        "static void touch(struct box *b)\n{\n\tmsleep(1);\n}\nstatic void middle",
    ),
    "a function less": ("static bool is_quick(struct box *b)\n{\n\treturn b->quick;\n}\n", ""),
    "a function more for other files": (
        "void top",
        "/* New. */\n\nvoid below(struct box *b)\n{\n\tlow(b);\n}\nvoid top",
    ),
    "a function renamed": ("static void low(", "static void lowest("),
    "a function before a macro": ("#define wait_for", "static void touch(struct box *b)\n{\n}\n#define wait_for"),
    "a macro in front": ("static void low(", "#define touch(b) mutex_lock(&(b)->lock)\nstatic void low("),
    "a table in a function": ("\ttouch(b);\n", "\tstatic const struct ops o = {\n\t\t.top = top,\n\t};\n\ttouch(b);\n"),
    "an arm": ("\ttouch(b);\n", "#ifdef CONFIG_PREEMPT_RT\n\ttouch(b);\n#endif\n"),
    "a macro in a function": ("\ttouch(b);\n", "#define sleeper(b) msleep(1)\n"),
    "a word for the whole file": ("\ttouch(b);\n", "\tpm_runtime_irq_safe(b->dev);\n"),
    "a function moved": (
        "static void low(struct box *b)\n{\n\ttouch(b);\n}\n"
        "static bool is_quick(struct box *b)\n{\n\treturn b->quick;\n}\n",
        "static bool is_quick(struct box *b)\n{\n\treturn b->quick;\n}\n"
        "static void low(struct box *b)\n{\n\ttouch(b);\n\tmsleep(1);\n}\n",
    ),
    "other words": ("static void low(", "static noinstr void low("),
}


@pytest.mark.parametrize("change", CHANGES)
def test_summaries_after_a_patch_are_those_of_the_tree_alone(change: str) -> None:
    text = TEXT.replace(*CHANGES[change])
    assert text != TEXT
    before = program(TEXT)
    after = program(text, before)
    made_from_base = Analyser(after, API, Analyser(before, API))
    alone = Analyser(program(text), API)
    for function in functions(after):
        assert whole(made_from_base.summary(function)) == whole(alone.summary(function)), function.name


@pytest.mark.parametrize("second", CHANGES)
def test_summaries_of_the_second_patch_of_a_series(second: str) -> None:
    one = TEXT.replace("\tmutex_lock(&b->lock);\n", "\tbarrier();\n\tmutex_lock(&b->lock);\n")
    two = one.replace(*CHANGES[second])
    base = program(TEXT)
    middle = program(one, base)
    last = program(two, middle)
    analyser = Analyser(last, API, Analyser(middle, API, Analyser(base, API)))
    alone = Analyser(program(two), API)
    for function in functions(last):
        assert whole(analyser.summary(function)) == whole(alone.summary(function)), function.name


def test_only_what_calls_the_changed_function_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = program(TEXT)
    old = Analyser(before, API)
    for function in functions(before):
        old.summary(function)
    computed: list[str] = []
    settle = Closure._settle

    def noting(closure: Closure, circle: Mapping[Key, Known]) -> None:
        computed.extend(key.name for key in circle)
        settle(closure, circle)

    monkeypatch.setattr(Closure, "_settle", noting)
    after = program(TEXT.replace(*CHANGES["a line more"]), before)
    new = Analyser(after, API, old)
    for function in functions(after):
        new.summary(function)
    assert sorted(computed) == ["low", "middle"]  # which says to its callers what it said before


def test_what_a_new_function_does_not_reach_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    before = program(TEXT)
    old = Analyser(before, API)
    for function in functions(before):
        old.summary(function)
    computed: list[str] = []
    settle = Closure._settle

    def noting(closure: Closure, circle: Mapping[Key, Known]) -> None:
        computed.extend(key.name for key in circle)
        settle(closure, circle)

    monkeypatch.setattr(Closure, "_settle", noting)
    after = program(TEXT.replace(*CHANGES["a function more"]), before)
    new = Analyser(after, API, old)
    for function in functions(after):
        new.summary(function)
    assert sorted(computed) == ["low", "middle", "touch"]


HEADERS = {
    "a line more": ("{\n\tbeside(b);", "{\n\tbarrier();\n\n\tbeside(b);"),
    "a comment in front": ("void beside", "/* What is beside. */\nvoid beside"),
    "a call that sleeps": ("\tbelow(b);\n", "\tmsleep(1);\n\tbelow(b);\n"),
    "a call less": ("\tbeside(b);\n", ""),
    "another function more": ("void beside", "static inline void low(struct box *b)\n{\n\tmsleep(1);\n}\nvoid beside"),
    "a macro": ("void beside", "#define touch(b) mutex_lock(&(b)->lock)\nvoid beside"),
    "a test changed": ("static inline void", "#define is_odd(b) ((b)->odd)\nstatic inline void"),
}
USERS = """\
#include "example.h"
void user(struct box *b)
{
	if (b->many)
		touch(b);
	outside(b);
	if (b->odd)
		low(b);
	mutex_lock(&b->user);
}
void far(struct box *b)
{
	user(b);
	mutex_unlock(&b->user);
	user(b);
}
"""


@pytest.mark.parametrize("change", HEADERS)
def test_summaries_after_a_patch_to_a_header_are_those_of_the_tree_alone(change: str) -> None:
    header = HEADER.replace(*HEADERS[change])
    assert header != HEADER
    files = {PATH: TEXT, INLINE: HEADER, "kernel/users.c": USERS}
    before = Program(MemoryFiles(files), Store(None))
    changed = MemoryFiles({**files, INLINE: header})
    after = Program(changed, before.store, base=before, changed=[INLINE])
    old = Analyser(before, API)
    new, alone = Analyser(after, API, old), Analyser(Program(changed, Store(None)), API)
    for function in [*functions(after), *after.functions("kernel/users.c")]:
        assert whole(new.summary(function)) == whole(alone.summary(function)), function.name


ARMS = """\
static void shared(struct box *b)
{
#ifdef CONFIG_SOME
	touch(b);
#else
	mutex_lock(&b->lock);
#endif
}
void user(struct box *b)
{
	shared(b);
}
#ifndef CONFIG_SOME
static void hidden(struct box *b)
{
	msleep(1);
}
#endif
"""


@pytest.mark.parametrize(("wanted", "usual"), [(6, True), (4, True), (16, False)])
def test_other_arms_change_nothing_for_those_who_do_not_ask(wanted: int, usual: bool) -> None:
    before = program(ARMS)
    before.want({PATH: frozenset((wanted,))})
    files = MemoryFiles({PATH: ARMS, INLINE: HEADER})
    after = Program(files, before.store, base=before, changed=[PATH], wanted={PATH: frozenset((wanted,))})
    assert (PATH in Unlike(before, after, frozenset()).edits) is usual
    made_from_base = Analyser(after, API, Analyser(before, API))
    alone = Analyser(program(ARMS), API)
    (user,) = after.functions(PATH, "user")
    assert whole(made_from_base.summary(user)) == whole(alone.summary(user))


def test_lines_of_an_edit() -> None:
    new = TEXT.replace(*CHANGES["a line more"])
    old_file, new_file = (parse(PATH, text.encode()) for text in (TEXT, new))
    edit = edit_between(TEXT.encode(), old_file.extents, new.encode(), new_file.extents)
    assert edit is not None
    assert edit.changed == {("low", 2), ("middle", 16)}
    assert edit.lines["is_quick", 7] == 6
    moves = moves_between(TEXT.encode(), old_file.extents, new.encode(), new_file.extents)
    assert moves
    assert [moves.moved(line) for line in (1, 2, 5, 6, 10)] == [1, 2, 6, 7, 11]


@pytest.mark.parametrize(
    "change",
    [
        "another type of lock",
        "a function moved",
        "an arm",
        "a macro in a function",
        "a macro in front",
        "a function before a macro",
    ],
)
def test_what_changes_more_than_functions_is_no_edit(change: str) -> None:
    new = TEXT.replace(*CHANGES[change])
    old_file, new_file = (parse(PATH, text.encode()) for text in (TEXT, new))
    assert edit_between(TEXT.encode(), old_file.extents, new.encode(), new_file.extents) is None
