# SPDX-License-Identifier: GPL-2.0-or-later
"""The order in which a document of the tree wants locks taken."""

from __future__ import annotations

import textwrap

from reviewer.context.order import stated
from tests.findings import brought_by

_DOCUMENT = """
    - kvm->lock is taken outside vcpu->mutex

    - kvm->lock is taken outside kvm->slots_lock and kvm->irq_lock

    - kvm->slots_lock is taken outside kvm->irq_lock, though acquiring
      them together is quite rare.

    - Unlike kvm->slots_lock, kvm->slots_arch_lock is released before
      synchronize_srcu(&kvm->srcu).
"""
_HEADER = """
    struct kvm { struct mutex lock; struct mutex slots_lock; struct mutex irq_lock; };
    struct kvm_vcpu { struct mutex mutex; struct kvm *kvm; };
"""
_CODE = """
    void route(struct kvm *kvm)
    {
            mutex_lock(&kvm->irq_lock);
            mutex_lock(&kvm->slots_lock);
            mutex_unlock(&kvm->slots_lock);
            mutex_unlock(&kvm->irq_lock);
    }
    void run(struct kvm_vcpu *vcpu)
    {
            mutex_lock(&vcpu->mutex);
            mutex_lock(&vcpu->kvm->lock);
            mutex_unlock(&vcpu->kvm->lock);
            mutex_unlock(&vcpu->mutex);
    }
    void in_order(struct kvm *kvm)
    {
            mutex_lock(&kvm->slots_lock);
            mutex_lock(&kvm->irq_lock);
            mutex_unlock(&kvm->irq_lock);
            mutex_unlock(&kvm->slots_lock);
    }
"""


def _found(path: str) -> list[tuple[int, str]]:
    others = {"Documentation/virt/kvm/locking.rst": _DOCUMENT, "include/linux/kvm_host.h": _HEADER}
    findings = brought_by(
        textwrap.dedent(_CODE), path=path, others={name: textwrap.dedent(text) for name, text in others.items()}
    )
    return [(f.line, f.sources[0].anchor) for f in findings if f.check == "lock-documented-order"]


def test_locks_against_the_document_are_found_with_its_sentence() -> None:
    assert _found("virt/kvm/irq.c") == [
        (5, "kvm->slots_lock is taken outside kvm->irq_lock"),
        (12, "kvm->lock is taken outside vcpu->mutex"),
    ]


def test_document_speaks_of_its_folders_only() -> None:
    assert _found("drivers/example/irq.c") == []


def test_every_pair_of_a_sentence_is_read() -> None:
    pairs = [pair[:2] for pair in stated(textwrap.dedent(_DOCUMENT).encode())]
    assert pairs == [
        ("kvm->lock", "vcpu->mutex"),
        ("kvm->lock", "kvm->slots_lock"),
        ("kvm->lock", "kvm->irq_lock"),
        ("kvm->slots_lock", "kvm->irq_lock"),
    ]
