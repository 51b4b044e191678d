# SPDX-License-Identifier: GPL-2.0-or-later
"""What a patch does to functions that it does not change: declarations, macros, registrations, words, callers."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from reviewer import affected
from reviewer.compare import Compared
from reviewer.model import Change, Finding
from tests.findings import PATH, between

HEADER = "drivers/example/example.h"
OTHER = "drivers/example/other.c"


def told(found: Compared) -> list[tuple[str, str, str, int, str]]:
    return [(f.change.value, f.check, f.path, f.line, f.function) for f in found.findings]


def brought(findings: Iterable[Finding]) -> list[Finding]:
    return [f for f in findings if f.change in (Change.INTRODUCED, Change.EXPOSED)]


def cause(finding: Finding) -> tuple[str, int] | None:
    return (finding.cause.path, finding.cause.line) if finding.cause is not None else None


# Declarations

_RAW = "struct dev {\n\traw_spinlock_t hw;\n\traw_spinlock_t lock;\n};\n"
_SPIN = _RAW.replace("raw_spinlock_t lock", "spinlock_t lock")


def test_member_that_becomes_a_raw_spinlock_is_asked_about_at_its_users() -> None:
    user = (
        "void f(struct dev *dev)\n{\n\tlockdep_assert_held(&dev->lock);\n\tdev->p = kmalloc(8, GFP_ATOMIC);\n}\n\n"
        "void g(struct dev *dev)\n{\n\tdev->p = kmalloc(8, GFP_ATOMIC);\n}\n"
    )
    found = between({PATH: user, HEADER: _SPIN}, {PATH: user, HEADER: _RAW})
    (finding,) = brought(found.findings)
    assert (finding.check, finding.path, finding.line) == ("rt-alloc-under-raw-spinlock", PATH, 4)
    assert cause(finding) == (HEADER, 3)


def test_member_that_becomes_a_spinlock_mends_its_users() -> None:
    user = "void f(struct dev *dev)\n{\n\tlockdep_assert_held(&dev->lock);\n\tdev->p = kmalloc(8, GFP_ATOMIC);\n}\n"
    found = between({PATH: user, HEADER: _RAW}, {PATH: user, HEADER: _SPIN})
    assert told(found) == [("fixed", "rt-alloc-under-raw-spinlock", PATH, 4, "f")]


def test_lock_of_a_file_that_becomes_raw_exposes_what_is_done_under_it() -> None:
    before = (
        "static DEFINE_SPINLOCK(list_lock);\n\nstatic void f(struct dev *dev)\n{\n"
        "\tlockdep_assert_held(&list_lock);\n\tkfree(dev->p);\n}\n"
    )
    after = before.replace("DEFINE_SPINLOCK", "DEFINE_RAW_SPINLOCK")
    (finding,) = brought(between({PATH: before}, {PATH: after}).findings)
    assert (finding.check, finding.line, cause(finding)) == ("rt-free-under-raw-spinlock", 6, (PATH, 1))
    assert [f.change for f in between({PATH: after}, {PATH: before}).findings] == [Change.FIXED]


def test_spinlock_that_becomes_a_mutex_mends_who_sleeps_under_it() -> None:
    before = (
        "static DEFINE_SPINLOCK(list_lock);\n\nstatic void f(struct dev *dev)\n{\n"
        "\tlockdep_assert_held(&list_lock);\n\tmsleep(1);\n}\n"
    )
    after = before.replace("DEFINE_SPINLOCK", "DEFINE_MUTEX")
    assert [f.change for f in between({PATH: before}, {PATH: after}).findings] == [Change.FIXED]
    (finding,) = brought(between({PATH: after}, {PATH: before}).findings)
    assert (finding.check, finding.line, cause(finding)) == ("lock-sleep-in-atomic", 6, (PATH, 1))


def test_change_to_a_lock_of_the_same_name_elsewhere_says_nothing() -> None:
    user = (
        "struct own {\n\tspinlock_t lock;\n};\nstatic void f(struct own *own)\n{\n"
        "\tlockdep_assert_held(&own->lock);\n\tkfree(own->p);\n}\n"
    )
    assert not between({PATH: user, HEADER: _SPIN}, {PATH: user, HEADER: _RAW}).findings


# Macros and inline functions of headers


def test_macro_that_takes_a_mutex_instead_of_a_spinlock() -> None:
    header = (
        "struct dev {\n\tspinlock_t lock;\n\tstruct mutex mutex;\n\traw_spinlock_t hw;\n};\n"
        "#define dev_lock(d) \\\n\tspin_lock(&(d)->lock)\n#define dev_unlock(d) spin_unlock(&(d)->lock)\n"
    )
    after = header.replace("spin_lock(&(d)->lock)", "mutex_lock(&(d)->mutex)").replace(
        "spin_unlock(&(d)->lock)", "mutex_unlock(&(d)->mutex)"
    )
    user = (
        '#include "example.h"\nvoid f(struct dev *dev)\n{\n\tpreempt_disable();\n\tdev_lock(dev);\n'
        "\tdev_unlock(dev);\n\tpreempt_enable();\n}\n"
    )
    found = brought(between({PATH: user, HEADER: header}, {PATH: user, HEADER: after}).findings)
    assert [(f.check, f.path, f.line) for f in found] == [("lock-sleep-in-atomic", HEADER, 6)]
    assert (found[0].change, cause(found[0])) == (Change.EXPOSED, (HEADER, 7))
    assert (found[0].witness[-2].path, found[0].witness[-2].line) == (PATH, 5)


def test_macro_that_did_nothing_to_speak_of_comes_to_sleep() -> None:
    header = "#define dev_rest(d, n) ({ \\\n\tudelay(n); \\\n\t1; \\\n})\n"
    user = (
        "struct dev {\n\traw_spinlock_t hw;\n};\nint f(struct dev *dev)\n{\n\tint v;\n\n\traw_spin_lock(&dev->hw);\n"
        "\tv = dev_rest(dev, 10);\n\traw_spin_unlock(&dev->hw);\n\treturn v;\n}\n"
    )
    after = header.replace("udelay(n)", "usleep_range(n, 2 * n)")
    (found,) = brought(between({PATH: user, HEADER: header}, {PATH: user, HEADER: after}).findings)
    assert (found.check, found.change, cause(found)) == ("lock-sleep-in-atomic", Change.EXPOSED, (HEADER, 2))
    assert not brought(between({PATH: user, HEADER: after}, {PATH: user, HEADER: header}).findings)


def test_inline_function_of_a_header_is_followed_to_all_its_users() -> None:
    header = "static inline void note(struct dev *dev)\n{\n\tdev->a = 1;\n}\n"
    user = "void {}(struct dev *dev)\n{{\n\tpreempt_disable();\n\tnote(dev);\n\tpreempt_enable();\n}}\n"
    files = {PATH: user.format("f"), OTHER: user.format("g"), HEADER: header}
    found = between(files, {**files, HEADER: header.replace("dev->a = 1", "msleep(1)")})
    (finding,) = brought(found.findings)
    assert (finding.change, finding.path, finding.line, finding.other_places) == (Change.INTRODUCED, HEADER, 3, 1)


def test_sleep_in_a_function_that_is_not_followed_is_told_at_its_callers() -> None:
    note = "static void note(struct kvm_vcpu *vcpu)\n{\n\tvcpu->noted = 1;\n}\n\n"
    kick = "void kvm_vcpu_kick(struct kvm_vcpu *vcpu)\n{\n\tnote(vcpu);\n}\n"
    user = (
        "void f(struct kvm_vcpu *vcpu)\n{\n\traw_spin_lock(&vcpu->lock);\n\tkvm_vcpu_kick(vcpu);\n"
        "\traw_spin_unlock(&vcpu->lock);\n}\n\nvoid g(struct kvm_vcpu *vcpu)\n{\n\tkvm_vcpu_kick(vcpu);\n}\n"
    )
    files = {PATH: note + kick, OTHER: user}
    itself = note + kick.replace("\tnote(vcpu);\n", "\tnote(vcpu);\n\tmsleep(1);\n")
    for slow in (itself, note.replace("\tvcpu", "\tmsleep(1);\n\tvcpu") + kick):
        (finding,) = brought(between(files, {**files, PATH: slow}).findings)
        assert (finding.check, finding.change, finding.path) == ("lock-sleep-in-atomic", Change.INTRODUCED, PATH)
        assert [step.function for step in finding.witness if step.path == OTHER] == ["f", "f"]
        # What it did before the patch nobody looks into.
        other = slow.replace("note(vcpu);", "note(vcpu);\n\tvcpu->kicked = 1;")
        assert brought(between({**files, PATH: slow}, {**files, PATH: other}).findings) == []


def test_iterator_whose_flags_say_whether_it_sleeps_is_not_followed() -> None:
    miter = (
        "int sg_miter_next(struct sg_mapping_iter *m)\n{\n\tif (m->flags & SG_TO_SG)\n\t\tmsleep(1);\n\treturn 1;\n}\n"
    )
    user = "void f(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tdev->a = 1;\n\tspin_unlock(&dev->lock);\n}\n"
    files = {OTHER: miter, PATH: user}
    after = user.replace("dev->a = 1", "sg_miter_next(&dev->miter)")
    assert brought(between(files, {**files, PATH: after}).findings) == []


# Ways in

_CHIP = (
    "struct dev {\n\tspinlock_t lock;\n};\n"
    "static void quiet(struct irq_data *d)\n{\n\tstruct dev *dev = d->chip_data;\n\n"
    "\tspin_lock(&dev->lock);\n\tspin_unlock(&dev->lock);\n}\n\n"
    "static struct irq_chip chip = {\n\t.name = one,\n};\n\nvoid use(struct dev *dev)\n{\n\tquiet(dev->d);\n}\n"
)


def test_function_that_is_put_into_a_table_is_judged_in_its_context() -> None:
    after = _CHIP.replace("\t.name = one,\n", "\t.name = one,\n\t.irq_mask = quiet,\n")
    (finding,) = brought(between({PATH: _CHIP}, {PATH: after}).findings)
    assert (finding.change, finding.function, finding.line) == (Change.EXPOSED, "quiet", 8)
    assert cause(finding) == (PATH, 14)


_PINS = (
    "static int pins_get(struct gpio_chip *chip, unsigned int offset)\n{\n\tmutex_lock(&pins_lock);\n"
    "\tmutex_unlock(&pins_lock);\n\treturn 0;\n}\n\n"
    "int probe(struct gpio_chip *chip)\n{\n\tchip->get = pins_get;\n\tchip->can_sleep = true;\n\treturn 0;\n}\n"
)


def test_function_that_is_assigned_to_an_operation_is_judged_in_its_context() -> None:
    without = _PINS.replace("\tchip->can_sleep = true;\n", "")
    before = without.replace("\tchip->get = pins_get;\n", "")
    (finding,) = brought(between({PATH: before}, {PATH: without}).findings)
    assert (finding.change, finding.function, finding.line) == (Change.EXPOSED, "pins_get", 3)
    assert cause(finding) == (PATH, 10)


def test_word_that_allows_operations_to_sleep_exposes_them_when_it_goes() -> None:
    without = _PINS.replace("\tchip->can_sleep = true;\n", "")
    (finding,) = brought(between({PATH: _PINS}, {PATH: without}).findings)
    assert (finding.check, finding.change, finding.line) == ("lock-sleep-in-atomic", Change.EXPOSED, 3)
    assert told(between({PATH: without}, {PATH: _PINS})) == [("fixed", "lock-sleep-in-atomic", PATH, 3, "pins_get")]


def test_word_that_denies_that_operations_sleep_allows_nothing() -> None:
    denied = _PINS.replace("can_sleep = true", "can_sleep = false")
    before = denied.replace("\tmutex_lock(&pins_lock);\n\tmutex_unlock(&pins_lock);\n", "")
    (finding,) = brought(between({PATH: before}, {PATH: denied}).findings)
    assert (finding.check, finding.change, finding.line) == ("lock-sleep-in-atomic", Change.INTRODUCED, 3)


_HANDLER = (
    "struct dev {\n\tspinlock_t lock;\n};\n"
    "static irqreturn_t ring(int irq, void *data)\n{\n\tstruct dev *dev = data;\n\n"
    "\tspin_lock(&dev->lock);\n\tspin_unlock(&dev->lock);\n\treturn IRQ_HANDLED;\n}\n\n"
    "int probe(struct dev *dev)\n{\n\treturn request_irq(dev->irq, ring,\n\t\t\t   IRQF_SHARED, dev->name, dev);\n}\n"
)


def test_flag_that_keeps_a_handler_out_of_a_thread_exposes_the_handler() -> None:
    after = _HANDLER.replace("IRQF_SHARED", "IRQF_NO_THREAD")
    (finding,) = brought(between({PATH: _HANDLER}, {PATH: after}).findings)
    assert (finding.check, finding.line) == ("rt-spinlock-in-hardirq", 8)
    assert cause(finding) == (PATH, 16)


def test_flag_that_lets_a_handler_into_a_thread_mends_the_handler() -> None:
    before = _HANDLER.replace("IRQF_SHARED", "IRQF_NO_THREAD")
    found = between({PATH: before}, {PATH: _HANDLER})
    assert told(found) == [("fixed", "rt-spinlock-in-hardirq", PATH, 8, "ring")]


def test_what_lies_deep_below_a_function_that_is_entered_otherwise_is_not_told() -> None:
    deep = (
        "static void third(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tspin_unlock(&dev->lock);\n}\n\n"
        "static void second(struct dev *dev)\n{\n\tthird(dev);\n}\n\n"
    )
    before = _HANDLER.replace("static irqreturn_t", deep + "static irqreturn_t").replace(
        "\n\tspin_lock(&dev->lock);\n\tspin_unlock(&dev->lock);\n\treturn", "\n\tsecond(dev);\n\treturn"
    )
    assert not brought(between({PATH: before}, {PATH: before.replace("IRQF_SHARED", "IRQF_NO_THREAD")}).findings)


# Words


def test_callee_of_noinstr_code_that_loses_noinstr() -> None:
    before = (
        "static noinstr int look(int vector)\n{\n\treturn vector + 1;\n}\n\n"
        "noinstr int enter(int vector)\n{\n\treturn look(vector);\n}\n"
    )
    after = before.replace("static noinstr int", "static int")
    (finding,) = brought(between({PATH: before}, {PATH: after}).findings)
    assert (finding.check, finding.function, finding.line) == ("entry-noinstr-callee", "look", 1)
    assert finding.change is Change.INTRODUCED
    assert [(step.function, step.line) for step in finding.witness] == [("enter", 8), ("look", 1)]
    assert [f.change for f in between({PATH: after}, {PATH: before}).findings] == [Change.FIXED]


def test_callee_of_noinstr_code_that_need_not_be_inlined_any_more() -> None:
    header = "static __always_inline int look(int vector)\n{\n\treturn vector + 1;\n}\n"
    user = (
        '#include "example.h"\nnoinstr int enter(int vector)\n{\n\treturn look(vector);\n}\n\n'
        "int other(int vector)\n{\n\treturn look(vector);\n}\n"
    )
    plain = header.replace("__always_inline", "inline")
    (finding,) = brought(between({PATH: user, HEADER: header}, {PATH: user, HEADER: plain}).findings)
    assert (finding.check, finding.path, finding.function, finding.line) == ("entry-noinstr-callee", HEADER, "look", 1)
    assert [(step.path, step.function) for step in finding.witness] == [(PATH, "enter"), (HEADER, "look")]
    unchanged = plain.replace("vector + 1", "vector + 2")
    assert not brought(between({PATH: user, HEADER: plain}, {PATH: user, HEADER: unchanged}).findings)


# Callers


def _chain(length: int) -> str:
    """f0 does something, f1 calls f0, ...; the last one takes a spinlock."""
    text = "struct dev {\n\tspinlock_t lock;\n};\nstatic void f0(struct dev *dev)\n{\n\tdev->a = 1;\n}\n\n"
    for number in range(1, length):
        text += f"static void f{number}(struct dev *dev)\n{{\n\tf{number - 1}(dev);\n}}\n\n"
    text += "void top(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n"
    return text + f"\tf{length - 1}(dev);\n\tspin_unlock(&dev->lock);\n}}\n"


def test_callers_are_followed_as_far_as_they_can_notice() -> None:
    before = _chain(5)
    (finding,) = brought(between({PATH: before}, {PATH: before.replace("dev->a = 1", "msleep(1)")}).findings)
    assert (finding.function, finding.line) == ("f0", 6)
    assert [step.function for step in finding.witness] == ["top", "top", "f4", "f3", "f2", "f1", "f0"]


def test_function_that_is_handed_over_is_called_there() -> None:
    before = (
        "struct dev {\n\tspinlock_t lock;\n};\n"
        "static void each_one(struct dev *dev, void (*visit)(struct dev *))\n{\n\tvisit(dev);\n}\n\n"
        "static void touch_it(struct dev *dev)\n{\n\tdev->a = 1;\n}\n\n"
        "void walk_all(struct dev *dev)\n{\n"
        "\tspin_lock(&dev->lock);\n\teach_one(dev, touch_it);\n\tspin_unlock(&dev->lock);\n}\n"
    )
    (finding,) = brought(between({PATH: before}, {PATH: before.replace("dev->a = 1", "msleep(1)")}).findings)
    assert (finding.function, finding.line) == ("touch_it", 11)
    assert finding.witness[-1].text == "msleep()"


def _many(callers: int) -> str:
    text = "struct dev {\n\tspinlock_t lock;\n};\nstatic void low(struct dev *dev)\n{\n\tdev->a = 1;\n}\n\n"
    for number in range(callers):
        text += f"void f{number:02}(struct dev *dev)\n{{\n\tspin_lock(&dev->lock);\n"
        text += "\tlow(dev);\n\tspin_unlock(&dev->lock);\n}\n\n"
    return text


def test_one_line_that_many_places_make_wrong_is_told_once() -> None:
    before = _many(4)
    (finding,) = brought(between({PATH: before}, {PATH: before.replace("dev->a = 1", "msleep(1)")}).findings)
    assert (finding.line, finding.witness[0].function, finding.other_places) == (6, "f00", 3)


def test_what_is_too_far_away_is_said_and_the_nearest_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affected, "_MOST_FURTHER", 3)
    monkeypatch.setattr(affected, "_FEWEST_FURTHER", 2)
    before = _many(4)
    found = between({PATH: before}, {PATH: before.replace("dev->a = 1", "msleep(1)")})
    (finding,) = brought(found.findings)
    assert finding.other_places == 1
    assert found.notes == (
        "Only the 3 functions nearest to the change were judged. Not judged: 2 other functions that it can reach; "
        "the callers of 2 functions.",
    )


def test_nothing_is_said_where_all_was_looked_at() -> None:
    before = _many(4)
    assert between({PATH: before}, {PATH: before.replace("dev->a = 1", "msleep(1)")}).notes == ()
