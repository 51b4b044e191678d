# SPDX-License-Identifier: GPL-2.0-or-later
"""Which function a name means."""

from __future__ import annotations

from reviewer.context.callers import callers
from reviewer.source.program import Program
from reviewer.source.scan import scan
from reviewer.source.store import BlobFacts, Store
from tests.memory_files import MemoryFiles


def _program(files: dict[str, str]) -> Program:
    return Program(MemoryFiles(files), Store(None))


def test_function_of_the_same_file_comes_first_then_the_architecture_then_the_core() -> None:
    program = _program(
        {
            "arch/x86/kvm/a.c": "static void f(void) { }\nvoid user(void) { f(); g(); h(); }\n",
            "arch/x86/kernel/b.c": "void g(void) { }\n",
            "arch/arm64/kernel/b.c": "void g(void) { }\n",
            "kernel/c.c": "void f(void) { }\nvoid h(void) { }\n",
        }
    )
    found = {name: program.resolve(name, "arch/x86/kvm/a.c") for name in ("f", "g", "h", "unknown")}
    assert {name: [f.path for f in functions] for name, functions in found.items()} == {
        "f": ["arch/x86/kvm/a.c"],
        "g": ["arch/x86/kernel/b.c"],
        "h": ["kernel/c.c"],
        "unknown": [],
    }


def test_static_function_of_another_file_is_out_of_reach() -> None:
    program = _program({"kernel/a.c": "void user(void) { f(); }\n", "kernel/b.c": "static void f(void) { }\n"})
    assert program.resolve("f", "kernel/a.c") == ()


def test_macro_of_another_file_is_out_of_reach_and_hides_nothing() -> None:
    program = _program(
        {
            "drivers/x/a.c": "void user(struct s *s) { take(s); give(s); }\n",
            "drivers/x/b.c": "#define take(s) spin_lock_irq(&(s)->lock)\n#define give(s) spin_unlock(&(s)->lock)\n",
            "include/linux/s.h": "static inline void take(struct s *s)\n{\n\tspin_lock(&s->lock);\n}\n",
        }
    )
    assert [f.path for f in program.resolve("take", "drivers/x/a.c")] == ["include/linux/s.h"]
    assert program.resolve("give", "drivers/x/a.c") == ()


def test_static_function_is_known_in_a_file_that_its_own_includes() -> None:
    part = "static void use(void)\n{\n\thelp();\n}\n"
    program = _program(
        {
            "kernel/x/core.c": 'static void help(void)\n{\n\tmsleep(1);\n}\n#include "part.h"\n',
            "kernel/x/other.c": "static void help(void)\n{\n}\n",
            "kernel/x/part.h": part,
        }
    )
    assert [function.path for function in program.resolve("help", "kernel/x/part.h")] == ["kernel/x/core.c"]


def test_inline_function_of_a_header_is_within_reach() -> None:
    program = _program(
        {
            "kernel/a.c": "void user(void) { f(); }\n",
            "include/linux/f.h": "static inline void f(void) { cond_resched(); }\n",
        }
    )
    assert [f.path for f in program.resolve("f", "kernel/a.c")] == ["include/linux/f.h"]


def test_macro_is_a_function_where_it_can_matter() -> None:
    program = _program(
        {
            "kernel/a.c": "void user(struct s *s) { take(s); size(s); }\n",
            "kernel/s.h": "#define take(s) \\\n\tspin_lock(&(s)->lock)\n#define size(s) ((s)->n + 1)\n",
        }
    )
    (take,) = program.resolve("take", "kernel/a.c")
    assert (take.path, take.line, take.words) == ("kernel/s.h", 1, ("macro",))
    assert program.resolve("size", "kernel/a.c") == ()


_TWO_FORMS = {
    "kernel/x/Makefile": "obj-$(CONFIG_LARGE) += tree.o\nobj-$(CONFIG_SMALL) += little.o\n",
    "kernel/x/Kconfig": "config SMALL\n\tbool\n\tdefault y if !SMP\n",
    "kernel/x/little.c": "void check(void)\n{\n}\n",
    "kernel/x/tree.c": "void check(void)\n{\n\tmsleep(1);\n}\n",
    "kernel/tick.c": "void tick(void)\n{\n\tcheck();\n}\n",
    "include/linux/check.h": "static inline void check(void) { }\n",
    "drivers/a/b/c/check.c": "void check(void)\n{\n}\n",
}


def test_of_two_forms_of_a_function_the_one_that_most_kernels_have_is_called() -> None:
    program = _program(_TWO_FORMS)
    assert [f.path for f in program.resolve("check", "kernel/tick.c")] == ["kernel/x/tree.c"]
    weak = {"kernel/a.c": "void __weak f(void)\n{\n}\n", "kernel/b.c": "void f(void)\n{\n\tg();\n}\n"}
    assert [f.path for f in _program(weak).resolve("f", "mm/c.c")] == ["kernel/b.c"]


def test_a_caller_calls_each_form_of_a_function() -> None:
    program = _program(_TWO_FORMS)
    for path, expected in (
        ("kernel/x/tree.c", ["tick"]),
        ("kernel/x/little.c", ["tick"]),
        ("include/linux/check.h", ["tick"]),
        ("drivers/a/b/c/check.c", []),
    ):
        (function,) = program.functions(path, "check")
        assert [caller.name for caller in callers(program, function)] == expected


def test_shared_code_calls_the_function_of_each_architecture_and_no_other_does() -> None:
    user = "void {}(void)\n{{\n\tarch_wake();\n}}\n"
    program = _program(
        {
            "kernel/user.c": user.format("shared"),
            "kernel/own.c": "static void arch_wake(void)\n{\n}\n" + user.format("own"),
            "arch/x86/kernel/a.c": "void arch_wake(void)\n{\n}\n" + user.format("x86"),
            "arch/arm64/kernel/a.c": "void arch_wake(void)\n{\n}\n" + user.format("arm"),
        }
    )
    for arch, expected in (("x86", ["x86", "shared"]), ("arm64", ["arm", "shared"])):
        (function,) = program.functions(f"arch/{arch}/kernel/a.c", "arch_wake")
        assert [caller.name for caller in callers(program, function)] == expected


def test_callers_are_found_in_other_files_of_the_scope() -> None:
    program = _program(
        {
            "kernel/a.c": "void f(void) { }\n",
            "kernel/sub/b.c": "/* f() in a comment */\nvoid g(void)\n{\n\tf();\n}\n",
            "mm/c.c": "void h(void)\n{\n\tif (x)\n\t\tf();\n}\n\nvoid i(void)\n{\n\tff();\n}\n",
        }
    )
    (function,) = program.functions("kernel/a.c", "f")
    assert [caller.name for caller in callers(program, function)] == ["g", "h"]


def test_lock_type_is_that_of_the_nearest_declaration() -> None:
    program = _program(
        {
            "drivers/x/a.c": "struct s { raw_spinlock_t guard; };\nvoid f(void) { }\n",
            "include/linux/t.h": "struct t { spinlock_t guard; struct mutex other; };\n",
        }
    )
    assert program.lock_types("guard", "drivers/x/a.c") == {"raw_spinlock_t"}
    assert program.lock_types("other", "drivers/x/a.c") == {"mutex"}
    assert program.lock_types("none", "drivers/x/a.c") == frozenset()


def test_scan_sees_definitions_locks_and_tables() -> None:
    facts = scan(
        b"/* void hidden(void) { } */\n"
        b"#define take(x) spin_lock(x)\n"
        b"static DEFINE_RAW_SPINLOCK(table_lock);\n"
        b"struct s {\n\tstruct mutex setup;\n};\n"
        b"static int\nrun(struct s *s)\n{\n\tlist_for_each_entry(a, b, c) {\n\t}\n\treturn 0;\n}\n"
        b"SYSCALL_DEFINE2(foo, int, a, int, b)\n{\n}\n"
        b"DEFINE_IDTENTRY_SYSVEC(sysvec_foo)\n{\n}\n"
        b"static const struct chip_ops chip = {\n\t.run = run,\n};\n"
        b"static const struct bus_ops bus = {\n"
        b"\t.part = &(const struct part_ops) {\n\t\t.stop = stop,\n\t},\n\t.go = go,\n};\n"
        b"int start(void)\n{\n\tstatic const struct part_ops ops = {\n\t\t.start = start,\n\t};\n\n"
        b"\tstruct walk walk = {\n\t\t.ops = ops,\n\t};\n\treturn walk_parts(&walk);\n}\n"
    )
    assert dict(facts.definitions) == {"run": "s", "start": "f", "sys_foo": "f", "sysvec_foo": "f", "take": "m"}
    assert set(facts.locks) == {("table_lock", "raw_spinlock_t"), ("setup", "mutex")}
    assert facts.members == (
        ("go", "bus_ops", "go"),
        ("run", "chip_ops", "run"),
        ("start", "part_ops", "start"),
        ("stop", "part_ops", "stop"),
    )


def test_scan_finds_what_stands_among_constants_of_registers() -> None:
    constants = (
        b"/* Permission (of all) */\n// addressBlock: bell_dec\n#define mmBELL_RING 0x10\n#define BELL_MASK 0x0FL\n"
    )
    assert scan(constants) == BlobFacts((), (), ())
    assert scan(constants + b"#define ring(x) write(mmBELL_RING, x)\n").definitions == (("ring", "m"),)
    assert scan(constants + b"extern spinlock_t bell_lock;\n").locks == (("bell_lock", "spinlock_t"),)
    assert scan(constants + b"#define BELL DEFINE_MUTEX(bell_lock)\n").locks == (("bell_lock", "mutex"),)


def test_scan_sees_functions_that_are_assigned_with_the_type_of_the_variable() -> None:
    facts = scan(
        b"static struct pool pools[2];\nstatic void run(void)\n{\n}\nstatic void stop(void)\n{\n}\n"
        b"struct unit *probe(struct unit *unit, int kind)\n{\n\tstruct ops *ops = &unit->ops, *next;\n\tint run_now;\n"
        b"\tops->run = run;\n\tnext->stop = &stop;\n\tunit->part[kind].ops.run =\n\t\trun;\n\tpools[0].run = run;\n"
        b"\t/* unit->hidden = run; */\n\tunit->kind = kind;\n\tto_part(unit)->run = run;\n\tunknown->run = run;\n"
        b"\trun_now = run;\n\treturn unit;\n}\nvoid other(void)\n{\n\tunit->run = run;\n}\n"
    )
    assert facts.assigned == (
        ("run", "ops", "", "run"),
        ("run", "pool", "", "run"),
        ("run", "unit", "part.ops", "run"),
        ("stop", "ops", "", "stop"),
    )


def test_scan_sees_members_that_get_what_callers_give() -> None:
    facts = scan(
        b"typedef void (*run_fn_t)(struct unit *unit);\nstatic void go(struct unit *unit)\n{\n}\n"
        b"static void with_callers(struct unit *unit, int (*of)(int, int), run_fn_t run)\n{\n\tunit->run = run;\n}\n"
        b"static void handed_over(struct unit *unit, run_fn_t stop)\n{\n\tunit->stop = stop;\n}\n"
        b"static inline void in_header(struct unit *unit, run_fn_t wake)\n{\n\tunit->wake = wake;\n}\n"
        b"void anybody(struct unit *unit, int (*ask)(void), unsigned int size, struct data *data)\n{\n"
        b"\tunit->part.ask = ask;\n\tunit->size = size;\n\tunit->data = data;\n\tin_header(unit, go);\n"
        b"\twith_callers(unit, sum(1, 2), go);\n\twith_callers(unit, sum, NULL);\n\tuse(handed_over);\n}\n"
    )
    assert facts.assigned == (
        ("", "unit", "", "stop"),
        ("", "unit", "", "wake"),
        ("", "unit", "part", "ask"),
        ("go", "unit", "", "run"),
    )


def test_assigned_function_stands_in_the_member_of_the_type_that_has_it() -> None:
    files = {
        "include/linux/part.h": "struct part_ops { void (*run)(void); };\nstruct part { struct part_ops ops; };\n",
        "kernel/part.c": "static void go(void)\n{\n}\nvoid set_up(struct part *part)\n{\n\tpart->ops.run = go;\n}\n",
    }
    program = _program(files)
    (go,) = program.functions("kernel/part.c", "go")
    assert program.filled(go) == {("part_ops", "run")}
    assert program.members(go) == frozenset()
    (instance,) = program.instances("run", "kernel/user.c", frozenset(("part_ops",)))
    assert (instance.function, instance.member) == (go, "part_ops.run")


def test_parts_of_a_table_are_called_after_the_members_that_lead_to_them() -> None:
    text = b"""
static const struct shop shop = {
	.open = shop_open,
	.power = { .on = power_on, .off = power_off },
	.door.bell.ring = bell_ring,
	.till = &(const struct till_ops) {
		.pay = till_pay,
	},
	.shelves = { { .fill = shelf_fill }, [2] = { .fill = second_fill, } },
	.size = 3,
	.close = shop_close
};
"""
    assert set(scan(text).members) == {
        ("shop_open", "shop", "open"),
        ("power_on", "shop.power", "on"),
        ("power_off", "shop.power", "off"),
        ("bell_ring", "shop.door.bell", "ring"),
        ("till_pay", "till_ops", "pay"),
        ("shelf_fill", "shop.shelves", "fill"),
        ("second_fill", "shop.shelves", "fill"),
        ("shop_close", "shop", "close"),
    }


def test_what_each_user_of_a_shared_file_defines_for_itself_is_not_known_in_it() -> None:
    shared = "static int fetch(int n);\nstatic inline int fetch_all(int n)\n{\n\treturn fetch(n);\n}\n"
    own = '#include "shared.h"\nstatic int fetch(int n)\n{\n\treturn n;\n}\n'
    files = {"lib/shared.h": shared, "lib/a.c": own}
    assert [found.path for found in _program(files).resolve("fetch", "lib/shared.h")] == ["lib/a.c"]
    for path in ("lib/b.c", "lib/of_others.h"):
        assert _program({**files, path: own}).resolve("fetch", "lib/shared.h") == ()


def test_table_of_another_structure_does_not_stand_for_what_is_assigned() -> None:
    files = {
        "drivers/a/b/c/far/far.c": "struct far_ops { void (*run)(void); };\nstatic void far_run(void)\n{\n}\n"
        "static struct far_ops far_ops = {\n\t.run = far_run,\n};\n",
        "drivers/a/b/c/near/part.h": "struct part_ops { void (*run)(void); };\nstruct part { struct part_ops ops; };\n",
    }
    (found,) = _program(files).instances("run", "drivers/a/b/c/near/use.c")
    assert found.function.name == "far_run"
    assigns = "static void go(void)\n{\n}\nvoid set_up(struct part *part)\n{\n\tpart->ops.run = go;\n}\n"
    (found,) = _program({**files, "drivers/a/b/c/near/a.c": assigns}).instances("run", "drivers/a/b/c/near/a.c")
    assert found.function.name == "go"
    assert _program({**files, "drivers/a/b/c/other/part.c": assigns}).instances("run", "drivers/a/b/c/near/use.c") == ()


def test_other_trees_in_the_cache_change_no_answer() -> None:
    files = {
        "include/linux/box.h": "struct box_ops { void (*run)(void); };\n#define for_each_box(b) for (; b; b++)\n",
        "kernel/box.c": "void box_open(void)\n{\n}\nstatic struct box_ops box_ops = {\n\t.run = box_open,\n};\n",
        "kernel/user.c": "void user(void)\n{\n\tbox_open();\n}\n",
    }

    def answers(store: Store) -> list[object]:
        program = Program(MemoryFiles(files), store)
        return [
            program.resolve("box_open", "kernel/user.c"),
            program.instances("run", "kernel/user.c"),
            program.loop_macro("for_each_box", "kernel/user.c"),
        ]

    fresh = answers(Store(None))
    assert all(fresh)
    used = Store(None)
    used.add(
        (f"{number:040x}", BlobFacts((("box_open", "f"), ("for_each_box", "m")), (), (("box_open", "box_ops", "run"),)))
        for number in range(300)
    )
    assert answers(used) == fresh
