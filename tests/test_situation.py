# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer context``: how a place is reached, what its calls take and demand, and what may not be done there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

import reviewer.situation
from reviewer.cli import main
from reviewer.commands.demo import make_example
from reviewer.context.situation import Below, Situation, Way
from reviewer.errors import CacheError, UsageError
from reviewer.model import Step
from reviewer.report.situation import situation_to_dot
from reviewer.situation import Target, target_of
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.conftest import ROOT
from tests.repos import fingerprint, make
from tests.test_readme import README

_BELL = "drivers/misc/bell.c"
_CODE = """\
struct bell { raw_spinlock_t lock; struct mutex big; int rings; };

static void chime(struct bell *b)
{
	lockdep_assert_held(&b->big);
	b->rings++;
}

static void strike(struct bell *b)
{
	mutex_lock(&b->big);
	chime(b);
	mutex_unlock(&b->big);
}

void ring(struct bell *b)
{
	raw_spin_lock(&b->lock);
	strike(b);
	b->rings++;
	raw_spin_unlock(&b->lock);
}
"""


@pytest.fixture
def bell(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    make(tree, {_BELL: _CODE, "lib/other.c": "static void twin(void)\n{\n}\n", "fs/twin.c": "void twin(void)\n{\n}\n"})
    return tree


def _told(tree: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    status = main(["context", *words, "--repo", str(tree)])
    captured = capsys.readouterr()
    assert (status, captured.err) == (0, "")
    return captured.out


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("kernel/fork.c:100", Target("kernel/fork.c", 100)),
        ("kernel/fork.c:copy_process", Target("kernel/fork.c", None, "copy_process")),
        ("./kernel//fork.c:7", Target("kernel/fork.c", 7)),
        ("copy_process()", Target(name="copy_process")),
    ],
)
def test_a_place_is_a_file_with_a_line_or_a_function(text: str, target: Target) -> None:
    assert target_of(text) == target


@pytest.mark.parametrize("text", ["", "kernel/fork.c", "--repo", "a b", "README:3", "fork.c:1:2"])
def test_what_is_no_place_is_a_mistake_of_usage(text: str) -> None:
    with pytest.raises(UsageError, match="FILE:LINE"):
        target_of(text)


def test_a_line_is_told_with_its_callers_and_what_they_hold(bell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = fingerprint(bell)
    told = _told(bell, capsys, f"{_BELL}:6")
    assert "Here: big b->lock pre-" in told
    assert "taken by raw_spin_lock(&b->lock), drivers/misc/bell.c:18 in ring()" in told
    assert re.search(r"strike\(\) +drivers/misc/bell\.c:19", told)
    assert re.search(r"chime\(\) +drivers/misc/bell\.c:12", told)
    assert "sleep: with the raw spinlock b->lock held [lock-sleep-in-atomic]" in told
    assert "take a local_lock_t, take a spinlock_t on PREEMPT_RT: with the raw spinlock b->lock held" in told
    assert fingerprint(bell) == before


def test_fewer_callers_are_looked_at_on_demand(bell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Here: big\n" in _told(bell, capsys, f"{_BELL}:5", "--callers", "1")
    assert "Here: nothing special is known" in _told(bell, capsys, f"{_BELL}:5", "--callers", "0")


def test_what_the_calls_below_take_demand_and_do(bell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(_told(bell, capsys, "ring", "--format", "json"))
    below = [(one["what"], one["subject"], [step["line"] for step in one["steps"]]) for one in told["below"]]
    assert ("takes", "b->lock", [18]) in below
    assert ("takes", "b->big", [19, 11]) in below
    assert ("does", "sleep", [19, 11]) in below
    told = json.loads(_told(bell, capsys, "chime", "--format", "json"))
    assert [(one["what"], one["subject"]) for one in told["below"]] == [("asserts", "b->big")]
    on_line = json.loads(_told(bell, capsys, f"{_BELL}:18", "--format", "json"))
    assert [one["subject"] for one in on_line["below"]] == ["b->lock"]


@pytest.mark.parametrize(
    ("shown", "note"), [(-1, "1 more thing that its calls do is"), (-2, "2 more things that its calls do are")]
)
def test_what_is_left_out_of_many_things_is_counted(
    bell: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shown: int, note: str
) -> None:
    below = json.loads(_told(bell, capsys, "ring", "--format", "json"))["below"]
    monkeypatch.setattr(reviewer.situation, "_MOST_BELOW", len(below) + shown)
    assert f"Note: {note} left out." in _told(bell, capsys, "ring")


def test_json_has_the_witness_of_each_context(bell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(_told(bell, capsys, f"{_BELL}:chime", "--format", "json"))
    assert (told["version"], told["function"], told["path"], told["line"]) == (1, "chime", _BELL, None)
    paragraph = README.split("`context` prints ")[1].split("\n\n")[0]
    assert {key for key in told if f"`{key}`" not in paragraph} == set()
    (way,) = told["ways"]
    assert [(step["function"], step["line"]) for step in way["witness"]] == [
        ("ring", 16),
        ("ring", 19),
        ("strike", 12),
        ("chime", 5),
    ]
    assert {mark["text"] for mark in way["marks"]} == {"big", "b->lock", "pre-"}


def test_rules_are_quoted_from_the_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree, _ = make_example(tmp_path)
    told = _told(tree, capsys, "doorbell_complete")
    assert "doorbell_interrupt() <- hard interrupt, request_irq()" in told
    assert "allocate with GFP_KERNEL: in hard interrupt context" in told
    assert "Documentation/core-api/memory-allocation.rst:12" in told


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("twin", "there are 2 functions twin(); name one by its place: fs/twin.c:1, lib/other.c:1"),
        ("nowhere", "there is none; give FILE:LINE"),
        ("drivers/misc/gone.c:3", "no such file"),
        (f"{_BELL}:2", "stands in no function"),
        (f"{_BELL}:999999", f"{_BELL} has 22 lines in "),
        (f"{_BELL}:0", "and no line 0"),
        (f"{_BELL}:gone", "there is none"),
    ],
)
def test_what_is_not_there_is_said(bell: Path, capsys: pytest.CaptureFixture[str], place: str, said: str) -> None:
    assert main(["context", place, "--repo", str(bell)]) == 3
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("cached", [True, False])
def test_a_name_is_searched_for_by_git_only_without_a_cache(
    bell: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, cached: bool
) -> None:
    searched: list[str] = []
    search = reviewer.situation._searched

    def spy(program: Program, name: str) -> Iterator[str]:
        searched.append(name)
        return search(program, name)

    monkeypatch.setattr(reviewer.situation, "_searched", spy)
    extra = () if cached else ("--no-cache",)
    found = [json.loads(_told(bell, capsys, name, "--format", "json", *extra))["line"] for name in ("ring", "chime")]
    told = [json.loads(_told(bell, capsys, name, "--format", "json", *extra))["path"] for name in ("ring", "chime")]
    assert (found, told) == ([None, None], [_BELL, _BELL])
    assert searched == ([] if cached else ["ring", "chime"] * 2)


def test_a_name_is_found_where_the_cache_cannot_be_written(
    bell: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_store: Store, _key: str, _day: int, _data: bytes) -> None:
        raise CacheError("database or disk is full")

    monkeypatch.setattr(Store, "add_finished", full)
    assert main(["context", "ring", "--repo", str(bell)]) == 0
    captured = capsys.readouterr()
    assert "ring()" in captured.out
    assert "going on without it" in captured.err


_TOWER = """\
struct tower { spinlock_t lock; raw_spinlock_t raw; };
static void toll(struct tower *t)
{
	t->rings++;
}

static void strike(struct tower *t, int how)
{
	if (how)
		spin_lock(&t->lock);
	else
		raw_spin_lock(&t->raw);
	toll(t);
	if (how)
		spin_unlock(&t->lock);
	else
		raw_spin_unlock(&t->raw);
}

static struct tower_ops ops = {
	.toll = toll,
};

void each(void)
{
	for_each_tower(toll);
}
"""


def test_a_chain_of_calls_is_told_once_and_what_may_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path, {"kernel/tower.c": _TOWER, "lib/alone.c": "void alone(void)\n{\n\tgo();\n}\n"})
    told = json.loads(_told(tmp_path, capsys, "toll", "--format", "json"))
    (way,) = (way for way in told["ways"] if way["witness"][0]["function"] == "strike")
    assert [(mark["text"], mark["always"]) for mark in way["marks"] if mark["text"] != "pre-"] == [
        ("raw", False),
        ("t->lock", False),
    ]
    assert "It is also called through pointers; who does that is known only where it is told." in told["missing"]
    assert not [sentence for sentence in told["missing"] if "looked for" in sentence]  # it is static
    text = _told(tmp_path, capsys, "toll")
    assert "Reached in 2 known contexts; there may be others\n" in text
    alone = _told(tmp_path, capsys, "alone")
    assert "Reached in no known context" in alone
    assert "its callers are not known" in alone
    assert "Callers were looked for in arch/x86, include, kernel, lib, mm, virt, and nowhere else." in alone


def test_a_rule_is_quoted_once_for_all_that_it_forbids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree, _ = make_example(tmp_path)
    told = _told(tree, capsys, "doorbell_complete")
    quotes = re.findall("\u201c[^\u201d]*\u201d", told)
    assert quotes
    assert len(quotes) == len(set(quotes))
    assert "may sleep" not in told
    assert "may may" not in told


@pytest.mark.parametrize("words", [["ring", "--callers", "-1"], ["ring", "--callers", "99"], ["a b"]])
def test_usage(bell: Path, words: list[str]) -> None:
    assert main(["context", *words, "--repo", str(bell)]) == 2


def test_a_file_is_named_from_where_one_stands(
    bell: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bell / "drivers" / "misc")
    (bell / _BELL).unlink()  # the commit has it
    for place in ("bell.c:6", "../misc/bell.c:6", f"{bell}/{_BELL}:6", f"{_BELL}:6"):
        assert main(["context", place]) == 0
        assert "chime()  drivers/misc/bell.c:6" in capsys.readouterr().out


def test_the_graph_leads_from_the_callers_to_the_locks(bell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = _told(bell, capsys, f"{_BELL}:strike", "--format", "dot")
    names = dict(re.findall(r'^  (n\d+) \[label="([^"\\]*)', graph, re.MULTILINE))
    edges = {(names[a], names[b]) for a, b in re.findall(r"^  (n\d+) -> (n\d+)", graph, re.MULTILINE)}
    assert {("ring()", "strike()"), ("strike()", "b->big")} <= edges


def test_the_graph_has_no_box_apart_and_says_what_may_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path, {"kernel/tower.c": _TOWER})
    graph = _told(tmp_path, capsys, "toll", "--format", "dot")
    boxes = set(re.findall(r"^  (n\d+) \[", graph, re.MULTILINE))
    joined = {name for edge in re.findall(r"^  (n\d+) -> (n\d+)", graph, re.MULTILINE) for name in edge}
    assert boxes == joined
    assert "It is also called through pointers" in graph
    assert "nothing special" not in graph.split("->", 1)[1]


def test_a_lock_is_told_as_it_is_written_where_only_its_member_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "struct base { raw_spinlock_t lock; int n; };\nstatic int f(int n)\n{\n\tstruct base *base = this_one(n);\n\n"
        "\traw_spin_lock(&base->lock);\n\tn = base->n;\n\traw_spin_unlock(&base->lock);\n\treturn n;\n}\n"
    )
    make(tmp_path, {"kernel/base.c": code + "int g(int n)\n{\n\treturn f(n);\n}\n"})
    told = json.loads(_told(tmp_path, capsys, "g", "--format", "json"))
    assert [one["subject"] for one in told["below"] if one["what"] == "takes"] == ["base->lock"]


_ALIASES = """\
struct hub { struct mutex lock; };
struct port { struct hub *hub; struct mutex setup; spinlock_t data; };
struct handle { void *private; };
static void port_use(struct hub *hub, struct port *port, struct handle *table)
{
	mutex_lock(&hub->lock);
	mutex_lock(&port->setup);
	mutex_unlock(&port->setup);
	mutex_unlock(&hub->lock);
	spin_lock(&port->data);
	spin_unlock(&port->data);
}
static void key_use(struct port *port)
{
	mutex_lock(&port->hub->lock);
	mutex_unlock(&port->hub->lock);
}
int f(struct handle *handle)
{
	struct port *port = handle->private;
	struct hub *hub = port->hub;
	struct port key = PORT_INIT;

	port_use(hub, port, handle);
	key_use(&key);
	return 0;
}
"""


def test_locks_are_told_from_the_variables_of_the_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path, {"kernel/port.c": _ALIASES})
    told = json.loads(_told(tmp_path, capsys, "f", "--format", "json"))
    assert {one["subject"] for one in told["below"] if one["what"] == "takes"} == {
        "hub->lock",
        "port->hub->lock",  # of key, as key_use() writes it
        "port->setup",
        "port->data",
    }


def _hostile() -> Situation:
    evil = 'x"]; n9 [URL="file:///etc/passwd"]; //\\\n\x1b[31m'
    step = Step(evil, 1, evil, evil)
    return Situation(
        "0" * 40,
        evil,
        evil,
        1,
        2,
        1,
        evil,
        2,
        None,
        (Way((), (step, step), evil),),
        (Below("takes", evil, (step, step)),),
        (),
    )


def test_no_name_leaves_its_quotes_in_the_graph() -> None:
    graph = situation_to_dot(_hostile())
    assert "\x1b" not in graph
    unquoted = re.sub(r'"(?:[^"\\]|\\.)*"', "", graph)
    assert "URL" not in unquoted
    assert unquoted.count("{") == unquoted.count("}") == 1


def test_graphviz_draws_it(bell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("dot") is None:
        pytest.skip("dot (graphviz) is not installed")
    drawing = _told(bell, capsys, f"{_BELL}:strike", "--format", "svg")
    root = ElementTree.fromstring(drawing)  # noqa: S314 - what dot has just written
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "strike()" in "".join(root.itertext())
    done = subprocess.run(
        ["dot", "-Tsvg"], input=situation_to_dot(_hostile()), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = list(ElementTree.fromstring(done.stdout).iter())  # noqa: S314
    names = {name for element in found for name in (element.tag.rpartition("}")[2], *element.attrib)}
    assert not [name for name in names if name == "a" or "href" in name]


def test_without_graphviz_it_says_how_to_get_it(
    bell: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert main(["context", "ring", "--format", "svg", "--repo", str(bell)]) == 3
    assert "install the package graphviz, or take --format dot" in capsys.readouterr().err


def test_every_run_tells_the_same_in_the_same_order(tmp_path: Path) -> None:
    make(tmp_path, {"kernel/tower.c": _TOWER})
    told = {
        subprocess.run(
            [sys.executable, "-m", "reviewer", "context", "toll", "--repo", str(tmp_path), "--format", "json"],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(told) == 1
