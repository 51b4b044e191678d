# SPDX-License-Identifier: GPL-2.0-or-later
"""A rule in the words of the tree under review: the sentence around an anchor, with path, section, line and commit.

The places where a rule is stated are tried in order. An anchor is found or it is not; nothing is guessed, and a tree
that does not state a rule gives no citation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reviewer.model import Citation, Source
from reviewer.passages import Passage, Text


class Files(Protocol):
    """A tree whose files can be read."""

    def read(self, path: str) -> bytes | None:
        """The content of a file, None where the tree has no such file."""


@dataclass(frozen=True, slots=True)
class Trap:
    """A place in the kernel's documents that says something untrue, which must not be quoted at an author.

    ``present`` are words that make the place a trap as long as it (the section, or the file where ``section`` is empty)
    still contains them: a tree in which the text was mended is cited again. ``said`` narrows the trap to sentences
    with one of these words; without it the whole section is one. ``mended_by`` is a section of the same file that,
    where it exists, makes the words untrue.
    """

    path: str
    section: str
    present: str
    said: tuple[str, ...] = ()
    mended_by: str = ""


TRAPS = (
    # Lists kfree(), printk() and add_timer() as callable under almost any lock, which the allocator's own
    # documentation denies for PREEMPT_RT.
    Trap("Documentation/kernel-hacking/locking.rst", "Some Functions Which Don't Sleep", "kfree()"),
    # Holding a spinlock_t does not disable preemption on PREEMPT_RT.
    Trap(
        "Documentation/locking/preempt-locking.rst",
        "Solution",
        "any locks or interrupts are disabled, since preemption",
    ),
    # The per-CPU lock behind local_bh_disable() is gone by default where the section on CPU local scope exists.
    Trap(
        "Documentation/locking/locktypes.rst",
        "spinlock_t and PREEMPT_RT",
        "per-CPU lock for serialization",
        said=("per-CPU lock", "The lock disables softirq handlers", "still disables softirq", "to get this effect"),
        mended_by="CPU local scope and bottom-half",
    ),
    # Samples that leave out the gfp argument, or spell it differently, are no statement about gfp flags.
    Trap("Documentation/locking/locktypes.rst", "", "kmalloc_obj(", said=("kmalloc_obj(",)),
    # Named spinlock_t; arch/x86/kvm/vmx/posted_intr.c declares a raw_spinlock_t.
    Trap("Documentation/virt/kvm/locking.rst", "wakeup_vcpus_on_cpu_lock", ":Type: spinlock_t"),
    # An aim, not a fact: locks are taken inside the critical sections it speaks of.
    Trap("Documentation/virt/kvm/locking.rst", "", "Everything else is a leaf", said=("Everything else is a leaf",)),
    # Names functions that exist nowhere; include/linux/kvm_host.h documents the real ones.
    Trap("Documentation/core-api/entry.rst", "KVM", "kvm_guest_enter_irqoff()"),
    # Calls irqentry_nmi_exit() without its second argument.
    Trap(
        "Documentation/core-api/entry.rst",
        "NMI and NMI-like exceptions",
        "irqentry_nmi_exit(regs);",
        said=("irqentry_nmi_exit(regs);",),
    ),
    # Lists a type that does not exist.
    Trap("Documentation/locking/seqlock.rst", "", "seqcount_ww_mutex_t", said=("seqcount_ww_mutex_t",)),
)


class Citer:
    """Quotes the kernel's rules from one tree. ``commit`` is the commit that the quotes are said to come from."""

    def __init__(self, files: Files, commit: str) -> None:
        self._files = files
        self._commit = commit
        self._texts: dict[str, Text | None] = {}

    def cite(self, sources: Sequence[Source], called: str = "") -> Citation | None:
        """The first of ``sources`` that this tree has, as a quotation of at most five lines; None if it has none.

        One that names the function ``called``, in its words or as what they belong to, goes before all others. The
        quotation is the sentence around the anchor, byte for byte but for white space and comment leaders. Of several
        places with the same words the one in the named section is taken.
        """
        first: Citation | None = None
        for source in sources:
            citation = self._resolve(source)
            if citation is None:
                continue
            if not called or re.search(rf"\b{re.escape(called)}\b", f"{citation.section} {citation.quote}"):
                return citation
            first = first or citation
        return first

    def _resolve(self, source: Source) -> Citation | None:
        text = self._text(source.path)
        if text is None:
            return None
        elsewhere: Citation | None = None
        for start, end in text.find(source.anchor):
            passage = text.passage(source.anchor, start, end)
            if passage is None:
                continue
            section = text.section_at(start)
            if _is_trap(text, section, passage):
                continue
            found = Citation(source.path, section, passage.first, passage.text, self._commit, source.anchor)
            if not source.section or _same(section, source.section):
                return found
            elsewhere = elsewhere or found
        return elsewhere

    def _text(self, path: str) -> Text | None:
        if path not in self._texts:
            data = self._files.read(path)
            self._texts[path] = None if data is None else Text(path, data)
        return self._texts[path]


def _same(section: str, wanted: str) -> bool:
    return section.split() == wanted.replace("in function ", "in ").split()


def _is_trap(text: Text, section: str, passage: Passage) -> bool:
    for trap in TRAPS:
        if trap.path != text.path or (trap.section and trap.section != section.strip("`")):
            continue
        if not any(
            not trap.section or text.section_at(at).strip("`") == section.strip("`")
            for at, _ in text.find(trap.present)
        ):
            continue
        if trap.mended_by and trap.mended_by not in text.sections():
            continue
        if not trap.said or any(words in passage.text for words in trap.said):
            return True
    return False
