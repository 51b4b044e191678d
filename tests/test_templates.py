# SPDX-License-Identifier: GPL-2.0-or-later
"""Templates of the user's own: found before the program's, kept in a sandbox, and named when they break."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reviewer.commands.demo import make_example
from reviewer.config import data_dir
from reviewer.errors import DraftError
from reviewer.mail.comment import comment_on
from reviewer.mail.templates import NAMES, Templates
from tests.conftest import ROOT
from tests.repos import git
from tests.test_report import FINDING


def own(folder: Path, text: str, name: str = "comment.txt.j2") -> Templates:
    (folder / name).write_text(text)
    return Templates(folder)


def test_the_names_are_those_of_the_program() -> None:
    assert sorted(NAMES) == sorted(path.name for path in data_dir("templates").glob("*.txt.j2"))


def test_own_ones_come_first_and_the_program_s_for_the_rest(tmp_path: Path) -> None:
    templates = own(tmp_path, "{{ question }}\n{{ rule }}\nCheers\n")
    assert comment_on(FINDING, templates).endswith("Cheers")
    assert "Cheers" not in comment_on(FINDING, Templates())
    values = {"attribution": "On x, y wrote:", "points": [], "base": "", "separator": "-- ", "signature": "s"}
    assert templates.render("cover.txt.j2", values).startswith("On x, y wrote:")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("one\n{% if %}\n", r"comment\.txt\.j2:2: "),
        ("one\n\n{{ nobody }}\n", r"comment\.txt\.j2:3: 'nobody' is undefined"),
        ("{{ question | shout }}\n", r"comment\.txt\.j2:1: No filter named 'shout'"),
        ("one\n{{ 1 / 0 }}\n", r"comment\.txt\.j2:2: division by zero"),
        ("{% include 'other.txt' %}\n", r"comment\.txt\.j2:1: .*other\.txt"),
        ("{{ ''.__class__.__mro__ }}\n", r"comment\.txt\.j2:1: access to attribute '__class__'"),
        ("{% for n in range(10000000) %}{% endfor %}\n", r"comment\.txt\.j2:1: Range too big"),
        ("{{ question.format_map }}{{ interleaving.append(1) }}\n", r"comment\.txt\.j2:1: "),
        ("{% include 'comment.txt.j2' %}\n", r"comment\.txt\.j2.*recursion"),
        ("{% include '../../../../etc/passwd' %}\n", r"comment\.txt\.j2:1: "),
    ],
)
def test_one_that_breaks_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DraftError, match=told) as raised:
        comment_on(FINDING, own(tmp_path, text))
    assert str(tmp_path) in str(raised.value)
    assert "mend it" in str(raised.value)


def test_a_folder_without_templates_is_no_setting(tmp_path: Path) -> None:
    with pytest.raises(DraftError, match=r"reviewer\.templateDir"):
        Templates(tmp_path / "missing")
    (tmp_path / "coment.txt.j2").write_text("x")
    with pytest.raises(DraftError, match="none of comment"):
        Templates(tmp_path)


def review(tree: Path, mail: Path) -> subprocess.CompletedProcess[str]:
    words = ("review", str(mail), "--repo", str(tree), "--offline", "--output", str(tree.parent / "drafts"))
    return subprocess.run(
        [sys.executable, "-m", "reviewer", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_drafts_are_written_in_the_user_s_words(tmp_path: Path) -> None:
    tree, mail = make_example(tmp_path / "example")
    (tmp_path / "mine").mkdir()
    git(tree, "config", "reviewer.templateDir", str(tmp_path / "mine"))
    reply = (data_dir("templates") / "reply.txt.j2").read_text()
    (tmp_path / "mine" / "reply.txt.j2").write_text(reply.replace("I have only read this", "Nur gelesen"))
    done = review(tree, mail)
    assert done.returncode == 1, done.stderr
    drafts = [path.read_text() for path in (tree.parent / "drafts").glob("*.eml")]
    assert drafts
    assert all("Nur gelesen, on top of" in text for text in drafts)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ oops }}\n", "reply.txt.j2:1: 'oops' is undefined"),
        ("Reviewed-by: Jane <jane@example.org>\n\n{{ separator }}\n{{ signature }}\n", "made that mail"),
        ("No signature.\n", "made that mail"),
    ],
)
def test_a_mail_that_cannot_be_made_is_said_and_the_findings_stay(tmp_path: Path, text: str, told: str) -> None:
    tree, mail = make_example(tmp_path / "example")
    (tmp_path / "mine").mkdir()
    git(tree, "config", "reviewer.templateDir", str(tmp_path / "mine"))
    (tmp_path / "mine" / "reply.txt.j2").write_text(text)
    done = review(tree, mail)
    assert done.returncode == 3
    assert "".join(told.split()) in "".join(done.stdout.split())
    assert "lock-gfp-blocking-in-atomic" in done.stdout
    assert not list((tree.parent / "drafts").glob("*.eml"))
