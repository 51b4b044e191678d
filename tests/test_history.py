# SPDX-License-Identifier: GPL-2.0-or-later
"""Ranges of commits, read as git format-patch reads them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from reviewer.errors import RepositoryError
from reviewer.model import Applied, Trailer
from reviewer.tree.history import commits_of
from reviewer.tree.overlay import Overlay
from reviewer.tree.repository import Repository
from tests.repos import fingerprint, git, git_bytes, make

LINES = "".join(f"line {number}\n" for number in range(1, 41))
MESSAGE = """\
KVM: Wake the vCPU
only once

The second wakeup is not needed: the first one has happened.

Fixes: 0123456789ab ("KVM: Wake the vCPU")
Signed-off-by: Jane Developer
 <jane@example.org>
Link: https://example.org/a:b
(cherry picked from commit 0123456789abcdef0123456789abcdef01234567)
"""


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    """A history with a merge: master is 1-2-3-M, where M merges the branch ``side`` made from 2."""
    linux = tmp_path / "linux"
    make(linux, {"a.c": LINES, "b.c": LINES}, "One")
    make(linux, {"a.c": LINES.replace("line 1\n", "")}, MESSAGE)
    git(linux, "tag", "two")
    git(linux, "checkout", "--quiet", "-b", "side")
    make(linux, {"b.c": None, "moved/b.c": LINES}, "On the side")
    git(linux, "checkout", "--quiet", "master")
    make(linux, {"a.c": LINES.upper()}, "Three")
    git(linux, "merge", "--quiet", "--no-ff", "-m", "Merge side", "side")
    return linux


@pytest.fixture
def opened(linux: Path) -> Iterator[Repository]:
    """The same, opened."""
    with closing(Repository.open(linux)) as repository:
        yield repository


def subjects(repository: Repository, revisions: str) -> list[str]:
    """The subjects of a range in order."""
    return [one.patch.subject for one in commits_of(repository, revisions)[1]]


def test_a_range_is_what_format_patch_would_write(opened: Repository, linux: Path) -> None:
    for revisions in ("two..master", "two..", "two", "two...side", "side..two", "two^..two", "side^!"):
        arguments = ["-1", "side"] if revisions == "side^!" else [revisions]
        mails = git(linux, "format-patch", "--stdout", "--no-numbered", "--subject-prefix=PATCH", *arguments)
        written = [line[17:] for line in mails.splitlines() if line.startswith("Subject: ")]
        assert [subject[:20] for subject in subjects(opened, revisions)] == [subject[:20] for subject in written]


def test_merges_are_left_out(opened: Repository) -> None:
    assert sorted(subjects(opened, "two..master")) == ["On the side", "Three"]


def test_a_commit_carries_its_words_and_trees(opened: Repository, linux: Path) -> None:
    base, (one,) = commits_of(opened, "two^..two")
    assert base.commit == git(linux, "rev-parse", "two^")
    assert base.reason == "It is the parent of the first commit of 'two^..two'."
    assert one.applied is Applied.YES
    assert one.before == git(linux, "rev-parse", "two^^{tree}")
    assert one.after == git(linux, "rev-parse", "two^{tree}")
    assert one.paths == (("a.c", "a.c"),)
    assert one.patch.number == 1
    assert one.patch.commit == git(linux, "rev-parse", "two")
    assert one.patch.subject == "KVM: Wake the vCPU only once"
    assert one.patch.description.startswith("The second wakeup is not needed")
    assert one.patch.description.endswith("01234567)")
    assert one.patch.trailers == (
        Trailer("Fixes", '0123456789ab ("KVM: Wake the vCPU")'),
        Trailer("Signed-off-by", "Jane Developer <jane@example.org>"),
        Trailer("Link", "https://example.org/a:b"),
    )
    assert one.patch.diff == git_bytes(linux, "diff", "--full-index", "two^", "two")


def test_numbers_and_trees_follow_the_order(opened: Repository) -> None:
    _, commits = commits_of(opened, "side~2..side")
    assert [one.patch.number for one in commits] == [1, 2]
    assert commits[0].after == commits[1].before
    assert commits[1].paths == (("b.c", "moved/b.c"),)


def test_the_diffs_of_a_range_apply_to_its_base(opened: Repository, tmp_path: Path) -> None:
    base, commits = commits_of(opened, "side~2..side")
    with Overlay(opened, tmp_path / "cache") as overlay:
        applied = overlay.apply([one.patch for one in commits], base)
    assert [one.after for one in applied] == [one.after for one in commits]


def test_every_kind_of_diff_comes_out_whole(tmp_path: Path) -> None:
    linux = tmp_path / "linux"
    make(linux, {"bin": bytes(range(256)), "old name.c": LINES, "gone.c": "x\n", "crlf.c": "a\r\nb\r\n"}, "One")
    forged = f"{'0' * 40}\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n"
    make(linux, {"bin": b"\0" * 50, "old name.c": None, "new name.c": LINES, "gone.c": None}, "Two")
    make(linux, {"crlf.c": "a\r\nc\r\n", "forged.c": forged, os.fsdecode(b"\xe4.c"): "x\n"}, "Three")
    (linux / "forged.c").chmod(0o755)
    make(linux, {}, "Four")
    make(linux, {}, "Five is empty")
    make(linux, {"nul.c": b"x\n" * 5000 + b"\0\n", "late.c": "no newline"}, "Six")
    with closing(Repository.open(linux)) as repository, Overlay(repository, tmp_path / "cache") as overlay:
        base, commits = commits_of(repository, "HEAD~5")
        assert [one.patch.diff == b"" for one in commits] == [False, False, False, True, False]
        changing = [one for one in commits if one.patch.diff]
        applied = overlay.apply([one.patch for one in changing], base)
        assert [one.failures for one in applied] == [()] * 4
        assert [one.after for one in applied] == [one.after for one in changing]
        assert [one.paths for one in applied] == [one.paths for one in changing]


def test_a_root_commit_is_compared_with_nothing(opened: Repository, linux: Path) -> None:
    first = git(linux, "rev-list", "--max-parents=0", "HEAD")
    base, (one,) = commits_of(opened, f"{first}^!")
    assert base.commit == first
    assert "has no parent" in base.reason
    assert one.before == git(linux, "hash-object", "-t", "tree", "/dev/null")
    assert one.paths == ((None, "a.c"), (None, "b.c"))


def test_a_range_without_commits_gives_no_patches(opened: Repository, linux: Path) -> None:
    base, commits = commits_of(opened, "HEAD")
    assert commits == ()
    assert base.commit == git(linux, "rev-parse", "HEAD")
    assert base.reason == "There is no commit in 'HEAD' other than merges."


@pytest.mark.parametrize(
    "revisions",
    ["", "nope", "nope..HEAD", "two..nope", "--all", "-1", "two HEAD", "two..\nHEAD", "..nope", "HEAD\0", "^"],
)
def test_what_is_no_range_is_refused(opened: Repository, revisions: str) -> None:
    with pytest.raises(RepositoryError, match=r"names no commit|not a range of commits"):
        commits_of(opened, revisions)


def test_hostile_messages_stay_words(tmp_path: Path) -> None:
    linux = tmp_path / "linux"
    make(linux, {"a.c": LINES})
    text = (
        b"Subject \x1b[2J\x01\x02\r\n\n--- a/x\n+++ b/x\n\xe4\xf6 %H %x00\n\nSigned-off-by: A\x01B <a@b>\nno trailer\n"
    )
    tree = git(linux, "write-tree")
    commit = git(linux, "commit-tree", tree, "-p", "HEAD", stdin=text)
    git(linux, "reset", "--quiet", "--hard", commit)
    make(linux, {"a.c": LINES.upper()}, "Next")
    with closing(Repository.open(linux)) as repository:
        _, commits = commits_of(repository, "HEAD~2")
    assert len(commits) == 2
    assert commits[0].patch.subject.startswith("Subject ")
    assert "\n" not in commits[0].patch.subject
    assert "%H %x00" in commits[0].patch.description
    assert commits[1].patch.subject == "Next"


def test_settings_of_git_log_and_diff_do_not_show(linux: Path) -> None:
    with closing(Repository.open(linux)) as repository:
        expected = commits_of(repository, "two..")
    for key, value in (
        *(("diff.noprefix", "true"), ("diff.mnemonicPrefix", "true"), ("diff.context", "0"), ("diff.renames", "false")),
        *(("color.ui", "always"), ("diff.suppressBlankEmpty", "true"), ("log.showSignature", "true")),
        *(("log.follow", "true"), ("format.pretty", "oneline"), ("core.abbrev", "4"), ("diff.orderFile", "/dev/null")),
        *(("trailer.separators", "="), ("i18n.logOutputEncoding", "latin1"), ("diff.external", "false")),
        *(("diff.algorithm", "histogram"), ("diff.interHunkContext", "9"), ("core.pager", "false")),
    ):
        git(linux, "config", key, value)
    with closing(Repository.open(linux)) as repository:
        assert commits_of(repository, "two..") == expected


def test_reading_a_range_writes_nothing(linux: Path) -> None:
    before = fingerprint(linux)
    with closing(Repository.open(linux)) as repository:
        commits_of(repository, "two..")
    assert fingerprint(linux) == before


def test_the_edge_of_a_shallow_clone_is_said_plainly(linux: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=2", "--branch=side", f"file://{linux}", "shallow")
    with closing(Repository.open(tmp_path / "shallow")) as repository:
        assert subjects(repository, "HEAD^..") == ["On the side"]
        with pytest.raises(RepositoryError, match=r"parent of commit .* not in this shallow clone.*--deepen"):
            commits_of(repository, "HEAD^^!")


def test_a_long_range_is_read_whole(tmp_path: Path) -> None:
    linux = tmp_path / "linux"
    make(linux, {"a.c": "0\n"})
    stream = b"".join(
        f"commit refs/heads/master\ncommitter J <j@example.org> {1_700_000_000 + n} +0000\n"
        f"data <<END\nCommit {n}\nEND\n{'from refs/heads/master^0' if n == 1 else ''}\n"
        f"M 100644 inline a.c\ndata <<END\n{n}\nEND\n\n".encode()
        for n in range(1, 601)
    )
    git(linux, "fast-import", "--quiet", stdin=stream)
    with closing(Repository.open(linux)) as repository:
        _, commits = commits_of(repository, "master~600..master")
    assert [one.patch.subject for one in commits] == [f"Commit {n}" for n in range(1, 601)]
    assert [f"+{n}\n".encode() in one.patch.diff for n, one in enumerate(commits, 1)] == [True] * 600
    assert all(one.after == two.before for one, two in pairwise(commits))


def test_the_import_of_a_whole_kernel_is_no_patch(kernel_tree: Callable[[str], Path], tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", "--shared", str(kernel_tree("6.12")), "linux.git")
    with (
        closing(Repository.open(tmp_path / "linux.git")) as repository,
        pytest.raises(RepositoryError, match="changes more than 64 MB"),
    ):
        commits_of(repository, "HEAD^!")
