# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables against the list of the kernel's API in the shared folder: each name is known or left out for a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reviewer.config import data_dir
from reviewer.context.schema import LockClass
from reviewer.context.tables import Api, Operation
from reviewer.registry import load_api

_FOLLOWED = "its body is followed and shows all that it does"
_OWN_LOCK = "a caller of these brings the lock that protects it: nothing is added to the context"
_NO_CHANGE = "leaves the context as it is"
_PAGE_LOCK = "a bit that whoever ends the transfer clears: taking it sleeps, holding it is not followed"
_SOCKET = "an owner and no lock: taking it sleeps, waiting for data lets go of it"
_RETRY = "a reader of a sequence counter that begins again: the context stays as it is"
_DEMAND = "changes nothing: what it demands of its context stands in the tables of demands"
_PRINTS = "looks at the context only"
_GUARD = "what the class does is read from DEFINE_GUARD or DEFINE_LOCK_GUARD in the tree"

LEFT_OUT: dict[str, str] = {
    name: reason
    for reason, names in {
        _FOLLOWED: "netif_tx_lock KVM_MMU_LOCK kvm_lock_all_vcpus kvm_trylock_all_vcpus kvm_unlock_all_vcpus "
        "kvm_vcpu_block kvm_vcpu_halt kvm_faultin_pfn hva_to_pfn kvm_read_guest kvm_write_guest kvm_read_guest_page "
        "kvm_vcpu_read_guest "
        "vcpu_load kvm_mmu_topup_memory_cache syscall_enter_from_user_mode syscall_exit_to_user_mode "
        "exit_to_user_mode_prepare guest_timing_enter_irqoff guest_timing_exit_irqoff irq_enter_rcu irq_exit_rcu "
        "xfer_to_guest_mode_prepare",
        "found in one function, handed on in a structure and left in another": "pte_offset_map_lock",
        _OWN_LOCK: "hwspin_lock_timeout_raw hwspin_lock_timeout_in_atomic hwspin_trylock_raw hwspin_trylock_in_atomic "
        "hwspin_unlock_raw wake_up_locked",
        _PAGE_LOCK: "folio_lock folio_lock_killable lock_page folio_trylock folio_unlock unlock_page",
        _SOCKET: "lock_sock lock_sock_nested lock_sock_fast release_sock unlock_sock_fast",
        "whoever prints may hand it to another task: taking it sleeps, holding it is not followed": "console_unlock",
        _RETRY: "read_seqbegin read_seqretry read_seqbegin_or_lock need_seqretry done_seqretry read_seqcount_begin "
        "read_seqcount_retry raw_read_seqcount_begin write_seqcount_latch_begin write_seqcount_latch "
        "raw_write_seqcount_latch",
        _DEMAND: "srcu_dereference srcu_dereference_check list_for_each_entry_srcu hlist_for_each_entry_srcu",
        _PRINTS: "srcu_read_lock_held rcu_is_watching rcu_is_watching_curr_cpu rcu_irq_exit_check_preempt "
        "xfer_to_guest_mode_work_pending __xfer_to_guest_mode_work_pending",
        _NO_CHANGE: "call_srcu enable_irq memalloc_noio_save memalloc_nofs_save "
        "rcu_virt_note_context_switch irqentry_exit_cond_resched raw_irqentry_exit_cond_resched "
        "irqentry_exit_to_kernel_mode_preempt lockdep_hardirqs_on_prepare lockdep_hardirqs_on lockdep_hardirqs_off "
        "trace_hardirqs_on_prepare trace_hardirqs_off_finish arch_in_rcu_eqs",
        "two calls in the tree, and a sleeping lock of PREEMPT_RT is allowed there": "non_block_start non_block_end",
        "spins, except for a timer of soft mode on PREEMPT_RT, which the call does not show": "hrtimer_cancel",
        "spins without PREEMPT_RT: the tables say that it takes a lock": "timer_delete_sync del_timer_sync "
        "timer_shutdown_sync",
        "sleeps outside interrupts only, which its caller cannot always tell: it counts as freeing": "vfree kvfree",
        "waits with preemption disabled: it does not sleep": "on_each_cpu",
        "no such function: __fput_sync() is the name": "fput_sync",
        "frees what was the last reference, which its caller cannot tell": "put_page folio_put",
        "allocates with GFP_KERNEL: the tables say that it sleeps": "kthread_create_worker",
        "asks nothing of preemption (seqlock.h): it is no lock": "raw_write_seqcount_begin raw_write_seqcount_end",
        "no tree of the three has it": "guest_enter rcu_irq_enter rcu_irq_exit idtentry_exit RCU_NONIDLE",
        _GUARD: "cpus_read_lock disable_irq task_lock console_lock device jump_label_lock rcu_tasks_trace",
    }.items()
    for name in names.split()
}


@pytest.fixture(scope="module")
def api() -> Api:
    return load_api(data_dir("checks"))


@pytest.fixture(scope="module")
def listed(shared: Path) -> Mapping[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    loaded: Mapping[str, Any] = yaml.safe_load((shared / "rules" / "api.yaml").read_text())
    return loaded


def _names(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield from (entry.get("name") or entry["cls"] for entry in entries)


def _unknown(names: Iterable[str], *known: Iterable[str]) -> set[str]:
    return set(names) - {name for group in known for name in group} - set(LEFT_OUT)


def test_every_lock_primitive_is_known_as_what_it_is(api: Api, listed: Mapping[str, Any]) -> None:
    keys = {
        "acquire": (Operation.ACQUIRE, Operation.TRY, Operation.TRY_ZERO),
        "write": (Operation.ACQUIRE, Operation.RELEASE),
        "trylock": (Operation.TRY, Operation.TRY_ZERO),
        "release": (Operation.RELEASE, Operation.DOWNGRADE),
        "wrappers": tuple(Operation),
    }
    for kind in listed["lock_primitives"]:
        for key, operations in keys.items():
            names = set(_names(kind.get(key, ())))
            assert not _unknown(names, api.locks, api.counters), (kind["kind"], key)
            assert {api.locks[name].operation for name in names & set(api.locks)} <= set(operations), kind["kind"]
        for key in ("read", "lockless_read", "wait", "deref"):
            names = set(_names(kind.get(key, ())))
            assert not _unknown(names, filter(api.sleeps_always, names), api.rcu_iterators), (kind["kind"], key)
        assert not _unknown(_names(kind.get("guards", ())), api.lock_guards, api.counter_guards)


def test_a_lock_behaves_as_its_class_says(api: Api, listed: Mapping[str, Any]) -> None:
    classes = {1: {LockClass.SLEEPING}, 2: {LockClass.SPIN, LockClass.LOCAL}, 3: {LockClass.RAW, LockClass.SPIN}}
    for kind in listed["lock_primitives"]:
        wanted = classes.get(kind["lock_class"])
        for name in _names(kind.get("acquire", ())):
            if wanted is not None and name in api.locks:
                assert api.classes[api.locks[name].kind] in wanted, name


def test_every_control_and_guard_of_the_context_is_known(api: Api, listed: Mapping[str, Any]) -> None:
    names = set(_names(listed["context_controls"]))
    assert not _unknown(names, filter(api.is_known, names))
    guards = set(_names(listed["context_guards"]))
    assert not _unknown(guards, api.lock_guards, api.counter_guards, api.irq_guards)


def test_everything_that_always_sleeps_is_known_to(api: Api, listed: Mapping[str, Any]) -> None:
    names = set(_names(listed["sleeps_always"]))
    sleeping = {name for name, call in api.locks.items() if api.classes[call.kind] is LockClass.SLEEPING}
    assert not _unknown(names, filter(api.sleeps_always, names), api.user_access, sleeping)


def test_allocators_take_their_mask_where_the_list_says(api: Api, listed: Mapping[str, Any]) -> None:
    functions = listed["allocators"]["functions"]
    assert not _unknown(_names(functions), api.allocators)
    for entry in functions:
        if isinstance(position := entry.get("gfp_arg"), int):
            assert api.allocators[entry["name"]] == position, entry["name"]
        elif position is not None:
            assert entry["name"] in api.optional_gfp
            assert f"index {api.allocators[entry['name']]})" in position


def test_frees_are_known_and_safe_ones_are_not_among_them(api: Api, listed: Mapping[str, Any]) -> None:
    frees = listed["free_functions"]
    assert not _unknown(_names(frees["illegal_under_raw_on_rt"]), api.frees)
    sleeping = set(_names(frees["sleeping"]))
    assert not _unknown(sleeping, filter(api.sleeps_always, sleeping))
    safe = {*_names(frees["safe_under_raw"]), *_names(listed["allocators"]["safe_under_raw"])}
    assert not safe & (set(api.frees) | set(api.allocators) | set(api.spinlock_takers) | set(api.sleeps))


def test_wakers_that_take_a_spinlock_are_told_from_those_that_do_not(api: Api, listed: Mapping[str, Any]) -> None:
    for group in listed["wait_wake"]:
        names = set(_names(group["wake"]))
        if group["lock"] == "spinlock_t":
            assert not _unknown(names, api.spinlock_takers)
        else:
            assert not names & set(api.spinlock_takers), group["api"]


def test_every_entry_and_exit_of_extended_quiescent_states_is_known(api: Api, listed: Mapping[str, Any]) -> None:
    assert not _unknown(_names(listed["entry_eqs"]), filter(api.is_known, _names(listed["entry_eqs"])))


def test_nothing_is_left_out_that_is_known(api: Api) -> None:
    allowed = {"lock_sock", "lock_sock_nested", "lock_sock_fast", "folio_lock", "folio_lock_killable", "lock_page"}
    allowed |= {"timer_delete_sync", "del_timer_sync", "timer_shutdown_sync", "vfree", "kvfree", "guest_enter"}
    allowed |= {"kthread_create_worker", "cpus_read_lock", "console_lock", "task_lock", "disable_irq"}
    assert {name for name in LEFT_OUT if api.is_known(name)} <= allowed
