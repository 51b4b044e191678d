# SPDX-License-Identifier: GPL-2.0-or-later
"""Summaries from earlier runs: taken where they are true, computed anew where what they rest on has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from reviewer.config import data_dir
from reviewer.context.analysis import Analyser
from reviewer.context.closure import Closure, Key, Known
from reviewer.context.effects import EventKind, Summary
from reviewer.context.load import tables_digest
from reviewer.registry import load_api
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.memory_files import MemoryFiles

API = load_api(data_dir("checks"))
RULES = tables_digest(data_dir("checks"))
TREE = {
    "kernel/low.c": "void low(void)\n{\n\tmsleep(1);\n}\n",
    "kernel/middle.c": "void middle(struct box *b)\n{\n\tmutex_lock(&b->inner);\n\tb->ops->touch(b);\n\tlow();\n}\n",
    "kernel/top.c": "void top(struct box *b)\n{\n\tmiddle(b);\n}\n",
    "kernel/box.h": "struct box {\n\tstruct mutex inner;\n};\n",
}


class Run:
    """One run of the program over ``files``; ``computed`` are the functions whose summary was not kept."""

    def __init__(
        self,
        cache: Path,
        files: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        rules: str = RULES,
        earlier: dict[str, str] | None = None,
        older: Iterable[str] = TREE.values(),
    ) -> None:
        self.computed: list[str] = []
        before = Closure._settle

        def settle(closure: Closure, circle: Mapping[Key, Known]) -> None:
            self.computed += (key.name for key in circle)
            before(closure, circle)

        store = Store(cache)
        program = Program(MemoryFiles(files, older=older, earlier=earlier), store)
        analyser = Analyser(program, API)
        kept = analyser.keep(rules)
        with monkeypatch.context() as patch:
            patch.setattr(Closure, "_settle", settle)
            (top,) = program.functions("kernel/top.c", "top")
            self.summary: Summary = analyser.summary(top)
        kept.flush()
        store.close()

    @property
    def sleeps(self) -> bool:
        return EventKind.SLEEP in {effect.kind for effect in self.summary.effects.values()}


def test_second_run_computes_nothing_and_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Run(tmp_path / "c", TREE, monkeypatch)
    second = Run(tmp_path / "c", TREE, monkeypatch)
    assert sorted(first.computed) == ["low", "middle", "top"]
    assert second.computed == []
    assert list(second.summary.effects.items()) == list(first.summary.effects.items())
    assert list(second.summary.exits) == list(first.summary.exits)


@pytest.mark.parametrize("earlier", [None, TREE], ids=["by its marks", "by the trees"])
@pytest.mark.parametrize(
    ("path", "text", "computed"),
    [
        ("kernel/other.c", "static void other(void)\n{\n}\n", []),
        ("kernel/top.c", "\nvoid top(struct box *b)\n{\n\tmiddle(b);\n}\n", ["top"]),
        ("kernel/middle.c", "void middle(struct box *b)\n{\n\tlow();\n}\n", ["middle", "top"]),
        ("kernel/low.c", "void low(void)\n{\n\tschedule();\n}\n", ["low", "middle", "top"]),
        ("kernel/box.h", "struct box {\n\tspinlock_t inner;\n};\n", ["middle", "top"]),
        ("kernel/new.c", "void low(void)\n{\n}\n", ["low", "middle", "top"]),
        ("kernel/tables.c", "static const struct operations ops = {\n\t.low = other,\n};\n", []),
        ("kernel/tables.c", "static const struct operations ops = {\n\t.touch = other,\n};\n", ["middle", "top"]),
    ],
)
def test_another_tree_computes_what_changed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    text: str,
    computed: list[str],
    earlier: dict[str, str] | None,
) -> None:
    Run(tmp_path / "c", TREE, monkeypatch)
    warm = Run(tmp_path / "c", {**TREE, path: text}, monkeypatch, earlier=earlier)
    cold = Run(tmp_path / "d", {**TREE, path: text}, monkeypatch)
    assert sorted(warm.computed) == computed
    assert list(warm.summary.effects.items()) == list(cold.summary.effects.items())
    assert list(warm.summary.exits) == list(cold.summary.exits)


_FORMS = {
    "kernel/top.c": "void top(void)\n{\n\tform();\n\tother();\n}\n",
    "kernel/first.c": "void form(void)\n{\n\tmsleep(1);\n}\n",
    "kernel/second.c": "void form(void)\n{\n\tcpu_relax();\n}\n",
    "kernel/alone.c": "void other(void)\n{\n}\n",
    "kernel/Makefile": "obj-$(CONFIG_FIRST) += first.o alone.o\nobj-$(CONFIG_SECOND) += second.o\n",
    "kernel/Kconfig": 'config FIRST\n\tbool "First"\n',
}


@pytest.mark.parametrize("earlier", [None, _FORMS], ids=["by its marks", "by the trees"])
@pytest.mark.parametrize(
    ("path", "text", "computed", "sleeps"),
    [
        ("kernel/Kconfig", _FORMS["kernel/Kconfig"] + "\tdepends on !TINY\n", ["form", "top"], False),
        ("kernel/Kconfig", _FORMS["kernel/Kconfig"] + "\tdepends on MMU\n", [], True),
        ("kernel/Makefile", "ifndef CONFIG_TINY\nobj-y += first.o\nendif\nobj-y += second.o\n", ["form", "top"], False),
        ("kernel/Makefile", "obj-y += first.o second.o\nifndef CONFIG_TINY\nobj-y += alone.o\nendif\n", [], True),
    ],
)
def test_change_of_build_files_alone_that_makes_another_function_the_usual_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    text: str,
    computed: list[str],
    sleeps: bool,
    earlier: dict[str, str] | None,
) -> None:
    older = tuple(_FORMS.values())
    Run(tmp_path / "c", _FORMS, monkeypatch, older=older)
    after = {**_FORMS, path: text}
    warm = Run(tmp_path / "c", after, monkeypatch, earlier=earlier, older=older)
    cold = Run(tmp_path / "d", after, monkeypatch, older=older)
    assert (sorted(warm.computed), warm.sleeps) == (computed, sleeps)
    assert list(warm.summary.effects.items()) == list(cold.summary.effects.items())


def test_build_file_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {**_FORMS, "kernel/Kconfig": "config FIRST\n\tdepends on !TINY\n"}
    assert not Run(tmp_path / "c", before, monkeypatch, older=before.values()).sleeps
    after = {path: text for path, text in before.items() if path != "kernel/Kconfig"}
    assert Run(tmp_path / "c", after, monkeypatch, older=before.values()).sleeps


def test_the_files_of_a_tree_are_known_from_those_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Run(tmp_path / "c", TREE, monkeypatch)
    changed = {"kernel/top.c": "void top(void)\n{\n}\n", "kernel/Makefile": "obj-y += top.o\n"}
    after = {**TREE, **changed, "kernel/new.h": "\n", "kernel/notes.txt": "\n"}
    del after["kernel/low.c"]
    store = Store(tmp_path / "c")
    found = []
    for earlier in (TREE, None):
        kept = Analyser(Program(MemoryFiles(after, earlier=earlier), store), API).keep(RULES)
        assert (kept._files_from_another() is None) is (earlier is None)
        found.append(kept._all_files())
    store.close()
    assert found[0] == found[1]
    assert len(found[0].code) == 4
    assert list(found[0].builds) == ["kernel/Makefile"]


def test_what_was_computed_with_other_tables_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Run(tmp_path / "c", TREE, monkeypatch)
    assert len(Run(tmp_path / "c", TREE, monkeypatch, rules="others").computed) == 3


def test_trees_are_forgotten_and_the_one_with_most_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Run(tmp_path / "c", TREE, monkeypatch)
    for number in range(12):
        top = "\n" * number + TREE["kernel/top.c"]
        assert Run(tmp_path / "c", {**TREE, "kernel/top.c": "\n" + top}, monkeypatch).computed == ["top"]
    store = Store(tmp_path / "c")
    assert len(store.rows("select id from origin", ())) <= 6
    store.close()
    assert Run(tmp_path / "c", TREE, monkeypatch).computed == []


def test_damaged_row_is_computed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Run(tmp_path / "c", TREE, monkeypatch)
    store = Store(tmp_path / "c")
    store.write("update summary set data = x'00' where name = ?", [("top",)])
    store.close()
    again = Run(tmp_path / "c", TREE, monkeypatch)
    assert again.computed == ["top"]
    assert again.sleeps
    assert first.sleeps


def test_what_only_a_patch_has_read_is_not_kept(tmp_path: Path) -> None:
    text = "void top(void)\n{\n#ifdef CONFIG_PREEMPT_RT_OF_OLD\n\tmsleep(1);\n#else\n\tlow();\n#endif\n}\n"
    store = Store(tmp_path / "c")
    for line in (4, 6):
        program = Program(MemoryFiles({"kernel/top.c": text}), store)
        program.want({"kernel/top.c": frozenset((line,))})
        analyser = Analyser(program, API)
        kept = analyser.keep(RULES)
        readings = program.functions("kernel/top.c", "top")
        sleeps = {
            function.reading: EventKind.SLEEP in {effect.kind for effect in analyser.summary(function).effects.values()}
            for function in readings
        }
        kept.flush()
        assert len(set(sleeps.values())) == len(sleeps)
    store.close()
