# SPDX-License-Identifier: GPL-2.0-or-later
"""Every word of the execution context: what the state says at ``probe()`` after some lines of C."""

from __future__ import annotations

import pytest

from reviewer.context.analysis import Analyser
from reviewer.context.facts import TAKEN_AT, Facts, join
from reviewer.context.schema import Watching
from reviewer.context.state import Origin, State, atomic
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.findings import API
from tests.memory_files import MemoryFiles

_PATH = "virt/kvm/kvm_main.c"
_HEAD = """\
typedef struct { raw_spinlock_t guard; } pool_t;
struct inner { spinlock_t lock; };
struct dev {
	struct inner inner; pool_t pool; rwlock_t rw; struct rw_semaphore sem; struct srcu_struct srcu, other;
	seqcount_spinlock_t seq; local_lock_t local; int a;
};
struct kvm { struct mutex slots_lock; rwlock_t mmu_lock; struct srcu_struct srcu; };
struct vcpu { struct kvm *kvm; struct mutex mutex; };
static DEFINE_RAW_SPINLOCK(global_lock);
static DEFINE_PER_CPU(raw_spinlock_t, cpu_lock);
static DEFINE_PER_CPU(local_lock_t, cpu_local);
static void probe(void)
{
	msleep(1);
}
"""


def _states(body: str, *, words: str = "", at: str = "probe") -> list[State]:
    """The states in which ``f`` calls ``at``, which sleeps, in the order of the lines."""
    code = (
        f"{_HEAD}void {words} f(struct dev *dev, struct vcpu *vcpu, raw_spinlock_t *given, unsigned long flags)\n"
        f"{{\n{body}\n}}\n"
    )
    program = Program(MemoryFiles({_PATH: code}), Store(None))
    (function,) = program.functions(_PATH, "f")
    assert function is not None
    events = Analyser(program, API).analyse(function).events
    return [event.state for event in sorted(events, key=lambda e: e.line) if event.callee == at]


def _state(body: str, *, words: str = "") -> State:
    (state,) = _states(body, words=words)
    return state


@pytest.mark.parametrize(
    ("body", "kind", "expression"),
    [
        ("spin_lock(&dev->inner.lock); probe();", "spin", "dev->inner.lock"),
        ("raw_spin_lock(&dev->pool.guard); probe();", "raw", "dev->pool.guard"),
        ("pool_t *pool = &dev->pool; raw_spin_lock(&pool->guard); probe();", "raw", "dev->pool.guard"),
        ("raw_spin_lock(&global_lock); probe();", "raw", "global_lock"),
        ("raw_spin_lock(this_cpu_ptr(&cpu_lock)); probe();", "raw", "this_cpu_ptr(&cpu_lock)"),
        ("raw_spin_lock(given); probe();", "raw", "given"),
        ("guard(raw_spinlock)(given); probe();", "raw", "given"),
        ("read_lock(&dev->rw); probe();", "read", "dev->rw"),
        ("write_lock(&dev->rw); probe();", "write", "dev->rw"),
        ("down_read(&dev->sem); probe();", "rwsem_read", "dev->sem"),
        ("down_write(&dev->sem); probe();", "rwsem_write", "dev->sem"),
        ("down_write(&dev->sem); downgrade_write(&dev->sem); probe();", "rwsem_read", "dev->sem"),
        ("local_lock(&cpu_local); probe();", "local", "cpu_local"),
        ("write_seqcount_begin(&dev->seq); probe();", "seqcount", "dev->seq"),
        ("srcu_read_lock(&dev->srcu); probe();", "srcu", "dev->srcu"),
        ("srcu_read_lock(&vcpu->kvm->srcu); probe();", "srcu", "vcpu->kvm->srcu"),
        ("kvm_vcpu_srcu_read_lock(vcpu); probe();", "srcu", "vcpu->kvm->srcu"),
        ("mutex_lock(&vcpu->mutex); probe();", "mutex", "vcpu->mutex"),
        ("mutex_lock(&vcpu->kvm->slots_lock); probe();", "mutex", "vcpu->kvm->slots_lock"),
        ("write_lock(&vcpu->kvm->mmu_lock); probe();", "write", "vcpu->kvm->mmu_lock"),
        ("struct kvm *kvm = vcpu->kvm; read_lock(&kvm->mmu_lock); probe();", "read", "vcpu->kvm->mmu_lock"),
    ],
)
def test_lock_is_held_with_kind_and_expression(body: str, kind: str, expression: str) -> None:
    (held,) = _state(body).locks
    assert (held.kind, held.expression, held.origin) == (kind, expression, Origin.TAKEN)


def test_two_domains_of_srcu_are_two_readers() -> None:
    state = _state("srcu_read_lock(&dev->srcu); srcu_read_lock(&dev->other); srcu_read_unlock(&dev->srcu, 1); probe();")
    assert {held.expression for held in state.locks} == {"dev->other"}


def test_asserted_lock_is_held_and_was_not_taken_here() -> None:
    (held,) = _state("probe();", words="__must_hold(&global_lock)").locks
    assert (held.kind, held.expression, held.origin) == ("raw", "global_lock", Origin.ASSERTED)
    (held,) = _state("lockdep_assert_held(&global_lock); probe();").locks
    assert (held.kind, held.expression, held.origin) == ("raw", "global_lock", Origin.ASSERTED)


def test_lock_of_the_caller_is_released_and_taken_again() -> None:
    released, taken = _states("raw_spin_unlock(given);\nprobe();\nraw_spin_lock(given);\nprobe();")
    assert {expression for _, expression in released.dropped} == {"given"}
    assert not taken.dropped


@pytest.mark.parametrize(
    ("body", "irq", "suffix"),
    [
        ("probe();", "", 0),
        ("local_irq_disable(); probe();", "off", 0),
        ("local_irq_save(flags); probe();", "off", 0),
        ("local_irq_save(flags); local_irq_restore(flags); probe();", "", 0),
        ("local_irq_restore(flags); probe();", "restored", 0),
        ("local_irq_enable(); probe();", "on", 0),
        ("lockdep_assert_irqs_disabled(); probe();", "asserted", 0),
        ("spin_lock_irq(&dev->inner.lock); probe();", "", 1),
        ("raw_spin_lock_irqsave(given, flags); probe();", "off", 0),
        ("raw_spin_lock_irqsave(given, flags); raw_spin_unlock_irqrestore(given, flags); probe();", "", 0),
        ("guard(irqsave)(); probe();", "off", 0),
    ],
)
def test_interrupts(body: str, irq: str, suffix: int) -> None:
    state = _state(body)
    assert (state.irq, state.suffix) == (irq, suffix)


@pytest.mark.parametrize(
    ("enter", "leave", "counters"),
    [
        ("preempt_disable();", "preempt_enable();", {"preempt": 1}),
        ("get_cpu();", "put_cpu();", {"preempt": 1}),
        ("local_bh_disable();", "local_bh_enable();", {"bh": 1}),
        ("spin_lock_bh(&dev->inner.lock);", "spin_unlock_bh(&dev->inner.lock);", {"bh": 1}),
        ("migrate_disable();", "migrate_enable();", {"migrate": 1}),
        ("pagefault_disable();", "pagefault_enable();", {"pagefault": 1}),
        ("kmap_atomic(dev);", "kunmap_atomic(dev);", {"kmap": 1}),
        ("rcu_read_lock();", "rcu_read_unlock();", {"rcu": 1}),
        ("rcu_read_lock_bh();", "rcu_read_unlock_bh();", {"rcu": 1, "bh": 1}),
        ("rcu_read_lock_sched();", "rcu_read_unlock_sched();", {"rcu": 1, "preempt": 1}),
        ("instrumentation_begin();", "instrumentation_end();", {"instrumentation": 1}),
    ],
)
def test_counters(enter: str, leave: str, counters: dict[str, int]) -> None:
    names = ("preempt", "bh", "migrate", "pagefault", "kmap", "rcu", "instrumentation")
    before, inside, after = _states(f"probe();\n{enter}\nprobe();\n{leave}\nprobe();")
    assert all(getattr(before, name) == getattr(after, name) == 0 for name in names)
    assert {name: getattr(inside, name) for name in names if getattr(inside, name)} == counters


@pytest.mark.parametrize(
    ("body", "watching"),
    [
        ("probe();", Watching.RESTORED),
        ("guest_state_enter_irqoff(); probe();", Watching.GUEST),
        ("guest_state_enter_irqoff(); guest_state_exit_irqoff(); probe();", Watching.WATCHING),
        ("ct_idle_enter(); probe();", Watching.IDLE),
        ("user_enter(); probe();", Watching.USER),
        ("irqentry_enter(dev); probe();", Watching.WATCHING),
    ],
)
def test_extended_quiescent_states(body: str, watching: Watching) -> None:
    assert _state(body).eqs is watching


@pytest.mark.parametrize(
    ("body", "not_running"),
    [
        ("mutex_lock(&vcpu->mutex);", False),
        ("set_current_state(TASK_INTERRUPTIBLE); mutex_lock(&vcpu->mutex);", True),
        ("set_current_state(TASK_INTERRUPTIBLE); schedule(); mutex_lock(&vcpu->mutex);", False),
        ("set_current_state(TASK_INTERRUPTIBLE); __set_current_state(TASK_RUNNING); mutex_lock(&vcpu->mutex);", False),
        ("set_current_state(TASK_INTERRUPTIBLE); probe(); mutex_lock(&vcpu->mutex);", False),
        ("prepare_to_wait(&dev->a, given, TASK_UNINTERRUPTIBLE); mutex_lock(&vcpu->mutex);", True),
    ],
)
def test_state_of_the_task(body: str, not_running: bool) -> None:
    (state,) = _states(body, at="mutex_lock")
    assert state.not_running is not_running


@pytest.mark.parametrize(
    ("body", "plain", "preempt_rt"),
    [
        ("probe();", None, None),
        ("raw_spin_lock(given); probe();", "raw", "raw"),
        ("spin_lock(&dev->inner.lock); probe();", "spin", None),
        ("spin_lock_irq(&dev->inner.lock); probe();", "spin", None),
        ("read_lock(&dev->rw); probe();", "read", None),
        ("local_irq_disable(); probe();", "irq", "irq"),
        ("preempt_disable(); probe();", "preempt", "preempt"),
        ("local_bh_disable(); probe();", "bh", None),
        ("rcu_read_lock(); probe();", None, None),
        ("migrate_disable(); probe();", None, None),
        ("mutex_lock(&vcpu->mutex); probe();", None, None),
    ],
)
def test_both_kinds_of_kernel_are_judged_apart(body: str, plain: str | None, preempt_rt: str | None) -> None:
    state = _state(body)
    reasons = [atomic(state, API, rt=rt) for rt in (False, True)]
    assert [reason.what if reason is not None else None for reason in reasons] == [plain, preempt_rt]


@pytest.mark.parametrize(("old", "new", "is_changed"), [(7, 9, False), (9, 7, True)])
def test_lock_that_was_taken_in_one_of_two_places_is_told_at_the_first(old: int, new: int, is_changed: bool) -> None:
    known: Facts = {(TAKEN_AT, "dev->sem"): ("dev->sem", old, "down_read")}
    assert join(known, {(TAKEN_AT, "dev->sem"): ("dev->sem", new, "down_read")}) is is_changed
    assert known == {(TAKEN_AT, "dev->sem"): ("dev->sem", 7, "down_read")}
