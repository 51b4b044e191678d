# SPDX-License-Identifier: GPL-2.0-or-later
"""Summaries over everything that a function calls: any depth, circles, any order of questions, two trees at once."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from reviewer.config import data_dir
from reviewer.context.analysis import Analyser
from reviewer.context.body import Body
from reviewer.context.closure import key_of
from reviewer.context.effects import EventKind, Summary
from reviewer.registry import load_api
from reviewer.source.cfg import Function
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.findings import brought_by
from tests.memory_files import MemoryFiles

API = load_api(data_dir("checks"))
PATH = "kernel/example.c"

CIRCLE = """
struct box { struct mutex lock; };
static void third(struct box *b);
static void first(struct box *b, int more)
{
	if (more)
		third(b);
}
static void second(struct box *b)
{
	first(b, 1);
	mutex_lock(&b->lock);
	mutex_unlock(&b->lock);
}
static void third(struct box *b)
{
	second(b);
	first(b, 0);
}
static void above(struct box *b)
{
	first(b, 1);
}
"""


def program(text: str, base: Program | None = None, **others: str) -> Program:
    files = MemoryFiles({PATH: text, **{f"kernel/{name}.h": code for name, code in others.items()}})
    if base is None:
        return Program(files, Store(None))
    return Program(files, base.store, base=base, changed=[PATH])


def function(of: Program, name: str) -> Function:
    (found,) = of.functions(PATH, name)
    return found


def test_effect_is_seen_however_deep_it_is() -> None:
    levels = 6
    text = "static void f0(void)\n{\n\tmsleep(1);\n}\n" + "".join(
        f"static void f{n}(void)\n{{\n\tf{n - 1}();\n}}\n" for n in range(1, levels)
    )
    text += f"""
static DEFINE_SPINLOCK(box_lock);
static void holder(void)
{{
	spin_lock(&box_lock);
	f{levels - 1}();
	spin_unlock(&box_lock);
}}
"""
    assert [(f.check, f.function) for f in brought_by(text)] == [("lock-sleep-in-atomic", "holder")]


def test_circle_is_summarised_alike_from_every_side() -> None:
    names = ("first", "second", "third", "above")
    seen = []
    for order in itertools.permutations(names):
        analyser = Analyser(program(CIRCLE), API)
        summaries = {name: analyser.summary(function(analyser.program, name)) for name in order}
        seen.append({name: (summaries[name].outside, tuple(summaries[name].effects.values())) for name in names})
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize("name", ["first", "second", "third", "above"])
def test_effect_travels_round_the_circle(name: str) -> None:
    analyser = Analyser(program(CIRCLE), API)
    effects = analyser.summary(function(analyser.program, name)).effects.values()
    assert EventKind.SLEEP in {effect.kind for effect in effects}


def test_news_goes_all_the_way_round_a_long_circle() -> None:
    long = 14  # more than there are rounds
    text = "".join(f"static void f{n}(int n);\n" for n in range(long))
    text += "".join(
        f"static void f{n}(int n)\n{{\n\t{'' if n else 'msleep(1);'}\n\tif (n)\n\t\tf{(n + 1) % long}(n);\n}}\n"
        for n in range(long)
    )
    analyser = Analyser(program(text), API)
    summaries = {n: analyser.summary(function(analyser.program, f"f{n}")) for n in range(long)}
    depths = {n: min(len(effect.steps) for effect in summary.effects.values()) for n, summary in summaries.items()}
    assert depths == {n: (long - n) % long + 1 for n in range(long)}


def test_what_a_call_reaches_follows_the_summaries_of_the_circle() -> None:
    """It is kept from one round to the next: the first round knows nothing of the other functions."""
    analyser = Analyser(program(CIRCLE), API)
    first = function(analyser.program, "first")
    steps = [effect.steps for effect in analyser.summary(first).effects.values() if effect.kind is EventKind.SLEEP]
    assert [step.function for step in min(steps, key=len)] == ["first", "third", "second"]
    (call,) = first.calls()
    reached = analyser.body(first).reached(call)
    assert [one.summary for one in reached.callees] == [analyser.summary(function(analyser.program, "third"))]


def test_changed_callee_reaches_callers_in_unchanged_files() -> None:
    header = "static inline void helper(void)\n{\n\tbelow();\n}\n"
    before = program("void below(void)\n{\n}\n", helper=header)
    after = program("void below(void)\n{\n\tmsleep(1);\n}\n", before, helper=header)
    old = Analyser(before, API)
    new = Analyser(after, API, old)
    (helper,) = after.functions("kernel/helper.h", "helper")
    assert not old.summary(helper).effects
    assert EventKind.SLEEP in {effect.kind for effect in new.summary(helper).effects.values()}


def test_unreached_summaries_are_shared_between_two_trees() -> None:
    header = "static inline void apart(void)\n{\n\tmsleep(1);\n}\n"
    before = program("void below(void)\n{\n}\n", helper=header)
    after = program("void below(void)\n{\n\tapart();\n}\n", before, helper=header)
    old = Analyser(before, API)
    new = Analyser(after, API, old)
    (apart,) = after.functions("kernel/helper.h", "apart")
    assert new.summary(apart) is old.summary(apart)


def test_new_definition_of_a_name_reaches_those_who_used_it_before() -> None:
    header = "static inline void helper(void)\n{\n\tbelow();\n}\n"
    before = program("void other(void)\n{\n}\n", helper=header)
    after = program("void below(void)\n{\n\tmsleep(1);\n}\n", before, helper=header)
    old = Analyser(before, API)
    new = Analyser(after, API, old)
    (helper,) = after.functions("kernel/helper.h", "helper")
    assert not old.summary(helper).effects
    assert EventKind.SLEEP in {effect.kind for effect in new.summary(helper).effects.values()}


def test_lock_of_another_type_reaches_those_who_take_it() -> None:
    header = "static inline void helper(struct box *b)\n{\n\tguard(mutex)(&b->inner);\n\ttouch(b);\n}\n"
    before = program("struct box { struct mutex inner; };\n", helper=header)
    after = program("struct box { spinlock_t inner; };\n", before, helper=header)
    old = Analyser(before, API)
    new = Analyser(after, API, old)
    (helper,) = after.functions("kernel/helper.h", "helper")
    assert new.summary(helper) is not old.summary(helper)


def test_no_way_leads_from_one_architecture_through_shared_code_into_another() -> None:
    user = """\
static DEFINE_RAW_SPINLOCK(bell_lock);
void ring(void)
{
	raw_spin_lock(&bell_lock);
	chime();
	raw_spin_unlock(&bell_lock);
}
"""
    others = {
        "kernel/chime.c": "void chime(void)\n{\n\tarch_strike();\n}\n",
        "arch/x86/kernel/strike.c": "void arch_strike(void)\n{\n\tmsleep(1);\n}\n",
        "arch/arm64/kernel/strike.c": "void arch_strike(void)\n{\n}\n",
    }
    found = brought_by(user, path="arch/x86/kernel/ring.c", others=others)
    assert [(finding.check, finding.function) for finding in found] == [("lock-sleep-in-atomic", "ring")]
    assert not brought_by(user, path="arch/arm64/kernel/ring.c", others=others)


def _ring(change: tuple[str, str] = ("", "")) -> str:
    """Twelve functions that call each other in a circle, of which one does something besides."""
    names = [f"ring{number}" for number in range(12)]
    code = "struct box { struct mutex lock; };\n" + "".join(f"static void {name}(struct box *b);\n" for name in names)
    for name, following in zip(names, [*names[1:], names[0]], strict=True):
        own = "\tmsleep(1);\n\tmutex_lock(&b->lock);\n" if name == "ring3" else ""
        code += f"static void {name}(struct box *b)\n{{\n{own}\tif (b)\n\t\t{following}(b);\n}}\n"
    return code.replace(*change) if change[0] else code


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("\tmsleep(1);\n", "\tmsleep(1);\n\tbarrier();\n"), True),
        (("\tmsleep(1);\n", ""), False),
        (("\tmutex_lock(&b->lock);\n", ""), False),
        (("\tmsleep(1);\n", "\tmutex_lock(&b->lock);\n\tmsleep(1);\n"), False),
    ],
    ids=["says the same", "sleeps no more", "takes no lock any more", "sleeps with the lock"],
)
def test_a_change_inside_a_large_circle(change: tuple[str, str], same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    before = program(_ring())
    old = Analyser(before, API)
    after = program(_ring(change), before)
    new, alone = Analyser(after, API, old), Analyser(program(_ring(change)), API)
    computed: list[Function] = []
    summarise = new._closure._summarise

    def noting(of: Function) -> Summary:
        computed.append(of)
        return summarise(of)

    monkeypatch.setattr(new._closure, "_summarise", noting)
    for number in range(12):
        here = function(after, f"ring{number}")
        assert new.summary(here).told == alone.summary(function(alone.program, f"ring{number}")).told
    if same:
        # The one that was changed, and those that see it: at the begin and in the end.
        assert Counter(each.name for each in computed) == {"ring3": 2, "ring2": 2, "ring1": 2}
    else:
        assert len(computed) > 12


def test_a_change_inside_a_circle_whose_summaries_say_more_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of what may be released on some way grow with each turn, which does not keep a circle from settling."""
    text = (
        _ring().replace("(b);\n}", "(b->next);\n}").replace("struct mutex lock;", "struct mutex lock; spinlock_t in;")
    )
    text = text.replace("\tmsleep(1);\n", "\tif (b->busy)\n\t\tspin_unlock(&b->in);\n\tmsleep(1);\n")
    before = program(text)
    old = Analyser(before, API)
    members = {key_of(one): one for one in (function(before, f"ring{number}") for number in range(12))}
    known = {key: old.summary(one) for key, one in members.items()}
    more = {key.name for key, one in members.items() if old._closure.with_circle(known, one).told != known[key].told}
    (last,) = more
    opening = f"static void {last}(struct box *b)\n{{\n"
    after = program(text.replace(opening, opening + "\tbarrier();\n"), before)
    new = Analyser(after, API, old)
    followed: list[str] = []
    body = new.body

    def noting(of: Function) -> Body:
        followed.append(of.name)
        return body(of)

    monkeypatch.setattr(new, "body", noting)
    assert EventKind.SLEEP in {effect.kind for effect in new.summary(function(after, "ring0")).effects.values()}
    at = int(last.removeprefix("ring"))
    assert Counter(followed) == {f"ring{number}": 2 for number in (at, at - 1, at - 2)}


@pytest.mark.parametrize("name", ["printk_below", "folios_put", "release_pages"])
def test_what_is_not_looked_into_is_not_computed(name: str) -> None:
    text = """
static void write_one(void) { write_two(); }
static void printk_below(void) { write_one(); }
static void above(int n)
{
	if (n)
		preempt_disable();
	printk_below();
}
""".replace("printk_below", name)
    analyser = Analyser(program(text), API)
    above = function(analyser.program, "above")
    assert API.opaque.fullmatch(name)
    assert not analyser.body(above).reached(list(above.calls())[-1]).callees


def test_a_function_that_is_only_stored_is_not_computed() -> None:
    text = """
static void work_one(struct job *job) { msleep(1); }
static void work_two(struct job *job) { msleep(1); }
static void job_set_up(struct job *job, void (*work)(struct job *job)) { job->work = work; }
static void job_begin(struct job *job, void (*work)(struct job *job))
{
	void (*own)(struct job *job) = work;

	job_call(job, 0, own);
}
static void job_call(struct job *job, int at, void (*work)(struct job *job))
{
	if (at)
		job_begin(job, work);
	work(job);
}
static void above(struct job *job)
{
	job_set_up(job, work_one);
	job_begin(job, work_two);
}
"""
    analyser = Analyser(program(text), API)
    above = function(analyser.program, "above")
    assert EventKind.SLEEP in {effect.kind for effect in analyser.summary(above).effects.values()}
    names = {key.name for key in analyser._closure._known}
    assert "work_two" in names
    assert "work_one" not in names
