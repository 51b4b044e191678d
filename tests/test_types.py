# SPDX-License-Identifier: GPL-2.0-or-later
"""The type of an expression, and the class of a lock."""

from __future__ import annotations

import textwrap

import pytest

from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.memory_files import MemoryFiles

_HEADER = """
    #define DECLARE_X
    struct vm_arch { spinlock_t pages_lock; };
    typedef struct { raw_spinlock_t guard; } pool_t;
    typedef struct vm vm_alias_t;
    struct vm {
    #ifdef HAVE_RWLOCK
            rwlock_t mmu_lock;
    #else
            spinlock_t mmu_lock;
    #endif
            struct mutex lock, __rcu *other;
            struct vm_arch arch;
            struct {
                    spinlock_t lock;
                    struct list_head items;
            } irqfds[2];
            union { struct mutex hidden; int count; } ____cacheline_aligned;
            struct_group(both,
                    struct rw_semaphore sem;
            );
            pool_t pools[4];
            int (*hook)(struct vm *vm);
    };
    struct vcpu { struct vm *vm; struct mutex mutex; struct vm **all; spinlock_t *ptl; };
    extern struct vm first_vm;
    extern struct mutex vm_list_lock;
"""
_CODE = """
    static DEFINE_RAW_SPINLOCK(own_lock);
    static DEFINE_PER_CPU(struct vcpu, running);
    static struct { raw_spinlock_t lock; int n; } proxy;
    struct priv { struct mutex lock; };
    struct vm *vm_of(struct vcpu *vcpu) { return vcpu->vm; }
    static spinlock_t *lock_of(struct vm *vm)
    {
            if (vm->n)
                    return &vm->irqfds[0].lock;
            return &vm->irqfds[1].lock;
    }
    void f(struct vcpu *vcpu, struct priv *priv, void *data, vm_alias_t *alias)
    {
            struct vm *vm = data, *vms[3];
            pool_t *pool = &vm->pools[1];
            spinlock_t *ptr = &vm->irqfds[0].lock;
            int both;
            {
                    struct priv *unclear;
            }
            {
                    struct vm *unclear;
            }
    }
"""


def _program(**others: str) -> Program:
    files = {"kernel/vm/vm.c": _CODE, "include/linux/vm.h": _HEADER, **others}
    return Program(MemoryFiles({path: textwrap.dedent(text) for path, text in files.items()}), Store(None))


@pytest.mark.parametrize(
    ("expression", "lock_class", "kind"),
    [
        ("&vcpu->mutex", "vcpu.mutex", "mutex"),
        ("&vcpu->vm->lock", "vm.lock", "mutex"),
        ("&vms[1]->arch.pages_lock", "vm_arch.pages_lock", "spinlock_t"),
        ("&(*vcpu->all)->lock", "vm.lock", "mutex"),
        ("&vm_of(vcpu)->lock", "vm.lock", "mutex"),
        ("&((structvm*)data)->lock", "vm.lock", "mutex"),
        ("&container_of(data,structvm,arch)->lock", "vm.lock", "mutex"),
        ("&this_cpu_ptr(&running)->vm->lock", "vm.lock", "mutex"),
        ("&alias->lock", "vm.lock", "mutex"),
        ("&vm->irqfds[0].lock", "vm.irqfds.lock", "spinlock_t"),
        ("lock_of(vm)", "vm.irqfds.lock", "spinlock_t"),
        ("ptr", "vm.irqfds.lock", "spinlock_t"),
        ("&vm->hidden", "vm.hidden", "mutex"),
        ("&vm->sem", "vm.sem", "rw_semaphore"),
        ("&pool->guard", "pool_t.guard", "raw_spinlock_t"),
        ("&first_vm.lock", "vm.lock", "mutex"),
        ("&vm_list_lock", "vm_list_lock", "mutex"),
        ("&own_lock", "kernel/vm/vm.c:own_lock", "raw_spinlock_t"),
        ("&proxy.lock", "kernel/vm/vm.c:proxy.lock", "raw_spinlock_t"),
        ("&priv->lock", "kernel/vm/vm.c:priv.lock", "mutex"),
    ],
)
def test_lock_has_the_class_of_its_declaration(expression: str, lock_class: str, kind: str) -> None:
    program = _program()
    (function,) = program.functions("kernel/vm/vm.c", "f")
    assert program.lock(expression, function) == (lock_class, kind)


@pytest.mark.parametrize(
    "expression",
    ["vcpu->ptl", "&unclear->lock", "&vm->hook", "&data->lock", "&nobody", "&vm->other", "*vcpu->ptl", "&f()->lock"],
)
def test_unclear_lock_has_no_class(expression: str) -> None:
    program = _program()
    (function,) = program.functions("kernel/vm/vm.c", "f")
    assert program.lock_class(expression, function) is None


@pytest.mark.parametrize(("arch", "kind"), [("x86", "rwlock_t"), ("s390", "spinlock_t")])
def test_architecture_decides_between_the_arms_of_a_structure(arch: str, kind: str) -> None:
    program = _program(
        **{
            "arch/x86/include/asm/vm_types.h": "#define HAVE_RWLOCK\n",
            "arch/s390/include/asm/vm_types.h": "/* no HAVE_RWLOCK here */\n",
            f"arch/{arch}/kernel/vm.c": "void g(struct vm *vm) { }\n",
        }
    )
    (function,) = program.functions(f"arch/{arch}/kernel/vm.c", "g")
    assert program.lock("&vm->mmu_lock", function) == ("vm.mmu_lock", kind)


def test_structures_that_disagree_give_no_class() -> None:
    program = _program(
        **{
            "drivers/a/one.h": "struct dev { struct mutex lock; int same; };\n",
            "drivers/a/two.h": "struct dev { spinlock_t lock; int same; };\n",
            "drivers/a/a.c": "void g(struct dev *dev) { }\n",
        }
    )
    (function,) = program.functions("drivers/a/a.c", "g")
    assert program.lock_class("&dev->lock", function) is None


def test_tag_is_that_of_a_definition_in_reach_or_in_a_header_that_is_included() -> None:
    program = _program(
        **{
            "include/soc/gate.h": '#include "gate_inner.h"\nstruct gate { int open; };\n',
            "include/soc/gate_inner.h": "#define hatch door\nstruct door { int open; };\n",
            "include/soc/wall.h": "struct wall { int high; };\n",
            "drivers/a/a.c": "#include <soc/gate.h>\nstruct hatch *hatch;\nstruct wall *wall;\n",
        }
    )
    assert program.tag("gate", "drivers/a/a.c") == "gate"
    assert program.tag("door", "drivers/a/a.c") == "door"
    assert program.tag("vm_alias_t", "drivers/a/a.c") == "vm"
    assert program.tag("pool_t", "drivers/a/a.c") == "pool_t"
    assert program.tag("hatch", "drivers/a/a.c") is None
    assert program.tag("wall", "drivers/a/a.c") is None
