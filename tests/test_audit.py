# SPDX-License-Identifier: GPL-2.0-or-later
"""``check --all``: what is wrong in files as they stand, as a shell sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reviewer.audit import Auditor
from reviewer.cli import main
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests import repos
from tests.memory_files import MemoryFiles

_LOCKED = (
    "struct dev { spinlock_t lock; };\n"
    "static void low(struct dev *dev)\n{\n\tmsleep(1);\n}\n\n"
    "void high(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tlow(dev);\n\tspin_unlock(&dev->lock);\n}\n"
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two files with a mistake each and one without; HEAD has the mistake of the second mended."""
    where = tmp_path / "tree"
    files = {
        "drivers/a/one.c": _LOCKED,
        "drivers/b/two.c": _LOCKED.replace("high", "top"),
        "drivers/b/fine.c": "int x;\n",
        "drivers/b/notes.txt": "msleep",
    }
    repos.make(where, files)
    repos.make(where, {"drivers/b/two.c": _LOCKED.replace("high", "top").replace("\tmsleep(1);\n", "")})
    return where


def _audit(tree: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(["check", *words, "--repo", str(tree)])
    return status, capsys.readouterr().out


def test_all_findings_of_a_folder_as_data(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = _audit(tree, capsys, "--all", "drivers/", "--format", "json")
    audit = json.loads(said)
    assert status == 1
    assert (audit["files"], audit["functions"], audit["errors"]) == (3, 4, [])
    assert audit["commit"] == repos.git(tree, "rev-parse", "HEAD")
    (finding,) = audit["findings"]
    assert (finding["path"], finding["line"], finding["function"]) == ("drivers/a/one.c", 10, "high")
    assert finding["change"] == "pre-existing"
    assert [step["text"] for step in finding["witness"]][-1] == "msleep()"


def test_all_findings_of_an_older_revision_as_text(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = _audit(tree, capsys, "HEAD~1", "--all", "drivers/b", "drivers/a/one.c")
    assert status == 1
    assert said.index("drivers/a/one.c:10 high() bug") < said.index("drivers/b/two.c:10 top() bug")
    assert said.rstrip().endswith("2 bugs in 4 functions of 3 files.")


def test_a_guard_is_named_with_its_lock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "guarded"
    body = "void take(struct dev *dev)\n{\n\tguard(preempt)();\n\tguard(spinlock)(&dev->lock);\n}\n"
    repos.make(where, {"drivers/a/one.c": "struct dev { spinlock_t lock; };\n" + body})
    _, said = _audit(where, capsys, "--all", "drivers/a")
    assert "guard(spinlock)(&dev->lock) is called with preemption disabled" in " ".join(said.split())


def test_a_call_that_frees_cites_what_is_said_of_freeing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "freed"
    rules = (
        "Memory allocation\n-----------------\n\nSleeping locks cannot be acquired when preemption is disabled.\n\n"
        "This applies to memory deallocation routines too.\n"
    )
    body = "void drop(void *p)\n{\n\tpreempt_disable();\n\t%s;\n\tpreempt_enable();\n}\n"
    document = "Documentation/core-api/real-time/differences.rst"
    repos.make(where, {document: rules, "a/one.c": body % "kfree(p)", "b/two.c": body % "use(kmalloc(8, GFP_ATOMIC))"})
    assert "“This applies to memory deallocation routines too.”" in _audit(where, capsys, "--all", "a")[1]
    assert "“Sleeping locks cannot be acquired when preemption" in _audit(where, capsys, "--all", "b")[1]


def test_a_rule_is_quoted_once_and_the_files_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "many"
    rules = "Memory allocation\n-----------------\n\nThis applies to memory deallocation routines too.\n"
    body = "void drop%d(void *p)\n{\n\tpreempt_disable();\n\tkfree(p);\n\tpreempt_enable();\n}\n"
    document = "Documentation/core-api/real-time/differences.rst"
    code = {"a/few.c": body % 0, "a/many.c": "".join(body % number for number in range(1, 12))}
    repos.make(where, {document: rules, **code})
    said = _audit(where, capsys, "--all", "a")[1]
    assert said.count("“This applies to memory deallocation routines too.”") == 1
    assert said.count(f"      {document}:4, Memory allocation (quoted above)\n") == 11
    last = said.splitlines()
    assert last[-4:-1] == ["   11  a/many.c  (11 bugs)", "    1  a/few.c  (1 bug)", ""]
    assert "(1 bug)" not in _audit(where, capsys, "--all", "a/few.c")[1]


def test_files_of_which_none_is_code(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--repo", str(tree), "--all", "drivers/b/notes.txt"]) == 2
    assert "there is no C file in 'drivers/b/notes.txt': name .c and .h files" in capsys.readouterr().err
    assert _audit(tree, capsys, "--all", "drivers/b/notes.txt", "drivers/b/fine.c")[0] == 0


def test_folder_without_findings(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = _audit(tree, capsys, "--all", "drivers/b")
    assert (status, said.splitlines()[-1]) == (0, "Nothing found in 2 functions of 2 files.")


@pytest.mark.parametrize(
    ("path", "files"), [("one.c", 1), ("../b", 2), (".", 1), ("drivers/b", 2), ("{top}/drivers/b/two.c", 1)]
)
def test_paths_are_those_that_a_shell_completes_else_those_of_the_tree(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, path: str, files: int
) -> None:
    monkeypatch.chdir(tree / "drivers" / "a")
    main(["check", "--all", path.format(top=tree), "--format", "json"])
    assert json.loads(capsys.readouterr().out)["files"] == files


def test_a_path_that_is_not_in_the_work_tree(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "drivers" / "a" / "one.c").unlink()
    monkeypatch.chdir(tree / "drivers" / "a")
    assert main(["check", "--all", "one.c"]) == 1
    assert "1 bug in" in capsys.readouterr().out


def test_the_whole_tree(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = _audit(tree, capsys, "--all", ".", "--format", "json")
    assert (status, json.loads(said)["files"]) == (1, 3)


def test_a_check_that_is_not_asked_for_says_nothing(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _audit(tree, capsys, "--all", "drivers", "--checks", "rcu-*")[0] == 0


@pytest.mark.parametrize("path", ["drivers/c", "../tree", "/etc", ""])
def test_a_path_that_the_tree_does_not_have(tree: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    assert main(["check", "--repo", str(tree), "--all", "drivers/a", path]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert f"looked for {path!r} in HEAD" in said.err


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("drivers/old/b", "drivers/b"),
        ("drivers/b/sub/two.c", "drivers/b/two.c"),
        ("drivers/b/tow.c", "drivers/b/two.c"),
        ("lib/zlib_deflate", ""),
    ],
)
def test_a_path_that_has_moved_or_is_misspelt(
    tree: Path, capsys: pytest.CaptureFixture[str], path: str, meant: str
) -> None:
    assert main(["check", "--repo", str(tree), "--all", path]) == 3
    said = capsys.readouterr().err
    assert said.endswith(f"; did you mean {meant}?\n" if meant else "to the top of the tree\n")


def test_neither_a_range_nor_paths(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--repo", str(tree)]) == 2
    assert "looked for a range of commits, or --all" in capsys.readouterr().err


@pytest.mark.parametrize("form", [("--html", "page.html"), ("--format", "diff")])
def test_forms_that_want_a_patch(
    tree: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    form: tuple[str, str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--all", "drivers", "--repo", str(tree), *form]) == 2
    assert "--all compares nothing" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_a_form_that_is_set_for_patches_leaves_audits_as_text(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repos.git(tree, "config", "reviewer.format", "diff")
    status, said = _audit(tree, capsys, "--all", "drivers/b")
    assert (status, "no finding" in said.lower() or "nothing" in said.lower()) == (0, True)


def test_files_that_were_judged_are_not_judged_again(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _audit(tree, capsys, "--all", "drivers/a", "--format", "json")
    judged: list[str] = []
    before = Auditor._audited

    def noting(auditor: Auditor, path: str) -> object:
        judged.append(path)
        return before(auditor, path)

    monkeypatch.setattr(Auditor, "_audited", noting)
    assert _audit(tree, capsys, "--all", "drivers/a", "--format", "json") == first
    assert judged == []
    status, said = _audit(tree, capsys, "--all", "drivers", "--format", "json")
    assert judged == ["drivers/b/fine.c", "drivers/b/two.c"]
    assert (status, json.loads(said)["functions"]) == (1, 4)
    _audit(tree, capsys, "--all", "drivers/a", "--checks", "rcu-*")
    assert judged[2:] == ["drivers/a/one.c"]
    _audit(tree, capsys, "HEAD~1", "--all", "drivers/a")
    assert judged[3:] == ["drivers/a/one.c"]


def test_few_syntax_trees_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewer.source.sourcefiles._PARSED_KEPT", 1000)
    text = "".join(f"static void f{number}(void)\n{{\n}}\n" for number in range(3))
    files = {f"drivers/example/file{number}.c": text for number in range(80)}
    program = Program(MemoryFiles(files), Store(None))
    for path in files:
        assert program.functions(path)
    assert 1 < len(program._parsed) < len(files) / 2
    assert [function.name for function in program.functions("drivers/example/file0.c")] == ["f0", "f1", "f2"]


def test_names_are_searched_for_at_once() -> None:
    class Counting(MemoryFiles):
        searches = 0

        def mentioning(self, words: frozenset[str], folders: object) -> dict[str, tuple[str, ...]]:
            self.searches += 1
            return super().mentioning(words, folders)  # type: ignore[arg-type]

    text = "".join(f"void f{number}(void)\n{{\n}}\n" for number in range(9))
    files = Counting({"drivers/example/a.c": text, "drivers/example/b.c": "void g(void)\n{\n\tf3();\n}\n"})
    program = Program(files, Store(None))
    program.expect(["drivers/example/a.c", "drivers/example/b.c"])
    searches = files.searches
    found = {function.name: program.mentioning(function) for function in program.functions("drivers/example/a.c")}
    assert found["f3"] == ("drivers/example/a.c", "drivers/example/b.c")
    assert found["f4"] == ("drivers/example/a.c",)
    assert files.searches == searches


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("preempt_disable()", "preempt_enable()"),
        ("local_irq_disable()", "local_irq_enable()"),
        ("local_bh_disable()", "local_bh_enable()"),
        ("lockdep_assert_irqs_disabled()", "other()"),
    ],
)
def test_the_line_that_disables_leads_the_chain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], begin: str, end: str
) -> None:
    where = tmp_path / "disabled"
    repos.make(where, {"a/one.c": f"void wait(void)\n{{\n\tcount++;\n\t{begin};\n\tmsleep(1);\n\t{end};\n}}\n"})
    (finding,) = json.loads(_audit(where, capsys, "--all", "a", "--format", "json")[1])["findings"]
    first, last = finding["witness"]
    assert (first["line"], last["line"], last["text"]) == (4, 5, "msleep()")
    assert first["text"].startswith(f"{begin} <- ")
    assert first["text"].endswith(" disabled")


def test_what_is_disabled_anew_is_shown_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "again"
    body = "\tpreempt_disable();\n\tpreempt_enable();\n\tmsleep(1);\n\tpreempt_disable();\n\tmsleep(2);\n"
    repos.make(where, {"a/one.c": f"void wait(void)\n{{\n{body}\tpreempt_enable();\n}}\n"})
    (finding,) = json.loads(_audit(where, capsys, "--all", "a", "--format", "json")[1])["findings"]
    assert [step["line"] for step in finding["witness"]] == [6, 7]


@pytest.mark.parametrize(
    ("begin", "cited"), [("local_irq_disable()", "This breaks"), ("preempt_disable()", "Sleeping locks can only be")]
)
def test_the_sentence_fits_what_is_disabled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], begin: str, cited: str
) -> None:
    where = tmp_path / "cited"
    rules = (
        "Sleeping locks\n--------------\n\nSleeping locks can only be acquired in preemptible task context.\n\n"
        "spinlock_t and rwlock_t\n-----------------------\n\n   local_irq_disable();\n   spin_lock(&lock);\n\n"
        "This breaks: on PREEMPT_RT kernel this code sequence breaks because RT-mutex requires it.\n"
    )
    body = f"void take(struct dev *dev)\n{{\n\t{begin};\n\tspin_lock(&dev->lock);\n}}\n"
    code = "struct dev { spinlock_t lock; };\n" + body
    repos.make(where, {"Documentation/locking/locktypes.rst": rules, "a/one.c": code})
    found = json.loads(_audit(where, capsys, "--all", "a", "--format", "json")[1])["findings"]
    (finding,) = [f for f in found if f["check"] == "rt-spinlock-preempt-irq-off"]
    assert finding["citations"][0]["quote"].startswith(cited)
