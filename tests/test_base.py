# SPDX-License-Identifier: GPL-2.0-or-later
"""The commit that a series is judged on, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reviewer.errors import RepositoryError
from reviewer.model import Base, Series, ThreadKind
from reviewer.tree.base import choose_base
from reviewer.tree.repository import Repository
from tests.repos import diff, fingerprint, git, git_bytes, make, patch

LINES = "".join(f"line {number}\n" for number in range(1, 41))


class Kernel:
    """A repository with a master, two stable branches and tags."""

    def __init__(self, path: Path) -> None:
        self.path = path
        make(path, {"a.c": LINES, "b.c": LINES}, "Linux 6.1-rc1")
        git(path, "tag", "v6.1-rc1")
        make(path, {"a.c": LINES.replace("line 1\n", "6.1\n")}, "Linux 6.1")
        git(path, "tag", "-a", "-m", "6.1", "v6.1")
        git(path, "checkout", "--quiet", "-b", "linux-6.1.y")
        self.stable = make(path, {"a.c": LINES.replace("line 1\n", "6.1.1\n")}, "Linux 6.1.1")
        git(path, "tag", "v6.1.1")
        git(path, "checkout", "--quiet", "master")
        self.master = make(path, {"a.c": LINES.replace("line 1\n", "6.12\n")}, "Linux 6.12")
        git(path, "tag", "v6.12")
        self.repository = Repository.open(path)

    def commit(self, name: str) -> str:
        """The id of a commit."""
        return git(self.path, "rev-parse", f"{name}^{{commit}}")

    def edit(self, branch: str, name: str = "a.c") -> bytes:
        """A patch for a file as it is on a branch."""
        text = git(self.path, "show", f"{branch}:{name}") + "\n"
        blob = git(self.path, "rev-parse", f"{branch}:{name}")
        new = git(self.path, "hash-object", "-w", "--stdin", stdin=text.replace("line 20\n", "twenty\n").encode())
        changed = git_bytes(self.path, "diff", "--abbrev=12", blob, new)
        return changed.replace(blob.encode(), name.encode()).replace(new.encode(), name.encode())

    def choose(self, series: Series, wanted: str | None = None, branches: tuple[str, ...] = ()) -> Base:
        """Choose, and see to it that nothing is written for it."""
        before = fingerprint(self.path)
        base = choose_base(self.repository, series, wanted, branches)
        assert fingerprint(self.path) == before
        assert base.reason.endswith(".")
        return base


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """The repository, opened."""
    kernel = Kernel(tmp_path / "linux")
    with closing(kernel.repository):
        yield kernel


def series(
    *diffs: bytes, base: str | None = None, prerequisites: tuple[str, ...] = (), branches: tuple[str, ...] = ()
) -> Series:
    """A series with what matters for its base."""
    return Series(
        kind=ThreadKind.SERIES,
        message_id="x@example.org",
        subject="A series",
        revision=1,
        author=None,
        patches=tuple(patch(text, number) for number, text in enumerate(diffs, 1)),
        base_commit=base,
        prerequisites=prerequisites,
        branches=branches,
    )


def test_what_the_user_names_counts_most(kernel: Kernel) -> None:
    base = kernel.choose(series(kernel.edit("master"), base=kernel.master), wanted="linux-6.1.y")
    assert base == Base(kernel.stable, "You named it: --base linux-6.1.y.")


def test_what_the_user_names_must_exist(kernel: Kernel) -> None:
    with pytest.raises(RepositoryError, match=r"'v9\.9' names no commit"):
        kernel.choose(series(), wanted="v9.9")


def test_a_known_base_commit_is_taken(kernel: Kernel) -> None:
    assert kernel.choose(series(base=kernel.stable)) == Base(kernel.stable, "The series names it as its base-commit.")
    assert kernel.choose(series(base=kernel.stable[:12])).commit == kernel.stable


@pytest.mark.parametrize("unknown", ["1" * 40, "HEAD", "--all", "master", "linux-6.1.y", "v6.1"])
def test_an_unknown_base_commit_is_said(kernel: Kernel, unknown: str) -> None:
    base = kernel.choose(series(kernel.edit("master"), base=unknown))
    assert base.commit == kernel.master
    assert base.reason == (
        f"The base-commit of the series, {unknown[:12]}, is not in this repository. "
        "HEAD was taken: in it the file that the series changes is what the patches start from."
    )


def test_the_newest_configured_branch_that_fits_is_taken(kernel: Kernel) -> None:
    git(kernel.path, "branch", "old", "v6.1")
    chosen = kernel.choose(series(kernel.edit("linux-6.1.y")), branches=("old", "linux-6.1.y", "gone"))
    assert chosen.commit == kernel.stable
    assert chosen.reason == (
        "linux-6.1.y is the newest branch tried in which the file that the series changes is what the patches"
        " start from."
    )


def test_of_two_branches_that_fit_the_newer_is_taken(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.repos._DATE", "2024-11-02T12:00:00 +0000")
    git(kernel.path, "checkout", "--quiet", "-b", "newer", "linux-6.1.y")
    newer = make(kernel.path, {"c.c": "x\n"}, "Newer")
    git(kernel.path, "checkout", "--quiet", "master")
    for branches in (("newer", "linux-6.1.y"), ("linux-6.1.y", "newer")):
        assert kernel.choose(series(kernel.edit("linux-6.1.y")), branches=branches).commit == newer


def test_every_file_must_fit(kernel: Kernel) -> None:
    text = kernel.edit("linux-6.1.y") + kernel.edit("master", "b.c").replace(b"index ", b"index 0123")
    base = kernel.choose(series(text), branches=("linux-6.1.y",))
    assert base.commit == kernel.master
    assert base.reason == (
        "HEAD was taken, as the series names no base that is here and no branch that was tried fits."
        " In it none of the 2 changed files is what the patches start from."
    )


def test_only_the_first_patch_of_a_file_says_what_it_starts_from(kernel: Kernel) -> None:
    git(kernel.path, "checkout", "--quiet", "-b", "topic", "linux-6.1.y")
    one = make(kernel.path, {"a.c": "1\n", "n.c": "n\n"}, "One")
    two = make(kernel.path, {"a.c": "2\n", "n.c": None, "m.c": "n\n"}, "Two")
    git(kernel.path, "checkout", "--quiet", "master")
    both = series(diff(kernel.path, kernel.stable, one), diff(kernel.path, one, two))
    assert kernel.choose(both, branches=("linux-6.1.y",)).commit == kernel.stable


def test_without_any_hint_head_is_taken(kernel: Kernel) -> None:
    assert kernel.choose(series()) == Base(kernel.master, "HEAD was taken, as the series names no base that is here.")


def test_how_much_of_head_fits_is_said(kernel: Kernel) -> None:
    text = kernel.edit("linux-6.1.y") + kernel.edit("master", "b.c")
    assert kernel.choose(series(text)).reason == (
        "HEAD was taken, as the series names no base that is here."
        " In it 1 of the 2 changed files differ from what the patches start from."
    )


@pytest.mark.parametrize("word", ["6.1", "6.1.y", "linux-6.1.y", "v6.1", "stable-6.1"])
def test_a_version_in_the_subject_chooses_its_branch(kernel: Kernel, word: str) -> None:
    base = kernel.choose(series(kernel.edit("linux-6.1.y"), branches=("stable", word)))
    assert base.commit == kernel.stable
    assert base.reason.startswith("linux-6.1.y is the newest branch tried in which")


def test_a_version_in_the_subject_counts_although_files_differ(kernel: Kernel) -> None:
    base = kernel.choose(series(kernel.edit("master"), branches=("6.1",)))
    assert base.commit == kernel.stable
    assert base.reason == (
        "The subject asks for linux-6.1.y. In it the file that the series changes is not what the patches start from."
    )


def test_a_remote_branch_serves_as_well(kernel: Kernel, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--origin=stable", str(kernel.path), "clone")
    with closing(Repository.open(tmp_path / "clone")) as repository:
        base = choose_base(repository, series(branches=("6.1.y",)), None, ())
    assert base == Base(kernel.stable, "The subject asks for stable/linux-6.1.y.")


def test_without_a_branch_the_newest_tag_of_the_version_is_taken(kernel: Kernel) -> None:
    git(kernel.path, "branch", "-D", "linux-6.1.y")
    assert kernel.choose(series(branches=("6.1",))) == Base(kernel.stable, "The subject asks for v6.1.1.")
    git(kernel.path, "tag", "-d", "v6.1", "v6.1.1")
    assert kernel.choose(series(branches=("6.1",))) == Base(kernel.commit("v6.1-rc1"), "The subject asks for v6.1-rc1.")
    # 6.1 is not 6.12
    git(kernel.path, "tag", "-d", "v6.1-rc1")
    assert kernel.choose(series(branches=("6.1",))).commit == kernel.master
    assert kernel.choose(series(branches=("6.12",))) == Base(kernel.master, "The subject asks for v6.12.")


def test_the_name_of_a_branch_in_the_subject_counts_if_it_fits(kernel: Kernel) -> None:
    git(kernel.path, "branch", "kvm/next", "linux-6.1.y")
    fits = kernel.choose(series(kernel.edit("linux-6.1.y"), branches=("kvm/next",)))
    assert fits.reason.startswith("kvm/next is the newest branch tried")
    assert kernel.choose(series(kernel.edit("master"), branches=("kvm/next",))).commit == kernel.master


@pytest.mark.parametrize(
    "word", ["../x", "-h", "a b", "*", ".*", "refs/heads/*", "$(x)", "\n", "6.1.y.z", "(", "[", "6.*"]
)
def test_odd_words_in_the_subject_choose_nothing(kernel: Kernel, word: str) -> None:
    assert kernel.choose(series(kernel.edit("linux-6.1.y"), branches=(word,))).commit == kernel.master


# Prerequisites


def posted(kernel: Kernel, base: str, tip: str) -> tuple[str, ...]:
    """The prerequisites that git format-patch --base writes under a series."""
    mails = git(kernel.path, "format-patch", "--stdout", f"--base={base}", f"{tip}~1..{tip}")
    return tuple(
        f"patch-id:{line.split(' ')[1]}" for line in mails.splitlines() if line.startswith("prerequisite-patch-id: ")
    )


@pytest.fixture
def topic(kernel: Kernel) -> tuple[str, str, str]:
    """Two prerequisites on a topic branch and the patch after them, all of which HEAD does not have."""
    git(kernel.path, "checkout", "--quiet", "-b", "topic", "v6.1")
    one = make(kernel.path, {"b.c": LINES.replace("line 5\n", "five\n")}, "Prerequisite one")
    two = make(kernel.path, {"n.c": "n\n"}, "Prerequisite two")
    three = make(kernel.path, {"b.c": LINES.replace("line 5\n", "six\n")}, "The patch")
    git(kernel.path, "checkout", "--quiet", "master")
    return one, two, three


def test_the_commit_that_has_all_prerequisites_is_taken(kernel: Kernel, topic: tuple[str, str, str]) -> None:
    _, two, three = topic
    wanted = posted(kernel, "v6.1", three)
    assert len(wanted) == 2
    for base in (None, "1" * 40, kernel.commit("v6.1")):
        chosen = kernel.choose(series(base=base, prerequisites=wanted), branches=("topic",))
        assert chosen == Base(two, "It is the commit in topic that completes all 2 prerequisite patches of the series.")


def test_prerequisites_are_known_by_what_they_change(kernel: Kernel, topic: tuple[str, str, str]) -> None:
    wanted = posted(kernel, "v6.1", topic[2])
    git(kernel.path, "cherry-pick", "v6.1..topic~1")
    chosen = kernel.choose(series(prerequisites=wanted))
    assert chosen == Base(
        kernel.commit("HEAD"), "It is the commit in HEAD that completes all 2 prerequisite patches of the series."
    )


def test_missing_prerequisites_are_said(kernel: Kernel, topic: tuple[str, str, str]) -> None:
    wanted = posted(kernel, "v6.1", topic[2])
    git(kernel.path, "cherry-pick", topic[0])
    v61 = kernel.commit("v6.1")
    assert kernel.choose(series(base=v61, prerequisites=wanted)) == Base(
        v61, "The series names it as its base-commit. Not all of its 2 prerequisite patches were found on top of it."
    )
    assert kernel.choose(series(base=v61, prerequisites=wanted[1:])) == Base(
        v61, "The series names it as its base-commit. Its prerequisite patch was not found on top of it."
    )


def test_prerequisites_of_other_kinds_are_left_alone(kernel: Kernel) -> None:
    odd = ("message-id:x@example.org", "change-id:1234", "patch-id:--all", "patch-id:", "")
    assert kernel.choose(series(prerequisites=odd)).commit == kernel.master


def test_prerequisites_are_not_sought_in_a_whole_imported_kernel(
    kernel_tree: Callable[[str], Path], tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", "--shared", str(kernel_tree("6.12")), "linux.git")
    with closing(Repository.open(tmp_path / "linux.git")) as repository:
        chosen = choose_base(repository, series(prerequisites=("patch-id:" + "1" * 40,)), None, ())
    assert chosen.reason.startswith("HEAD was taken")


def test_a_repository_without_commits_has_no_base(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with closing(Repository.open(tmp_path)) as repository, pytest.raises(RepositoryError, match="no commit yet"):
        choose_base(repository, series(), None, ())
