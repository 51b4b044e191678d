# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls through members of structures: which functions they reach, and for whom."""

from __future__ import annotations

from tests.findings import brought_by

GENERIC = """
struct engine_ops { void (*flush)(struct engine *e); };
static void engine_flush(struct engine *e)
{
	e->ops->flush(e);
}
void engine_flush_locked(struct engine *e)
{
	spin_lock(&e->lock);
	engine_flush(e);
	spin_unlock(&e->lock);
}
"""
HEADER = "struct engine { spinlock_t lock; struct engine_ops *ops; };\n"
QUICK = """
static void quick_flush(struct engine *e)
{
	e->pending = 0;
}
static const struct engine_ops quick_ops = {
	.flush = quick_flush,
};
"""
SLOW = """
static void slow_flush(struct engine *e)
{
	msleep(1);
}
static const struct engine_ops slow_ops = {
	.flush = slow_flush,
};
"""


def found(generic: str, **others: str) -> list[tuple[str, str]]:
    files = {f"drivers/example/{name.replace('__', '/')}.c": text for name, text in others.items()}
    files["include/linux/engine.h"] = HEADER
    return sorted((f.check, f.function) for f in brought_by(generic, others=files))


def test_table_of_another_file_is_reached() -> None:
    assert found(GENERIC, slow=SLOW, quick=QUICK) == [("lock-sleep-in-atomic", "engine_flush_locked")]
    assert found(GENERIC, quick=QUICK) == []


def test_many_instances_are_not_told_apart() -> None:
    many = {f"driver{n}": QUICK.replace("quick", f"quick{n}") for n in range(4)}
    assert found(GENERIC, slow=SLOW, **many) == []


def test_two_structures_with_one_member_are_not_told_apart() -> None:
    assert found(GENERIC, slow=SLOW, other=QUICK.replace("engine_ops", "other_ops")) == []


def test_instance_does_not_reach_its_sibling_through_shared_code() -> None:
    shared = GENERIC.replace("static void engine_flush", "void engine_flush").split("void engine_flush_locked")[0]
    user = """
void quick_reset(struct engine *e)
{
	spin_lock(&e->lock);
	engine_flush(e);
	spin_unlock(&e->lock);
}
"""
    files = {"drivers/example/shared.c": shared, "drivers/example/slow/slow.c": SLOW}
    files["include/linux/engine.h"] = HEADER
    quick = {**files, "drivers/example/quick/quick.c": QUICK}
    alone = brought_by(user, others=quick, path="drivers/example/user.c")
    sibling = brought_by(user, others=quick, path="drivers/example/quick/reset.c")
    assert [f.check for f in alone] == ["lock-sleep-in-atomic"]
    assert sibling == ()


_FILLER = """
static void {name}_flush(struct engine *e)
{{
	{body};
}}
static void {name}_fill(struct engine_ops *ops)
{{
	ops->flush = {name}_flush;
}}
void {name}_create(struct engine *e)
{{
	{name}_fill(e->ops);
}}
"""


def test_file_that_has_its_objects_filled_by_one_driver_does_not_reach_another() -> None:
    shared = GENERIC.replace("static void engine_flush", "void engine_flush").split("void engine_flush_locked")[0]
    user = """
static void reset(struct engine *e)
{
	spin_lock(&e->lock);
	engine_flush(e);
	spin_unlock(&e->lock);
}
static const struct glue_ops glue_ops = { .create = quick_create };
"""
    files = {
        "drivers/example/shared.c": shared,
        "drivers/example/slow.c": _FILLER.format(name="slow", body="msleep(1)"),
        "drivers/example/quick.c": _FILLER.format(name="quick", body="e->pending = 0"),
        "include/linux/engine.h": "struct engine_ops { void (*flush)(struct engine *e); };\n" + HEADER,
    }

    def found_in(user: str) -> list[str]:
        return [f.check for f in brought_by(user, others=files, path="drivers/example/glue.c")]

    assert found_in(user) == []
    assert found_in(user.replace("quick_create", "slow_create")) == ["lock-sleep-in-atomic"]
    assert found_in(user.replace("quick_create", "NULL")) == ["lock-sleep-in-atomic"]
    assert found_in(f"{user}EXPORT_SYMBOL(reset);\n") == ["lock-sleep-in-atomic"]
    own_table = "static const struct glue_ops glue_ops = {{\n\t.create = {}_create,\n}};\n"
    own = user.partition("static const")[0] + own_table.format("own")
    assert found_in(own) == ["lock-sleep-in-atomic"]
    files["drivers/example/old.c"] = own_table.format("slow")
    assert found_in(own) == []
    assert found_in(own.replace("own_create", "NULL")) == ["lock-sleep-in-atomic"]
    assert found_in(f"{own}EXPORT_SYMBOL(reset);\n") == ["lock-sleep-in-atomic"]


def test_flag_that_only_the_tables_of_another_driver_have() -> None:
    shared = """
#define CAN_DRAIN 0x1
struct engine_ops { void (*flush)(struct engine *e); };
void engine_stop(struct engine *e)
{
	if (e->flags & CAN_DRAIN)
		e->ops->flush(e);
}
"""
    user = """
static void halt(struct engine *e)
{
	spin_lock(&e->lock);
	engine_stop(e);
	spin_unlock(&e->lock);
}
"""
    info = "static const struct engine_info {0}_info = {{\n\t.flags = {1},\n\t.size = 3\n}};\n"

    def found_in(slow: str, quick: str, beside: str = "") -> list[str]:
        files = {
            "drivers/example/shared.c": shared,
            "drivers/example/slow.c": SLOW + info.format("slow", slow),
            "drivers/example/quick.c": QUICK + info.format("quick", quick),
            "drivers/example/probe.c": beside,
            "include/linux/engine.h": HEADER.replace("lock;", "lock; int flags;"),
        }
        return [f.check for f in brought_by(user, others=files, path="drivers/example/glue.c")]

    wrong = ["lock-sleep-in-atomic"]
    assert found_in("CAN_DRAIN", "0") == wrong
    assert found_in("0", "0x10 | CAN_DRAIN") == []
    assert found_in("0", "0") == wrong
    assert found_in("0x10 | CAN_DRAIN", "CAN_DRAIN") == wrong
    assert found_in("0", "CAN_DRAIN", "void probe(struct engine *e)\n{\n\te->flags |= CAN_DRAIN;\n}\n") == wrong
    assert found_in("EVERY", "CAN_DRAIN", "#define EVERY (0x10 | CAN_DRAIN)\n") == wrong


def test_file_whose_own_table_leaves_the_member_out_does_not_reach_it() -> None:
    shared = """
void engine_flush(struct engine *e)
{
	if (e->ops->flush)
		e->ops->flush(e);
}
"""
    user = """
void quick_reset(struct engine *e)
{
	spin_lock(&e->lock);
	engine_flush(e);
	spin_unlock(&e->lock);
}
"""
    table = "static const struct engine_ops quick_ops = {\n\t.reset = quick_reset,\n};\n"
    files = {"lib/engine.c": shared, "lib/slow.c": SLOW, "include/linux/engine.h": HEADER}
    without = brought_by(user, others=files, path="lib/quick.c")
    with_own = brought_by(user + table, others=files, path="lib/quick.c")
    assert [f.check for f in without] == ["lock-sleep-in-atomic"]
    assert with_own == ()


def test_tables_beside_a_library_are_no_nearer_than_others() -> None:
    beside = {"slow": SLOW, **{f"driver{n}__driver": QUICK.replace("quick", f"quick{n}") for n in range(4)}}
    library = GENERIC + "EXPORT_SYMBOL_GPL(engine_flush_locked);\n"
    assert found(GENERIC, **beside) == [("lock-sleep-in-atomic", "engine_flush_locked")]
    assert found(library, **beside) == []
    assert found(library, slow=SLOW) == [("lock-sleep-in-atomic", "engine_flush_locked")]
