# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are not built with an option."""

from __future__ import annotations

from reviewer.model import Severity
from reviewer.source.kconfig import excluded_with
from tests.findings import CHECKS, brought_by
from tests.memory_files import MemoryFiles

_MAKEFILE = "obj-y += core.o\nobj-$(CONFIG_HUGE) += \\\n\thuge.o split.o\nobj-$(CONFIG_FAST) += fast.o\n"
_KCONFIG = (
    'config HUGE\n\tbool "Huge things"\n\tdepends on ARCH_HAS_HUGE && !PREEMPT_RT\n\thelp\n\t  Text.\n\n'
    'config FAST\n\tbool "Fast things"\n\tdepends on !PREEMPT_RT_FULL || MMU\n'
)


def test_option_that_depends_on_its_absence_keeps_the_file_out() -> None:
    files = MemoryFiles({"lib/big/Makefile": _MAKEFILE, "lib/Kconfig": _KCONFIG})
    assert excluded_with(files, "lib/big/split.c", "PREEMPT_RT")
    assert not excluded_with(files, "lib/big/fast.c", "PREEMPT_RT")
    assert not excluded_with(files, "lib/big/core.c", "PREEMPT_RT")
    assert not excluded_with(files, "lib/big/unknown.c", "PREEMPT_RT")


def test_no_word_about_preempt_rt_in_a_file_that_is_not_built_with_it() -> None:
    code = (
        "struct s { raw_spinlock_t lock; };\nvoid f(struct s *s)\n{\n\traw_spin_lock(&s->lock);\n\tkfree(s->p);\n"
        "\traw_spin_unlock(&s->lock);\n}\n"
    )
    beside = {"lib/big/Makefile": _MAKEFILE, "lib/Kconfig": _KCONFIG}
    assert len(CHECKS) > 1
    assert [f.check for f in brought_by(code, path="lib/big/core.c", others=beside)] == ["rt-free-under-raw-spinlock"]
    assert not brought_by(code, path="lib/big/huge.c", others=beside)


def test_architecture_without_preempt_rt_makes_a_question_of_the_bug() -> None:
    code = (
        "struct s { raw_spinlock_t lock; };\nvoid f(struct s *s)\n{\n\traw_spin_lock(&s->lock);\n\tkfree(s->p);\n"
        "\traw_spin_unlock(&s->lock);\n}\n"
    )
    beside = {"arch/x86/Kconfig": "config X86\n\tselect ARCH_SUPPORTS_RT\n", "arch/m68k/Kconfig": "config M68K\n"}
    assert [f.severity for f in brought_by(code, path="arch/x86/kernel/a.c", others=beside)] == [Severity.BUG]
    assert [f.severity for f in brought_by(code, path="arch/m68k/kernel/a.c", others=beside)] == [Severity.QUESTION]
    assert [f.severity for f in brought_by(code, path="arch/m68k/kernel/a.c")] == [Severity.BUG]
