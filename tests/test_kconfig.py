# SPDX-License-Identifier: GPL-2.0-or-later
"""Under which options files are built."""

from __future__ import annotations

import pytest

from reviewer.model import Severity
from reviewer.source.buildfiles import BuildFiles
from reviewer.source.builds import Builds
from tests.findings import CHECKS, brought_by
from tests.memory_files import MemoryFiles


def builds_of(files: dict[str, str]) -> Builds:
    return Builds(BuildFiles(MemoryFiles(files)))


_MAKEFILE = "obj-y += core.o\nobj-$(CONFIG_HUGE) += \\\n\thuge.o split.o\nobj-$(CONFIG_FAST) += fast.o\n"
_KCONFIG = (
    'config HUGE\n\tbool "Huge things"\n\tdepends on ARCH_HAS_HUGE && !PREEMPT_RT\n\thelp\n\t  Text.\n\n'
    'config FAST\n\tbool "Fast things"\n\tdepends on !PREEMPT_RT_FULL || MMU\n'
)


def test_option_that_depends_on_its_absence_keeps_the_file_out() -> None:
    builds = builds_of({"lib/big/Makefile": _MAKEFILE, "lib/Kconfig": _KCONFIG})
    assert "!PREEMPT_RT" in builds.conditions("lib/big/split.c")
    assert builds.conditions("lib/big/fast.c") == {"FAST"}
    assert not builds.conditions("lib/big/core.c")
    assert not builds.conditions("lib/big/unknown.c")


def test_lists_of_a_makefile_and_what_is_around_them() -> None:
    makefile = (
        "obj-y += both.o size_$(BITS).o\nobj-$(CONFIG_PAIR) += pair.o\npair-y := left.o\n"
        "pair-$(CONFIG_RIGHT) += right.o\nmmu-y := none.o\nmmu-$(CONFIG_MMU) := full.o\nobj-y += $(mmu-y)\n"
        "ifeq ($(CONFIG_TIMERS),y)\nobj-y += timers.o\nelse\nobj-y += stubs.o\nendif\n"
        "ifneq ($(CONFIG_SMP),y)\nobj-y += up.o\nendif\nifdef CONFIG_DEEP\nifndef CONFIG_FLAT\nobj-m += deep.o\n"
        "endif\nendif\nifeq ($(ODD),y)\nobj-y += odd.o\nelse\nobj-y += even.o\nendif\nobj-y += last.o\n"
    )
    builds = builds_of({"lib/Makefile": makefile})
    names = "both size_32 size_64 left right none full timers stubs up deep odd even last".split()
    assert {name: " ".join(sorted(builds.conditions(f"lib/{name}.c"))) for name in names} == {
        "both": "",
        "size_32": "!64BIT",
        "size_64": "64BIT",
        "left": "PAIR",
        "right": "PAIR RIGHT",
        "none": "!MMU",
        "full": "MMU",
        "timers": "TIMERS",
        "stubs": "!TIMERS",
        "up": "!SMP",
        "deep": "!FLAT DEEP",
        "odd": "",
        "even": "",
        "last": "",
    }


def test_list_that_takes_itself_up_and_comments_of_a_makefile() -> None:
    makefile = (
        "obj-$(CONFIG_A) += a.o # part.o\na-$(CONFIG_PART) += part.o\na-objs := first.o $(a-y)\n"
        "#obj-y += first.o\nobj-$(CONFIG_B) += $(obj)/b.o ../other.o\nobj-y += one.o\none-y += two.o\ntwo-y += one.o\n"
    )
    builds = builds_of({"lib/Makefile": makefile})
    assert {
        name: " ".join(sorted(builds.conditions(f"lib/{name}.c"))) for name in "part first b other two".split()
    } == {
        "part": "A PART",
        "first": "A",
        "b": "B",
        "other": "",
        "two": "",
    }


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("A && (B || C)", "A"),
        ("(A && B) || (B && C)", "B"),
        ("!(A || !B)", "!A B"),
        ("!(A && B)", ""),
        ("A=y && B!=n && C=n && D=m && E!=y", "!C A B D"),
        ("A || A=n", ""),
        ("m && A # why", "A"),
        ("$(success,test $(CC) -lt 1) && A", "A"),
        ("A B", ""),
        ("(" * 5000 + "A" + ")" * 5000, ""),
    ],
)
def test_what_holds_where_an_option_depends_on_an_expression(expression: str, holds: str) -> None:
    kconfig = f'config X\n\tbool "X"\n\tdepends on {expression}\n'
    builds = builds_of({"lib/x/Makefile": "obj-$(CONFIG_X) += x.o\n", "lib/Kconfig": kconfig})
    assert builds.conditions("lib/x/x.c") == {"X", *holds.split()}


def test_blocks_around_an_option_and_its_other_definitions() -> None:
    kconfig = (
        'if !PREEMPT_RT\nmenu "Things"\n\tdepends on MMU\nconfig X\n\tbool "X"\n\thelp\n\t  if this\n\t  depends on Y\n'
        'endmenu\nendif\nif OLD\nconfig Z\n\tbool "Z"\n\tdepends on SMP\nendif\nconfig Z\n\tbool\n\tdepends on SMP\n'
    )
    makefile = "obj-$(CONFIG_X) += x.o\nobj-$(CONFIG_Z) += z.o\n"
    builds = builds_of({"lib/x/Makefile": makefile, "lib/Kconfig": kconfig})
    assert builds.conditions("lib/x/x.c") == {"X", "!PREEMPT_RT", "MMU"}
    assert builds.conditions("lib/x/z.c") == {"Z", "SMP"}


def test_option_without_a_prompt_is_what_its_default_says() -> None:
    kconfig = (
        "config TREE\n\tbool\n\tdefault y if SMP\n\nconfig TINY\n\tbool\n\tdefault y if !PREEMPT && !SMP\n\n"
        "config SMALLEST\n\tdef_bool TINY\n\tdepends on (A || B) && !NUMA\n\thelp\n\t  Text.\n\n"
        'config ASKED\n\tbool "Shall it?"\n\tdefault y if SMP\n'
    )
    makefile = "".join(f"obj-$(CONFIG_{name}) += {name.lower()}.o\n" for name in ("TREE", "TINY", "SMALLEST", "ASKED"))
    builds = builds_of({"lib/x/Makefile": makefile, "lib/Kconfig": kconfig})
    assert builds.conditions("lib/x/smallest.c") == {"SMALLEST", "TINY", "!PREEMPT", "!SMP", "!NUMA"}
    assert builds.conditions("lib/x/asked.c") == {"ASKED"}
    assert builds.exclusive("lib/x/tree.c", "lib/x/smallest.c")
    assert not builds.exclusive("lib/x/asked.c", "lib/x/smallest.c")


def test_no_word_about_preempt_rt_in_a_file_that_is_not_built_with_it() -> None:
    code = (
        "struct s { raw_spinlock_t lock; };\nvoid f(struct s *s)\n{\n\traw_spin_lock(&s->lock);\n\tkfree(s->p);\n"
        "\traw_spin_unlock(&s->lock);\n}\n"
    )
    beside = {"lib/big/Makefile": _MAKEFILE, "lib/Kconfig": _KCONFIG}
    assert len(CHECKS) > 1
    assert [f.check for f in brought_by(code, path="lib/big/core.c", others=beside)] == ["rt-free-under-raw-spinlock"]
    assert not brought_by(code, path="lib/big/huge.c", others=beside)


def test_driver_that_is_not_built_with_preempt_rt_is_asked_about() -> None:
    beside = {
        "drivers/x/Makefile": "x-y += part.o\nobj-$(CONFIG_X) += x.o\nobj-$(CONFIG_Y) += y.o\n",
        "drivers/x/Kconfig": 'config X\n\ttristate "X"\n\tdepends on !PREEMPT_RT\nconfig Y\n\ttristate "Y"\n',
    }
    found = {name: brought_by(_UNDER_RAW, path=f"drivers/x/{name}.c", others=beside) for name in ("part", "y")}
    assert {name: [f.severity for f in findings] for name, findings in found.items()} == {
        "part": [Severity.QUESTION],
        "y": [Severity.BUG],
    }


def test_architecture_without_preempt_rt_makes_a_question_of_the_bug() -> None:
    code = (
        "struct s { raw_spinlock_t lock; };\nvoid f(struct s *s)\n{\n\traw_spin_lock(&s->lock);\n\tkfree(s->p);\n"
        "\traw_spin_unlock(&s->lock);\n}\n"
    )
    beside = {"arch/x86/Kconfig": "config X86\n\tselect ARCH_SUPPORTS_RT\n", "arch/m68k/Kconfig": "config M68K\n"}
    assert [f.severity for f in brought_by(code, path="arch/x86/kernel/a.c", others=beside)] == [Severity.BUG]
    assert [f.severity for f in brought_by(code, path="arch/m68k/kernel/a.c", others=beside)] == [Severity.QUESTION]
    assert [f.severity for f in brought_by(code, path="arch/m68k/kernel/a.c")] == [Severity.BUG]


_UNDER_RAW = (
    "struct s { raw_spinlock_t lock; };\nvoid f(struct s *s)\n{\n\traw_spin_lock(&s->lock);\n\tkfree(s->p);\n"
    "\traw_spin_unlock(&s->lock);\n}\n"
)
_TREE = {
    "arch/Kconfig": "config GENERIC_THING\n\tbool\n",
    "arch/x86/Kconfig": "config X86\n\tdef_bool y\n\tselect ARCH_SUPPORTS_RT\n",
    "arch/arm64/Kconfig": 'config ARM64\n\tdef_bool y\n\tselect ARCH_SUPPORTS_RT\nsource "platforms"\n',
    "arch/arm64/Kconfig.platforms": 'config ARCH_BOTH\n\tbool "Both"\n',
    "arch/arm/Kconfig": "config ARM\n\tbool\n\tdefault y\nconfig HAS_IOMEM\n\tdef_bool y\n",
    "arch/arm/mach-old/Kconfig": (
        'menuconfig ARCH_OLD\n\tbool "Old"\nconfig 4OLD\nconfig QUIRKS\nconfig ARCH_BOTH\n\tbool "Both"\n'
    ),
    "lib/Kconfig": "config HAS_IOMEM\n\tbool\n",
    "drivers/Makefile": "obj-y += thing/\nobj-$(CONFIG_ARCH_OLD) += old/\n",
    "drivers/thing/Makefile": (
        "obj-$(CONFIG_THING_OLD) += old-thing.o\nobj-$(CONFIG_THING_TEST) += \\\n\ttested.o\n"
        "obj-$(CONFIG_THING_ANY) += any.o\nobj-y += always.o thing.o\nthing-$(CONFIG_THING_PART) += part.o\n"
        "ifdef CONFIG_ARM\nobj-y += tested-arm.o\nelse\nobj-y += not-arm.o\nendif\nobj-$(CONFIG_4OLD) += four.o\n"
        "obj-$(CONFIG_QUIRKS) += quirk.o\n"
    ),
    "drivers/thing/Kconfig": (
        'config THING_OLD\n\ttristate "Old"\n\tdepends on ARCH_OLD && HAS_IOMEM\n\thelp\n\t  if it is old\n'
        'config THING_TEST\n\ttristate "Test"\n\tdepends on (ARM || ARCH_OLD) || COMPILE_TEST\n'
        'config THING_ANY\n\ttristate "Any"\n\tdepends on HAS_IOMEM && !ARM\n\tdepends on ARCH_BOTH || ARCH_OLD\n'
        "config QUIRKS\n\tbool\n"
        'if ARM\nmenu "Parts"\nconfig THING_PART\n\ttristate "Part"\n\tdepends on THING_ANY=y\nendmenu\nendif\n'
    ),
    "drivers/old/Makefile": "obj-y += chip.o\n",
}


@pytest.mark.parametrize(
    ("path", "severity"),
    [
        ("drivers/thing/old-thing.c", Severity.QUESTION),
        ("drivers/thing/tested.c", Severity.QUESTION),
        ("drivers/thing/part.c", Severity.QUESTION),
        ("drivers/old/chip.c", Severity.QUESTION),
        ("drivers/thing/tested-arm.c", Severity.QUESTION),
        ("drivers/thing/four.c", Severity.QUESTION),
        ("drivers/thing/not-arm.c", Severity.BUG),
        ("drivers/thing/quirk.c", Severity.BUG),
        ("drivers/thing/any.c", Severity.BUG),
        ("drivers/thing/always.c", Severity.BUG),
        ("drivers/thing/no-line.c", Severity.BUG),
    ],
)
def test_driver_of_architectures_that_have_no_preempt_rt_is_asked_about(path: str, severity: Severity) -> None:
    assert [f.severity for f in brought_by(_UNDER_RAW, path=path, others=_TREE)] == [severity]


def test_driver_of_an_architecture_that_has_preempt_rt_by_now() -> None:
    tree = {**_TREE, "arch/arm/Kconfig": _TREE["arch/arm/Kconfig"] + "\tselect ARCH_SUPPORTS_RT\n"}
    (found,) = brought_by(_UNDER_RAW, path="drivers/thing/old-thing.c", others=tree)
    assert found.severity is Severity.BUG


def test_tree_without_preempt_rt_says_nothing_of_architectures() -> None:
    tree = {path: text.replace("select ARCH_SUPPORTS_RT", "") for path, text in _TREE.items()}
    (found,) = brought_by(_UNDER_RAW, path="drivers/thing/old-thing.c", others=tree)
    assert found.severity is Severity.BUG
