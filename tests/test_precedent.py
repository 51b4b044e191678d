# SPDX-License-Identifier: GPL-2.0-or-later
"""Earlier fixes of the same kind, found in the user's history and cited."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from reviewer.cli import main
from reviewer.mail.draft import compose
from reviewer.model import Precedent
from reviewer.tree.log import Log
from reviewer.tree.repository import Repository
from tests import repos
from tests.test_draft import JANE, SLEEP, body, reviewed

FOLDER = "drivers/misc/example"
PATH = f"{FOLDER}/example.c"
NEAR = f"{FOLDER}/near.c"
FAR = "drivers/other/far.c"
CLEAN = (
    "struct dev { spinlock_t lock; int a; };\n\n"
    "void low(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tdev->a = 1;\n\tspin_unlock(&dev->lock);\n}\n"
)
SPLAT = '  BUG: sleeping function called from invalid context at drivers/x.c:7\n\nFixes: 123456789012 ("x")\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with the file as it is before anything happens to it."""
    repos.make(tmp_path / "tree", {PATH: CLEAN, NEAR: "int near;\n", FAR: "int far;\n"}, "misc: Begin")
    return tmp_path / "tree"


def commit(tree: Path, path: str, subject: str, more: str = "Because.\n") -> str:
    """A commit to a file that says of itself what it fixes."""
    text = (tree / path).read_text() + "\n"
    return repos.make(tree, {path: text}, f"{subject}\n\n{more}")


def found(tree: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any] | None]:
    """The precedents of what a patch brings that sleeps under the lock."""
    text = (tree / PATH).read_text().replace("\tdev->a = 1;\n", "\tmsleep(1);\n")
    repos.make(tree, {PATH: text}, "misc: Sleep")
    main(["check", "HEAD~1..", "--repo", str(tree), "--format", "json", *options])
    findings = json.loads(capsys.readouterr().out)["patches"][0]["findings"]
    return [finding["precedent"] for finding in findings if finding["change"] == "introduced"]


def test_the_newest_fix_in_the_file_is_cited(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(tree, PATH, "misc: Fix sleeping in atomic context in probe")
    last = commit(tree, PATH, "misc: Fix scheduling while atomic")
    commit(tree, NEAR, "misc: Fix sleeping in atomic context nearby")
    assert found(tree, capsys) == [{"commit": last, "subject": "misc: Fix scheduling while atomic"}]
    main(["check", "HEAD~1..", "--repo", str(tree)])
    assert f'    See commit {last[:12]} ("misc: Fix scheduling while atomic").\n' in capsys.readouterr().out


def test_without_one_in_the_file_the_folder_is_searched(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    near = commit(tree, NEAR, "misc: Do not wait in interrupts", SPLAT)
    commit(tree, FAR, "other: Fix sleeping in atomic context")
    assert found(tree, capsys) == [{"commit": near, "subject": "misc: Do not wait in interrupts"}]


@pytest.mark.parametrize(
    ("subject", "more"),
    [
        ("misc: Fix a deadlock", "Because.\n"),
        ("misc: Sleep in atomic context", "Because.\n"),
        ("misc: Count sleeps", 'This is about sleeping in atomic context.\n\nFixes: 123456789012 ("x")\n'),
        ("misc: Do not wait", SPLAT.replace("Fixes: 123456789012", "Link: x")),
        ("misc: Sleep", 'Fixes: 123456789012 ("x")\n'),
    ],
)
def test_what_is_no_fix_of_this_kind_is_not_cited(
    subject: str, more: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(tree, PATH, subject, more)
    assert found(tree, capsys) == [None]


def test_history_without_an_answer_in_time_is_noted_and_asked_again(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    last = commit(tree, PATH, "misc: Fix scheduling while atomic")
    with monkeypatch.context() as slow:
        slow.setattr(Log, "commits_to", lambda *_: None)
        assert found(tree, capsys) == [None]
        main(["check", "HEAD~1..", "--repo", str(tree)])
        assert "git gave no answer in time about earlier fixes in" in " ".join(capsys.readouterr().out.split())
    main(["check", "HEAD~1..", "--repo", str(tree), "--format", "json"])
    (finding,) = json.loads(capsys.readouterr().out)["patches"][0]["findings"]
    assert finding["precedent"]["commit"] == last


def test_what_was_found_is_kept(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    last = commit(tree, PATH, "misc: Fix scheduling while atomic")
    assert found(tree, capsys) == [{"commit": last, "subject": "misc: Fix scheduling while atomic"}]
    monkeypatch.setattr(Log, "commits_to", lambda *_: pytest.fail("asked again"))
    main(["check", "HEAD~1..", "--repo", str(tree), "--format", "json"])
    (finding,) = json.loads(capsys.readouterr().out)["patches"][0]["findings"]
    assert finding["precedent"]["commit"] == last


def test_name_with_the_signs_of_a_pattern_is_only_itself(tmp_path: Path) -> None:
    head = repos.make(tmp_path / "tree", {"drivers/a[b]*.c": "int a;\n", "drivers/ab.c": "int b;\n"}, "misc: Begin")
    repository = Repository.open(tmp_path / "tree")
    log = Log(repository, head)
    paths = ("drivers/a[b]*.c", "drivers/a*", ":/", "--all")
    assert [len(log.commits_to(path, 9) or ()) for path in paths] == [1, 0, 0, 0]
    repository.close()


def test_the_draft_cites_the_precedent_in_one_line() -> None:
    subject = "usb: gadget: Fix sleeping in atomic context in the completion handler of bulk requests"
    precedent = Precedent("0123456789abcdef0123456789abcdef01234567", subject)
    (draft,) = compose(reviewed(dataclasses.replace(SLEEP, precedent=precedent)), sender=JANE)
    assert f'See commit 0123456789ab ("{subject}").' in " ".join(body(draft).split())
    assert "See commit" not in body(compose(reviewed(SLEEP), sender=JANE)[0])
