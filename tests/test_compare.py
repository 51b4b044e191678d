# SPDX-License-Identifier: GPL-2.0-or-later
"""What a patch introduced, exposed, fixed, and what was there before."""

from __future__ import annotations

from reviewer.compare import compare
from reviewer.model import Change, Finding, Kernels
from reviewer.sides import ChangedLines, Sides
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.findings import API, CHECKS, PATH, between, brought_by
from tests.memory_files import MemoryFiles

_HEAD = "struct dev { spinlock_t lock; raw_spinlock_t hw; };\n"


def _told(findings: tuple[Finding, ...]) -> list[tuple[str, str, int, str]]:
    return [(f.change.value, f.check, f.line, f.function) for f in findings]


def test_new_call_under_an_old_lock_is_introduced_at_its_line() -> None:
    before = (
        _HEAD + "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tdev->a = 1;\n\tspin_unlock(&dev->lock);\n}\n"
    )
    after = before.replace("\tdev->a = 1;\n", "\tdev->a = 1;\n\tmsleep(1);\n")
    assert _told(brought_by(after, before)) == [("introduced", "lock-sleep-in-atomic", 6, "f")]


def test_old_call_under_a_new_lock_is_exposed_and_names_the_lock_as_cause() -> None:
    before = _HEAD + "void f(struct dev *dev)\n{\n\tdev->a = 1;\n\tmsleep(1);\n\tdev->b = 1;\n}\n"
    after = before.replace("\tdev->a = 1;\n", "\tspin_lock(&dev->lock);\n\tdev->a = 1;\n").replace(
        "\tdev->b = 1;\n", "\tdev->b = 1;\n\tspin_unlock(&dev->lock);\n"
    )
    (finding,) = brought_by(after, before)
    assert (finding.change, finding.line, finding.cause and finding.cause.line) == (Change.EXPOSED, 6, 4)


def test_callee_that_now_sleeps_is_asked_about_in_the_callee() -> None:
    before = (
        _HEAD + "static void low(struct dev *dev)\n{\n\tdev->a = 1;\n}\n\n"
        "static void middle(struct dev *dev)\n{\n\tlow(dev);\n}\n\n"
        + "void high(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tmiddle(dev);\n\tspin_unlock(&dev->lock);\n}\n"
    )
    after = before.replace("\tdev->a = 1;\n", "\tmsleep(1);\n")
    (finding,) = brought_by(after, before)
    assert (finding.change, finding.function, finding.line) == (Change.INTRODUCED, "low", 4)
    assert [step.function for step in finding.witness] == ["high", "high", "middle", "low"]
    assert finding.witness[0].text == "spin_lock(&dev->lock) <- spinlock"


def test_bug_of_before_is_never_held_against_the_patch() -> None:
    before = (
        _HEAD + "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tmsleep(1);\n\tdev->a = 1;\n"
        "\tspin_unlock(&dev->lock);\n}\n"
    )
    after = before.replace("dev->a = 1", "dev->a = 2")
    assert _told(brought_by(after, before)) == [("pre-existing", "lock-sleep-in-atomic", 5, "f")]


def test_second_call_of_the_same_kind_is_new_although_the_first_is_old() -> None:
    before = (
        _HEAD + "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tmsleep(1);\n\tspin_unlock(&dev->lock);\n}\n"
    )
    after = before.replace("\tmsleep(1);\n", "\tmsleep(1);\n\tmsleep(2);\n")
    assert ("introduced", "lock-sleep-in-atomic", 6, "f") in _told(brought_by(after, before))


def test_bug_that_goes_is_fixed_with_the_line_of_the_pre_image() -> None:
    before = (
        _HEAD + "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tmsleep(1);\n\tspin_unlock(&dev->lock);\n}\n"
    )
    after = before.replace("\tmsleep(1);\n", "")
    assert _told(brought_by(after, before)) == [("fixed", "lock-sleep-in-atomic", 5, "f")]


def test_renamed_function_keeps_its_old_bug() -> None:
    before = (
        _HEAD + "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tmsleep(1);\n\tspin_unlock(&dev->lock);\n}\n"
    )
    after = before.replace("void f(", "void g(")
    assert not [f for f in brought_by(after, before) if f.change in (Change.INTRODUCED, Change.EXPOSED, Change.FIXED)]


def test_function_moved_to_another_file_keeps_its_old_bug() -> None:
    body = "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tmsleep(1);\n\tspin_unlock(&dev->lock);\n}\n"
    store = Store(None)
    other = "drivers/example/other.c"
    old = Program(MemoryFiles({PATH: _HEAD + body, other: "int x;\n"}), store)
    new = Program(MemoryFiles({PATH: _HEAD, other: "int x;\n" + body}), store, base=old, changed=[PATH, other])
    lines = {
        PATH: ChangedLines(removed=frozenset(range(2, 8)), near=frozenset((1,))),
        other: ChangedLines(added=frozenset(range(2, 8))),
    }
    found = compare(Sides(old, new, lines, {}), CHECKS, API)
    assert not [f for f in found if f.change in (Change.INTRODUCED, Change.EXPOSED, Change.FIXED)]


def test_file_that_is_renamed_keeps_its_old_bug() -> None:
    body = _HEAD + "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tmsleep(1);\n\tspin_unlock(&dev->lock);\n}\n"
    store = Store(None)
    moved = "drivers/example/moved.c"
    old = Program(MemoryFiles({PATH: body}), store)
    after = body.replace("\tspin_unlock", "\tdev->a = 1;\n\tspin_unlock")
    new = Program(MemoryFiles({moved: after}), store, base=old, changed=[PATH, moved])
    found = compare(Sides(old, new, {moved: ChangedLines(added=frozenset((6,)))}, {PATH: moved}), CHECKS, API)
    assert [f.change for f in found] == [Change.PRE_EXISTING]


def test_interrupt_that_reaches_the_new_line_is_the_outermost_step() -> None:
    before = (
        "static void wake(int token)\n{\n\tnote(token);\n}\n\nDEFINE_IDTENTRY_SYSVEC(sysvec_wake)\n{\n\twake(3);\n}\n"
    )
    after = before.replace("\tnote(token);\n", "\tnote(kzalloc(8, GFP_KERNEL));\n")
    (finding,) = brought_by(after, before)
    assert (finding.check, finding.line, finding.function) == ("lock-gfp-blocking-in-atomic", 3, "wake")
    assert (finding.witness[0].function, finding.witness[0].text) == (
        "sysvec_wake",
        "<- hard interrupt, DEFINE_IDTENTRY_SYSVEC()",
    )
    assert finding.kernels is Kernels.ALL


def test_what_stays_true_says_what_was_so_before() -> None:
    before = (
        "struct dev { raw_spinlock_t hw; };\nstatic void wake(struct dev *dev)\n{\n\traw_spin_lock(&dev->hw);\n"
        "\tdev->p = kzalloc(8, GFP_ATOMIC);\n\traw_spin_unlock(&dev->hw);\n}\n\n"
        "DEFINE_IDTENTRY_SYSVEC(sysvec_wake)\n{\n\twake(&one);\n}\n"
    )
    after = before.replace(
        "\traw_spin_lock(&dev->hw);\n\tdev->p = kzalloc(8, GFP_ATOMIC);\n",
        "\tdev->p = kzalloc(8, GFP_ATOMIC);\n\traw_spin_lock(&dev->hw);\n",
    ).replace("\traw_spin_unlock(&dev->hw);\n", "\traw_spin_unlock(&dev->hw);\n\tkfree(dev->q);\n")
    (question,) = [f for f in brought_by(after, before) if f.change is Change.INTRODUCED]
    assert question.check == "rt-alloc-in-hardirq"
    assert question.witness[-1].text == "kfree()"
    assert question.before == "Before this patch kzalloc(GFP_ATOMIC) was called with the raw spinlock dev->hw held."


def test_finding_for_all_kernels_is_not_repeated_for_preempt_rt() -> None:
    code = (
        _HEAD + "void f(struct dev *dev)\n{\n\traw_spin_lock(&dev->hw);\n\tdev->p = kzalloc(8, GFP_KERNEL);\n"
        "\traw_spin_unlock(&dev->hw);\n}\n"
    )
    assert [f.check for f in brought_by(code)] == ["lock-gfp-blocking-in-atomic"]


def test_new_way_out_with_the_lock_held_is_asked_about_where_it_leaves() -> None:
    before = (
        "struct dev { struct mutex lock; };\nint f(struct dev *dev)\n{\n\tint ret;\n\n\tret = look(dev);\n\tif (ret)\n"
        "\t\tgoto out;\n\tmutex_lock(&dev->lock);\n\tdev->a = 1;\n\tmutex_unlock(&dev->lock);\n"
        "\treturn 0;\nout:\n\tfail(dev);\n\treturn ret;\n}\n"
    )
    after = before.replace(
        "\tdev->a = 1;\n", "\tif (dev->open) {\n\t\tret = -EBUSY;\n\t\tgoto out;\n\t}\n\tdev->a = 1;\n"
    )
    (finding,) = brought_by(after, before)
    assert (finding.check, finding.change, finding.cause and finding.cause.line) == (
        "lock-imbalance",
        Change.EXPOSED,
        12,
    )
    assert [step.text for step in finding.witness] == ["mutex_lock(&dev->lock)", "return"]


_SLOT = (
    _HEAD + "int dev_get_slot(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tif (dev->free) {\n"
    "\t\tspin_unlock(&dev->lock);\n\t\treturn dev->free;\n\t}\n\tspin_unlock(&dev->lock);\n\treturn -EBUSY;\n}\n"
)


def test_a_function_that_gave_its_lock_back_is_held_to_it_whatever_its_name_and_value_say() -> None:
    after = _SLOT.replace("\t\tspin_unlock(&dev->lock);\n\t\treturn", "\t\treturn")
    assert _told(brought_by(after, _SLOT)) == [("exposed", "lock-imbalance", 6, "dev_get_slot")]
    assert brought_by(after) == ()


def test_a_function_that_opens_a_reader_for_its_caller_may_do_so_on_more_ways_out() -> None:
    before = (
        _HEAD + "struct item *dev_get_first(struct dev *dev)\n{\n\trcu_read_lock();\n\tif (dev->first)\n"
        "\t\treturn dev->first;\n\trcu_read_unlock();\n\treturn NULL;\n}\n"
    )
    after = before.replace("\trcu_read_unlock();\n", "\tif (dev->last)\n\t\treturn dev->last;\n\trcu_read_unlock();\n")
    assert _told(brought_by(before.replace("dev->first)", "dev->best)"), before)) == []
    assert [f for f in brought_by(after, before) if f.change is not Change.PRE_EXISTING] == []


def test_a_reader_that_was_closed_on_every_way_out_is_missed_on_one() -> None:
    before = (
        _HEAD + "bool dev_show(struct dev *dev)\n{\n\tbool known;\n\n\trcu_read_lock();\n\tknown = find(dev);\n"
        "\tif (dev->dead) {\n\t\trcu_read_unlock();\n\t\treturn false;\n\t}\n\trcu_read_unlock();\n\treturn known;\n}\n"
    )
    after = before.replace("\t\trcu_read_unlock();\n\t\treturn false;", "\t\treturn false;")
    assert _told(brought_by(after, before)) == [("exposed", "rcu-unlock-imbalance", 9, "dev_show")]


def test_counter_that_is_left_raised_is_not_the_lock_that_was_left_held_before() -> None:
    before = (
        _HEAD + "int f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tpreempt_disable();\n\tif (dev->a) {\n"
        "\t\tpreempt_enable();\n\t\treturn -EBUSY;\n\t}\n\tpreempt_enable();\n\tspin_unlock(&dev->lock);\n"
        "\treturn dev->b ? 0 : -EINVAL;\n}\n"
    )
    after = before.replace("\t\tpreempt_enable();\n\t\treturn", "\t\tspin_unlock(&dev->lock);\n\t\treturn")
    assert sorted((f.change.value, f.line) for f in brought_by(after, before)) == [("exposed", 8), ("fixed", 8)]


def _changes(found: tuple[Finding, ...]) -> list[tuple[str, int]]:
    return [(f.change.value, f.line) for f in found]


_LOCKED = "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tmsleep(1);\n\tspin_unlock(&dev->lock);\n}\n"
_HELPED = (
    "static void nap(struct dev *dev)\n{\n\tmsleep(1);\n}\n\n"
    "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tnap(dev);\n\tspin_unlock(&dev->lock);\n}\n"
)


def test_old_bug_that_moves_into_a_new_helper_is_not_new() -> None:
    assert _changes(brought_by(_HEAD + _HELPED, _HEAD + _LOCKED)) == [("pre-existing", 10)]


def test_old_bug_of_a_helper_that_is_merged_into_its_caller_is_not_new() -> None:
    assert _changes(brought_by(_HEAD + _LOCKED, _HEAD + _HELPED)) == [("pre-existing", 5)]


def test_old_bug_that_moves_with_its_lock_into_a_new_helper_is_not_new() -> None:
    after = _LOCKED.replace("void f(", "static void locked(") + "\nvoid f(struct dev *dev)\n{\n\tlocked(dev);\n}\n"
    assert _changes(brought_by(_HEAD + after, _HEAD + _LOCKED)) == [("pre-existing", 5)]


def test_second_bug_of_a_function_that_is_split_is_new() -> None:
    found = brought_by(_HEAD + _HELPED.replace("\tnap(dev);\n", "\tnap(dev);\n\tmsleep(2);\n"), _HEAD + _LOCKED)
    assert [(f.change.value, f.line) for f in found if f.change is Change.INTRODUCED] == [("introduced", 11)]


def test_function_that_is_renamed_and_moved_to_another_file_keeps_its_old_bug() -> None:
    other = "drivers/example/other.c"
    found = between(
        {PATH: _HEAD + _LOCKED, other: "int x;\n"},
        {PATH: _HEAD, other: "int x;\n" + _HEAD + _LOCKED.replace("void f(", "void g(")},
    ).findings
    assert [f.change for f in found] == [Change.PRE_EXISTING]


def test_function_that_is_renamed_in_a_file_that_is_renamed_keeps_its_old_bug() -> None:
    moved = "drivers/example/moved.c"
    after = {moved: _HEAD + _LOCKED.replace("void f(", "void g(")}
    found = between({PATH: _HEAD + _LOCKED}, after, {PATH: moved}).findings
    assert [f.change for f in found] == [Change.PRE_EXISTING]


def test_one_of_two_bugs_that_goes_is_fixed() -> None:
    before = _HEAD + _LOCKED.replace("\tmsleep(1);\n", "\tmsleep(1);\n\tmsleep(2);\n")
    assert ("fixed", 6) in _changes(brought_by(_HEAD + _LOCKED, before))


def test_removed_unlock_is_asked_about_at_the_return_it_leads_to() -> None:
    before = (
        _HEAD + "int f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tif (dev->a) {\n\t\tspin_unlock(&dev->lock);\n"
        "\t\treturn -EBUSY;\n\t}\n\tdev->a = 1;\n\tspin_unlock(&dev->lock);\n\treturn 0;\n}\n"
    )
    after = before.replace("\t\tspin_unlock(&dev->lock);\n\t\treturn", "\t\treturn")
    (finding,) = brought_by(after, before)
    assert (finding.check, finding.change, finding.line) == ("lock-imbalance", Change.EXPOSED, 6)
    assert finding.cause is not None
    assert finding.cause.line in (5, 6)


def test_removed_unlock_before_a_call_that_sleeps_exposes_the_call() -> None:
    before = (
        _HEAD + "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tdev->a = 1;\n\tspin_unlock(&dev->lock);\n"
        "\tmsleep(1);\n\tspin_lock(&dev->lock);\n\tdev->b = 1;\n\tspin_unlock(&dev->lock);\n}\n"
    )
    after = before.replace("\tspin_unlock(&dev->lock);\n\tmsleep(1);\n\tspin_lock(&dev->lock);\n", "\tmsleep(1);\n")
    (finding,) = brought_by(after, before)
    assert (finding.change, finding.line, finding.cause and finding.cause.line) == (Change.EXPOSED, 6, 6)


def test_the_witness_goes_no_way_that_the_caller_knows_to_be_closed() -> None:
    code = (
        "struct link { spinlock_t lock; int in_panic; };\n"
        "static void wait(struct link *link)\n{\n\tmsleep(2);\n}\n\n"
        "static void send(struct link *link)\n{\n\tint in_panic = READ_ONCE(link->in_panic);\n\n"
        "\tif (!in_panic)\n\t\tusleep_range(1, 2);\n\twait(link);\n}\n\n"
        "static void relay(struct link *link)\n{\n\tsend(link);\n}\n\n"
        "void tell(struct link *link)\n{\n"
        "\tlink->in_panic = 1;\n\tspin_lock(&link->lock);\n\trelay(link);\n\tspin_unlock(&link->lock);\n}\n"
    )
    (finding,) = brought_by(code)
    assert [step.text for step in finding.witness][1:] == ["relay()", "send()", "wait()", "msleep()"]
