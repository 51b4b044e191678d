# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches applied beside the repository: what git applies, what it refuses and why, and that nothing else changes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from reviewer.errors import RepositoryError
from reviewer.mail.fetch import fetch
from reviewer.mail.series import series_of
from reviewer.model import Applied, AppliedPatch, Base, FailureKind, Patch
from reviewer.tree.overlay import Overlay
from reviewer.tree.repository import Repository
from tests.repos import diff, fingerprint, git, git_bytes, make, patch

LINES = "".join(f"line {number}\n" for number in range(1, 41))


class Bench:
    """A repository with a cache folder beside it, and the shortest way to apply something to it."""

    def __init__(self, folder: Path) -> None:
        self.linux = folder / "linux"
        self.cache = folder / "cache"

    def apply(self, patches: Sequence[Patch], base: str, *, three_way: bool = True) -> tuple[AppliedPatch, ...]:
        """Apply a series; whatever comes of it, the repository is the same afterwards and nothing is left over."""
        before = fingerprint(self.linux)
        with (
            closing(Repository.open(self.linux)) as repository,
            Overlay(repository, self.cache, three_way=three_way) as overlay,
        ):
            applied = overlay.apply(patches, Base(base, ""))
            for one in applied:
                # every tree can be read whole
                overlay.snapshot(one.after, base).blobs()
        assert fingerprint(self.linux) == before
        assert os.listdir(self.cache / "overlays") == [".lock"]
        return applied

    def one(self, text: bytes | str, base: str, *, three_way: bool = True) -> AppliedPatch:
        """Apply one patch."""
        return self.apply([patch(text)], base, three_way=three_way)[0]

    def tree(self, commit: str) -> str:
        """The tree of a commit, as git says."""
        return git(self.linux, "rev-parse", f"{commit}^{{tree}}")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A place to apply patches in."""
    return Bench(tmp_path)


# What applies


CHANGES: dict[str, tuple[dict[str, bytes | str | None], dict[str, bytes | str | None]]] = {
    "edit": ({"a/b/c.c": LINES}, {"a/b/c.c": LINES.replace("line 7\n", "seven\n")}),
    "new file in a new folder": ({"a/b.c": "x\n"}, {"c/d/e.c": "y\n"}),
    "deleted file": ({"a/b.c": "x\n", "a/c.c": "y\n"}, {"a/b.c": None}),
    "last file of its folders deleted": ({"a/b/c/d.c": "x\n", "z.c": "y\n"}, {"a/b/c/d.c": None}),
    "last file deleted": ({"a.c": "x\n"}, {"a.c": None}),
    "empty file": ({"a.c": "x\n"}, {"b.c": ""}),
    "empty file deleted": ({"a.c": "x\n", "b.c": ""}, {"b.c": None}),
    "rename with a change": ({"a/b.c": LINES}, {"a/b.c": None, "d/e.c": LINES.replace("line 7\n", "seven\n")}),
    "pure rename": ({"a/b.c": LINES}, {"a/b.c": None, "d/e.c": LINES}),
    "two files change names": ({"a.c": LINES, "b.c": LINES.upper()}, {"a.c": LINES.upper(), "b.c": LINES}),
    "no newline at the end": ({"a.c": "x\ny"}, {"a.c": "x\nz"}),
    "newline at the end added": ({"a.c": "x\ny"}, {"a.c": "x\ny\n"}),
    "binary": ({"fw.bin": bytes(range(256))}, {"fw.bin": bytes(reversed(range(256))), "new.bin": b"\0\1\2"}),
    "CRLF file": ({"a.c": LINES.replace("\n", "\r\n")}, {"a.c": LINES.replace("\n", "\r\n").replace("line 7", "7")}),
    "CR inside lines": ({"a.c": "x\ry\nz\n"}, {"a.c": "x\ry\nzz\n"}),
    "file becomes a folder": ({"a": "x\n", "z": "z\n"}, {"a": None, "a/b": "x\n"}),
    "folder becomes a file": ({"a/b": "x\n", "z": "z\n"}, {"a/b": None, "a": "x\n"}),
    "bytes that are no UTF-8": ({"a.c": b"\xe4\xf6\nx\n"}, {"a.c": b"\xe4\xf6\n\xfc\n"}),
    "looks like a header": ({"a.c": "x\n-- a/other.c\n+y\n"}, {"a.c": "x\n++ b/other.c\n+y\n"}),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_every_kind_of_change_gives_gits_own_tree(bench: Bench, kind: str) -> None:
    before, after = CHANGES[kind]
    old = make(bench.linux, before)
    for name, content in after.items():
        # a name that becomes a folder must go first
        if content is None and (bench.linux / name).exists():
            (bench.linux / name).unlink()
            folder = (bench.linux / name).parent
            if folder != bench.linux and not any(folder.iterdir()):
                folder.rmdir()
    new = make(bench.linux, {name: content for name, content in after.items() if content is not None}, "Second")
    applied = bench.one(diff(bench.linux, old, new), old)
    assert applied.failures == ()
    assert applied.applied is Applied.YES
    assert (applied.before, applied.after) == (bench.tree(old), bench.tree(new))


ODD = [
    "with space.c",
    " leading.c",
    "trailing ",
    'quote".c',
    "back\\slash.c",
    "-dash.c",
    "tab\t.c",
    "line\nbreak.c",
    "naïve.c",
    os.fsdecode(b"latin\xe4.c"),
    "a:b.c",
    "a/b/a b",
    "...",
    ".gitignore",
    "dir with space/b/dir with space",
]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_apply(bench: Bench, name: str) -> None:
    one = make(bench.linux, {"plain.c": "x\n", name: LINES})
    two = make(bench.linux, {name: LINES.replace("line 7\n", "seven\n")}, "Changed")
    (bench.linux / name).chmod(0o755)
    three = make(bench.linux, {}, "Mode")
    four = make(bench.linux, {name: None, f"new/{name}": LINES.replace("line 7\n", "seven\n")}, "Renamed")
    five = make(bench.linux, {f"new/{name}": None}, "Gone")
    commits = [one, two, three, four, five]
    texts = [diff(bench.linux, old, new) for old, new in pairwise(commits)]
    applied = bench.apply([patch(text, number) for number, text in enumerate(texts, 1)], one)
    assert [one.failures for one in applied] == [()] * 4
    assert [one.after for one in applied] == [bench.tree(commit) for commit in commits[1:]]
    assert [one.paths for one in applied] == [
        ((name, name),),
        ((name, name),),
        ((name, f"new/{name}"),),
        ((f"new/{name}", None),),
    ]


def test_modes_and_links_apply(bench: Bench) -> None:
    old = make(bench.linux, {"script": "#!/bin/sh\n", "real.c": "x\n"})
    (bench.linux / "script").chmod(0o755)
    (bench.linux / "link.c").symlink_to("real.c")
    middle = make(bench.linux, {}, "Mode and link")
    (bench.linux / "link.c").unlink()
    new = make(bench.linux, {"link.c": "a file now\n"}, "Link to file")
    applied = bench.apply([patch(diff(bench.linux, old, middle)), patch(diff(bench.linux, middle, new), 2)], old)
    assert [one.after for one in applied] == [bench.tree(middle), bench.tree(new)]


def test_a_copy_applies_with_its_source_untouched(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES})
    new = make(bench.linux, {"b.c": LINES}, "Copy")
    applied = bench.one(diff(bench.linux, old, new, "-C", "--find-copies-harder"), old)
    assert applied.after == bench.tree(new)
    assert applied.paths == (("a.c", "b.c"),)


def test_a_series_is_judged_patch_by_patch(bench: Bench) -> None:
    commits = [make(bench.linux, {"a/b.c": LINES, "z/z.c": "z\n"})]
    commits.append(make(bench.linux, {"n/new.c": "int a;\n"}, "Adds"))
    commits.append(make(bench.linux, {"n/new.c": "int b;\n", "a/b.c": LINES.replace("line 1\n", "")}, "Edits"))
    commits.append(make(bench.linux, {"n/new.c": None, "m/moved.c": "int b;\n"}, "Moves"))
    patches = [patch(diff(bench.linux, old, new), number) for number, (old, new) in enumerate(pairwise(commits), 1)]
    applied = bench.apply(patches, commits[0])
    assert [one.before for one in applied] == [bench.tree(commit) for commit in commits[:-1]]
    assert [one.after for one in applied] == [bench.tree(commit) for commit in commits[1:]]
    assert [one.patch.number for one in applied] == [1, 2, 3]


def test_a_patch_without_git_headers_applies(bench: Bench) -> None:
    old = make(bench.linux, {"kernel/a.c": "x\n", "kernel/gone.c": "y\n"})
    text = (
        "diff -urN linux.orig/kernel/a.c linux/kernel/a.c\n"
        "--- linux.orig/kernel/a.c\t2024-11-01 12:00:00.000000000 +0000\n"
        "+++ linux/kernel/a.c\t2024-11-01 12:00:01.000000000 +0000\n@@ -1 +1 @@\n-x\n+xx\n"
        "--- linux.orig/kernel/gone.c\t2024-11-01 12:00:00.000000000 +0000\n"
        "+++ /dev/null\t1970-01-01 00:00:00.000000000 +0000\n@@ -1 +0,0 @@\n-y\n"
    )
    applied = bench.one(text, old)
    new = make(bench.linux, {"kernel/a.c": "xx\n", "kernel/gone.c": None}, "Second")
    assert applied.after == bench.tree(new)
    assert applied.paths == (("kernel/a.c", "kernel/a.c"), ("kernel/gone.c", None))


def test_a_patch_made_with_no_prefix_applies(bench: Bench) -> None:
    old = make(bench.linux, {"kernel/sched/core.c": LINES})
    new = make(bench.linux, {"kernel/sched/core.c": LINES.upper(), "kernel/new.c": "x\n"}, "Second")
    applied = bench.one(diff(bench.linux, old, new, "--no-prefix"), old)
    assert applied.after == bench.tree(new)
    assert applied.paths == ((None, "kernel/new.c"), ("kernel/sched/core.c", "kernel/sched/core.c"))
    only_new = make(bench.linux, {"kernel/newer.c": "x\n"}, "Third")
    assert bench.one(diff(bench.linux, new, only_new, "--no-prefix"), new).after == bench.tree(only_new)


def test_a_mails_signature_after_the_diff_is_no_part_of_it(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES})
    new = make(bench.linux, {"a.c": LINES.upper()}, "Second")
    applied = bench.one(diff(bench.linux, old, new) + b"-- \n2.39.5\n\n", old)
    assert applied.after == bench.tree(new)


def test_a_file_with_other_line_numbers_applies(bench: Bench) -> None:
    first = make(bench.linux, {"a.c": LINES})
    second = make(bench.linux, {"a.c": LINES.replace("line 30\n", "thirty\n")}, "Second")
    moved = make(bench.linux, {"a.c": "new\n" * 100 + LINES}, "Moved")
    wanted = make(bench.linux, {"a.c": "new\n" * 100 + LINES.replace("line 30\n", "thirty\n")}, "Wanted")
    assert bench.one(diff(bench.linux, first, second), moved).after == bench.tree(wanted)


def test_line_ends_that_mail_has_taken_away_are_given_back(bench: Bench) -> None:
    dos = LINES.replace("\n", "\r\n")
    old = make(bench.linux, {"a.inf": dos, "b.c": LINES})
    new = make(bench.linux, {"a.inf": dos.replace("line 7\r", "seven\r"), "b.c": LINES.upper(), "c.c": "x\n"}, "Second")
    applied = bench.one(diff(bench.linux, old, new).replace(b"\r", b""), old)
    assert (applied.applied, applied.after) == (Applied.YES, bench.tree(new))


def test_line_ends_that_mail_has_added_are_taken_off(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES, "b.c": "x\ny"})
    new = make(bench.linux, {"a.c": LINES.replace("line 7\n", "seven\n"), "b.c": "x\nz", "c.c": "x\n"}, "Second")
    applied = bench.one(diff(bench.linux, old, new).replace(b"\n", b"\r\n"), old)
    assert (applied.applied, applied.after) == (Applied.YES, bench.tree(new))


def test_white_space_errors_are_no_reason_to_refuse(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES})
    new = make(bench.linux, {"a.c": LINES + "trailing \n \t mixed\n\n\n"}, "Second")
    git(bench.linux, "config", "apply.whitespace", "error-all")
    git(bench.linux, "config", "core.whitespace", "trailing-space,space-before-tab")
    assert bench.one(diff(bench.linux, old, new), old).after == bench.tree(new)


def test_attributes_of_the_tree_do_not_change_what_is_applied(bench: Bench) -> None:
    attributes = "* text eol=crlf whitespace=trailing-space ident\n*.c merge=ours -diff\n"
    old = make(bench.linux, {"a.c": LINES, ".gitattributes": ""})
    new = make(bench.linux, {"a.c": LINES.upper()}, "Second")
    text = diff(bench.linux, old, new)
    (bench.linux / ".git" / "info").mkdir(exist_ok=True)
    (bench.linux / ".git" / "info" / "attributes").write_text(attributes)
    git(bench.linux, "config", "core.autocrlf", "true")
    assert bench.one(text, old).after == bench.tree(new)


@pytest.mark.parametrize("shape", ["bare", "linked", "shallow", "borrowing"])
def test_every_shape_of_repository_can_be_applied_to(bench: Bench, tmp_path: Path, shape: str) -> None:
    make(bench.linux, {"zero": ""})
    old = make(bench.linux, {"a/a.c": LINES}, "First")
    new = make(bench.linux, {"a/a.c": LINES.upper(), "b.c": "x\n"}, "Second")
    text, wanted = diff(bench.linux, old, new), bench.tree(new)
    git(bench.linux, "reset", "--quiet", "--hard", old)
    other = tmp_path / "other"
    if shape == "linked":
        git(bench.linux, "worktree", "add", "--quiet", "--detach", str(other), old)
    else:
        options = {"bare": ["--bare"], "shallow": ["--depth=1"], "borrowing": ["--shared"]}[shape]
        git(tmp_path, "clone", "--quiet", *options, f"file://{bench.linux}" if shape == "shallow" else "linux", "other")
    files = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    with closing(Repository.open(other)) as repository, Overlay(repository, tmp_path / "cache") as overlay:
        (applied,) = overlay.apply([patch(text)], Base(old, ""))
        assert (applied.applied, applied.after) == (Applied.YES, wanted)
    left = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    assert left == {**files, tmp_path / "cache" / "overlays" / ".lock": b""}


# What git refuses


def test_a_file_that_is_not_there_is_named(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES, "gone/b.c": LINES})
    new = make(bench.linux, {"a.c": LINES.upper(), "gone/b.c": LINES.upper()}, "Second")
    base = make(bench.linux, {"a.c": LINES, "gone/b.c": None}, "Without")
    applied = bench.one(diff(bench.linux, old, new), base)
    assert (applied.applied, applied.after) == (Applied.NO, applied.before)
    (failure,) = applied.failures
    assert (failure.kind, failure.path, failure.line) == (FailureKind.MISSING_FILE, "gone/b.c", None)
    assert failure.detail == "gone/b.c does not exist in this tree"


def test_a_rename_of_a_file_that_is_not_there_is_named(bench: Bench) -> None:
    base = make(bench.linux, {"a.c": LINES})
    text = "diff --git a/old.c b/new.c\nsimilarity index 100%\nrename from old.c\nrename to new.c\n"
    (failure,) = bench.one(text, base).failures
    assert (failure.kind, failure.path) == (FailureKind.MISSING_FILE, "old.c")


def test_context_that_differs_is_shown_with_its_line(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES})
    new = make(bench.linux, {"a.c": LINES.replace("line 20\n", "twenty\n")}, "Second")
    base = make(bench.linux, {"a.c": "top\n\n" + LINES.replace("line 22\n", "other\n")}, "Base")
    applied = bench.one(diff(bench.linux, old, new), base, three_way=False)
    (failure,) = applied.failures
    assert (failure.kind, failure.path, failure.line) == (FailureKind.CONTEXT, "a.c", 24)
    assert failure.detail == 'the hunk at line 17 expects "line 22" at line 24, the file has "other"'


def test_context_of_which_nothing_is_there_is_given_gits_line(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES})
    new = make(bench.linux, {"a.c": LINES.replace("line 20\n", "twenty\n")}, "Second")
    base = make(bench.linux, {"a.c": "something else\n"}, "Base")
    (failure,) = bench.one(diff(bench.linux, old, new), base, three_way=False).failures
    assert (failure.kind, failure.line) == (FailureKind.CONTEXT, 17)


def test_each_file_that_fails_is_listed(bench: Bench) -> None:
    files = dict.fromkeys(("a.c", "b.c", "c.c"), LINES)
    old = make(bench.linux, files)
    new = make(bench.linux, {name: text.upper() for name, text in files.items()}, "Second")
    base = make(bench.linux, {"a.c": "1\n", "b.c": None, "c.c": LINES}, "Base")
    failed = bench.one(diff(bench.linux, old, new), base, three_way=False).failures
    assert [(f.kind, f.path) for f in failed] == [(FailureKind.CONTEXT, "a.c"), (FailureKind.MISSING_FILE, "b.c")]


def test_control_characters_of_the_tree_do_not_get_into_messages(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": "one\ntwo\x1b[2J\nthree\nfour\n"})
    new = make(bench.linux, {"a.c": "one\ntwo\x1b[2J\nthree\n4\n"}, "Second")
    base = make(bench.linux, {"a.c": "one\ntwo\x1b]0;x\x07\nthree\nfour\n"}, "Base")
    (failure,) = bench.one(diff(bench.linux, old, new), base, three_way=False).failures
    assert failure.kind is FailureKind.CONTEXT
    assert failure.detail.isprintable()


def test_an_applied_patch_is_recognised(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES, "b.c": "x\n"})
    new = make(bench.linux, {"a.c": LINES.replace("line 7\n", "seven\n"), "c.c": "x\n", "b.c": None}, "Second")
    for three_way in (True, False):
        applied = bench.one(diff(bench.linux, old, new), new, three_way=three_way)
        (failure,) = applied.failures
        assert (applied.applied, failure.kind) == (Applied.NO, FailureKind.ALREADY_APPLIED)
        assert failure.detail == "the tree already holds what the patch changes in a.c, c.c"
        assert applied.after == applied.before


def test_an_applied_patch_is_recognised_although_the_lines_around_it_changed(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES})
    new = make(bench.linux, {"a.c": LINES.replace("line 7\n", "seven\n")}, "Second")
    base = make(bench.linux, {"a.c": LINES.replace("line 7\n", "seven\n").replace("line 10\n", "ten\n")}, "Third")
    applied = bench.one(diff(bench.linux, old, new), base)
    assert [f.kind for f in applied.failures] == [FailureKind.ALREADY_APPLIED]


def test_a_file_that_exists_with_other_content_is_not_overwritten(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": "x\n"})
    new = make(bench.linux, {"b.c": "one\n"}, "Second")
    base = make(bench.linux, {"b.c": "two\n"}, "Base")
    applied = bench.one(diff(bench.linux, old, new), base)
    (failure,) = applied.failures
    assert (failure.kind, failure.path) == (FailureKind.CONTEXT, "b.c")
    assert "exists with other content" in failure.detail
    assert applied.after == bench.tree(base)


@pytest.mark.parametrize(("there", "wanted"), [("a/b.c", "a"), ("a", "a/b.c"), ("a/b/c/d", "a/b"), ("a/b", "a/b/c/d")])
def test_a_file_cannot_take_the_place_of_a_folder(bench: Bench, there: str, wanted: str) -> None:
    base = make(bench.linux, {there: "x\n", "z.c": LINES})
    new_file = f"--- /dev/null\n+++ b/{wanted}\n@@ -0,0 +1 @@\n+y\n"
    edit = "--- a/z.c\n+++ b/z.c\n@@ -1,2 +1,2 @@\n-line 1\n+one\n line 2\n"
    refused, taken = bench.apply([patch(new_file), patch(edit, 2)], base)
    assert (refused.applied, refused.after) == (Applied.NO, bench.tree(base))
    assert refused.failures[0].kind is FailureKind.CONTEXT
    assert "file and" in refused.failures[0].detail
    assert taken.applied is Applied.YES


def test_a_path_through_a_link_is_refused(bench: Bench) -> None:
    bench.linux.mkdir()
    git(bench.linux, "init", "--quiet")
    (bench.linux / "link").symlink_to("a")
    base = make(bench.linux, {"a/b.c": "x\n"})
    for text in (
        "--- /dev/null\n+++ b/link/new.c\n@@ -0,0 +1 @@\n+y\n",
        "--- a/link/b.c\n+++ b/link/b.c\n@@ -1 +1 @@\n-x\n+y\n",
    ):
        applied = bench.one(text, base)
        assert (applied.applied, applied.after) == (Applied.NO, applied.before)


CORRUPT = {
    "counts that are wrong": ("--- a/a.c\n+++ b/a.c\n@@ -1,9 +1,9 @@\n line 1\n-line 2\n+2\n", "a.c", 7),
    "cut off inside a hunk": ("diff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1,3 +1,3 @@\n line 1\n", "a.c", 6),
    "wrapped lines": ("--- a/a.c\n+++ b/a.c\n@@ -1,3 +1,3 @@\n line 1\n-line\n2\n+two\n line 3\n", "a.c", None),
    "hunk without a file": ("@@ -1 +1 @@\n-line 1\n+one\n", "", None),
    "no diff": ("Dear all,\nplease apply.\n", "", None),
    "nothing": ("", "", None),
    "binary cut off": (
        "diff --git a/a.bin b/a.bin\nnew file mode 100644\nindex 000000000000..111111111111\nGIT binary patch\n"
        "literal 10\nRcmZQzWMXDvWn<^yAAA\n",
        "a.bin",
        None,
    ),
    "binary without content": (
        "diff --git a/old.bin b/old.bin\nindex f76dd238ade0..222222222222 100644\n"
        "Binary files a/old.bin and b/old.bin differ\n",
        "old.bin",
        None,
    ),
    "mode that is none": ("diff --git a/a.c b/a.c\nold mode 100644\nnew mode 999999\n", "a.c", None),
}


@pytest.mark.parametrize("kind", CORRUPT)
def test_a_corrupt_patch_is_named_as_such(bench: Bench, kind: str) -> None:
    text, path, line = CORRUPT[kind]
    base = make(bench.linux, {"a.c": LINES, "old.bin": b"\0"})
    applied = bench.one(text, base)
    (failure,) = applied.failures
    assert (applied.applied, failure.kind, failure.path) == (Applied.NO, FailureKind.CORRUPT, path)
    assert line is None or failure.line == line
    assert failure.detail


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "a/../../b.c", "/etc/passwd", ".git/config", "a/.GIT/hooks/x", "a//b.c", "./a.c"]
)
def test_a_path_that_leaves_the_tree_is_refused(bench: Bench, path: str) -> None:
    base = make(bench.linux, {"a.c": LINES})
    for text in (
        f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+y\n",
        f"diff --git a/a.c b/{path}\nsimilarity index 100%\nrename from a.c\nrename to {path}\n",
        f"diff --git a/{path} b/{path}\nnew file mode 100755\nindex 0000000..e69de29\n",
    ):
        applied = bench.one(text, base)
        assert (applied.applied, applied.after) == (Applied.NO, bench.tree(base))
        assert applied.failures[0].kind is FailureKind.CORRUPT
        assert "no git tree may hold" in applied.failures[0].detail
    assert len(applied.failures) == 1, "named on both sides, told once"


def test_after_a_refused_patch_the_next_is_tried_on_the_same_tree(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES, "b.c": LINES})
    wrong = make(bench.linux, {"a.c": LINES.upper()}, "Wrong")
    base = make(bench.linux, {"a.c": "other\n"}, "Base")
    right = make(bench.linux, {"b.c": LINES.upper()}, "Right")
    series = [patch(diff(bench.linux, old, wrong)), patch(diff(bench.linux, base, right), 2)]
    first, second = bench.apply(series, base)
    assert (first.applied, first.before, first.after) == (Applied.NO, bench.tree(base), bench.tree(base))
    assert (second.applied, second.before, second.after) == (Applied.YES, bench.tree(base), bench.tree(right))


def test_a_patch_of_which_one_file_fails_changes_nothing(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES, "b.c": LINES})
    new = make(bench.linux, {"a.c": LINES.upper(), "b.c": LINES.upper()}, "Second")
    base = make(bench.linux, {"a.c": LINES, "b.c": "other\n"}, "Base")
    assert bench.one(diff(bench.linux, old, new), base).after == bench.tree(base)


def test_the_same_number_twice_does_not_mix_patches_up(bench: Bench) -> None:
    old = make(bench.linux, {"d/a.c": LINES})
    one = make(bench.linux, {"d/a.c": LINES.replace("line 1\n", "")}, "One")
    two = make(bench.linux, {"d/a.c": LINES.replace("line 1\n", "").replace("line 40\n", "")}, "Two")
    series = [patch(diff(bench.linux, old, one)), patch(diff(bench.linux, one, two, "--no-prefix"))]
    assert [a.after for a in bench.apply(series, old)] == [bench.tree(one), bench.tree(two)]


# Three-way


def three_way_case(bench: Bench) -> tuple[bytes, str, str]:
    """A patch, a base to which it applies three-way only, and the tree that comes of it."""
    old = make(bench.linux, {"a.c": LINES, "d/b.c": LINES})
    new = make(bench.linux, {"a.c": LINES.replace("line 20\n", "twenty\n"), "d/b.c": LINES.upper()}, "Second")
    text = diff(bench.linux, old, new, "--full-index")
    base = make(bench.linux, {"a.c": LINES.replace("line 22\n", "other\n"), "d/b.c": LINES}, "Base")
    merged = LINES.replace("line 22\n", "other\n").replace("line 20\n", "twenty\n")
    wanted = make(bench.linux, {"a.c": merged, "d/b.c": LINES.upper()}, "Wanted")
    return text, base, bench.tree(wanted)


def test_three_way_applies_what_the_context_alone_forbids(bench: Bench) -> None:
    text, base, wanted = three_way_case(bench)
    applied = bench.one(text, base)
    assert (applied.applied, applied.after, applied.failures) == (Applied.THREE_WAY, wanted, ())


def test_three_way_can_be_switched_off(bench: Bench) -> None:
    text, base, _ = three_way_case(bench)
    applied = bench.one(text, base, three_way=False)
    assert (applied.applied, applied.after) == (Applied.NO, applied.before)
    assert applied.failures[0].kind is FailureKind.CONTEXT


def test_a_three_way_conflict_leaves_the_tree_as_it_was(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES})
    new = make(bench.linux, {"a.c": LINES.replace("line 20\n", "twenty\n")}, "Second")
    base = make(bench.linux, {"a.c": LINES.replace("line 20\n", "zwanzig\n")}, "Base")
    after = make(bench.linux, {"a.c": LINES.replace("line 20\n", "zwanzig\n").upper()}, "After")
    text = diff(bench.linux, old, new, "--full-index")
    refused, taken = bench.apply([patch(text), patch(diff(bench.linux, base, after), 2)], base)
    assert (refused.applied, refused.after) == (Applied.NO, bench.tree(base))
    (failure,) = refused.failures
    assert (failure.kind, failure.path, failure.line) == (FailureKind.CONTEXT, "a.c", 20)
    assert taken.after == bench.tree(after)


def test_a_merge_driver_of_the_users_is_not_run(bench: Bench, tmp_path: Path) -> None:
    text, base, wanted = three_way_case(bench)
    marker = tmp_path / "ran"
    (bench.linux / ".git" / "info").mkdir(exist_ok=True)
    (bench.linux / ".git" / "info" / "attributes").write_text("* merge=evil\n")
    git(bench.linux, "config", "merge.evil.driver", f"touch {marker}")
    git(bench.linux, "config", "--global", "merge.evil.driver", f"touch {marker}")
    assert bench.one(text, base).after == wanted
    assert not marker.exists()


# Working folders


def test_two_overlays_at_once_do_not_disturb_each_other(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES})
    new = make(bench.linux, {"a.c": LINES.upper()}, "Second")
    text = diff(bench.linux, old, new)
    with (
        closing(Repository.open(bench.linux)) as repository,
        Overlay(repository, bench.cache) as one,
        Overlay(repository, bench.cache) as two,
    ):
        assert one.apply([patch(text)], Base(old, ""))[0].after == bench.tree(new)
        assert two.apply([patch(text)], Base(old, ""))[0].after == bench.tree(new)
        assert one.snapshot(bench.tree(new), old).read("a.c") == LINES.upper().encode()


def test_an_overlay_can_be_used_again(bench: Bench) -> None:
    old = make(bench.linux, {"a.c": LINES})
    new = make(bench.linux, {"a.c": LINES.upper(), "b.c": "x\n"}, "Second")
    with closing(Repository.open(bench.linux)) as repository, Overlay(repository, bench.cache) as overlay:
        for _ in range(2):
            assert overlay.apply([patch(diff(bench.linux, old, new))], Base(old, ""))[0].after == bench.tree(new)
            assert overlay.apply([patch(diff(bench.linux, new, old))], Base(new, ""))[0].after == bench.tree(old)


def test_a_cache_folder_that_cannot_be_written_is_said_plainly(bench: Bench, tmp_path: Path) -> None:
    make(bench.linux, {"a.c": LINES})
    (tmp_path / "file").write_text("")
    with closing(Repository.open(bench.linux)) as repository, pytest.raises(RepositoryError, match="XDG_CACHE_HOME"):
        Overlay(repository, tmp_path / "file" / "cache")


def test_others_cannot_read_the_working_folder(bench: Bench) -> None:
    make(bench.linux, {"a.c": LINES})
    with closing(Repository.open(bench.linux)) as repository, Overlay(repository, bench.cache):
        (folder,) = (bench.cache / "overlays").glob("[0-9]*")
        assert folder.stat().st_mode & 0o077 == 0


# Real patches on real trees


@pytest.fixture
def linux(kernel_tree: Callable[[str], Path], tmp_path: Path) -> Iterator[Repository]:
    """Linux 6.12, in a clone that borrows its objects."""
    git(tmp_path, "clone", "--quiet", "--bare", "--shared", str(kernel_tree("6.12")), "linux.git")
    with closing(Repository.open(tmp_path / "linux.git")) as repository:
        yield repository


def mailed(raw: bytes, folder: Path, number: int) -> Patch:
    """The patch that git am would make of a mail."""
    done = subprocess.run(
        ["git", "mailinfo", "message", "patch"], cwd=folder, input=raw, capture_output=True, check=True
    )
    subject = next(line[9:] for line in done.stdout.decode().splitlines() if line.startswith("Subject: "))
    return Patch(number, subject, (folder / "patch").read_bytes())


def applied_by_git(repository: Repository, patches: Sequence[Patch], index: Path) -> str:
    """The tree that git itself makes of the series, with an index of the whole tree."""
    runner = repository.runner.with_environment(
        GIT_INDEX_FILE=str(index), GIT_OBJECT_DIRECTORY=str(index.parent / "objects")
    )
    objects = git_bytes(repository.git_dir, "rev-parse", "--absolute-git-dir").decode().strip() + "/objects"
    (index.parent / "objects").mkdir()
    runner = runner.with_environment(GIT_ALTERNATE_OBJECT_DIRECTORIES=objects)
    runner.run("read-tree", "HEAD")
    for one in patches:
        runner.run("apply", "--cached", "--whitespace=nowarn", "-", stdin=one.diff)
    return runner.run("write-tree").stdout.decode().strip()


def test_the_preempt_rt_queue_applies_whole(linux: Repository, rt_queue: Path, tmp_path: Path) -> None:
    lines = (rt_queue / "series").read_text().splitlines()
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    patches = [mailed((rt_queue / name).read_bytes(), tmp_path, number) for number, name in enumerate(names, 1)]
    base = Base(linux.resolve("HEAD"), "")
    with Overlay(linux, tmp_path / "cache") as overlay:
        applied = overlay.apply(patches, base)
        assert len(applied) == len(names) >= 40
        assert {one.applied for one in applied} == {Applied.YES}
        assert [one.before for one in applied[1:]] == [one.after for one in applied[:-1]]
        assert applied[-1].after == applied_by_git(linux, patches, tmp_path / "index")
        again = overlay.apply(patches[:1], Base(base.commit, ""))
        assert again[0].after == applied[0].after


APPLYING = {
    "s390-entry-gmap-v4": 11,
    "s390-gtp-deadlock-v2": 1,
    "s390-gtp-deadlock-v3": 2,
    "s390-vfio-ap-signal": 1,
    "s390-vmcore-mutex-v1": 11,
    "s390-vmcore-mutex-v2": 12,
}


def from_thread(path: Path) -> tuple[Patch, ...]:
    """The patches of a real thread."""
    return series_of(fetch(str(path), offline=True), revision=None, inline_diff=False).patches


@pytest.mark.parametrize("name", APPLYING)
def test_a_real_series_for_this_tree_applies(linux: Repository, shared: Path, tmp_path: Path, name: str) -> None:
    patches = from_thread(shared / "mail" / "threads" / f"{name}.mbox")
    assert len(patches) == APPLYING[name]
    with Overlay(linux, tmp_path / "cache") as overlay:
        applied = overlay.apply(patches, Base(linux.resolve("HEAD"), ""))
    assert [one.applied for one in applied] == [Applied.YES] * len(patches)
    assert applied[-1].after == applied_by_git(linux, patches, tmp_path / "index")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kvm-mmu-notifiers-v1", {FailureKind.CONTEXT}),
        ("kvmarm-vgic-ap-list-deadlock", {FailureKind.MISSING_FILE}),
        ("kvmarm-git-pull", {FailureKind.CONTEXT, FailureKind.MISSING_FILE, FailureKind.ALREADY_APPLIED}),
        ("kvmarm-rcu-exclusive-walk-v4", {FailureKind.CONTEXT, FailureKind.ALREADY_APPLIED}),
        ("kvmarm-parallel-faults-v5", {FailureKind.CONTEXT}),
    ],
)
def test_a_real_series_for_another_tree_says_why_not(
    linux: Repository, shared: Path, tmp_path: Path, name: str, expected: set[FailureKind]
) -> None:
    patches = from_thread(shared / "mail" / "threads" / f"{name}.mbox")
    base = Base(linux.resolve("HEAD"), "")
    with Overlay(linux, tmp_path / "cache") as overlay:
        applied = overlay.apply(patches, base)
    failed = [failure for one in applied for failure in one.failures]
    assert {failure.kind for failure in failed} == expected
    assert {one.applied for one in applied} == {Applied.NO}
    assert all(one.failures and one.before == one.after for one in applied)
    files = linux.snapshot(linux.tree_of(base.commit))
    for failure in failed:
        text = files.read(failure.path)
        assert (text is None) == (failure.kind is FailureKind.MISSING_FILE)
        if failure.line is not None and text is not None and "expects" in failure.detail:
            assert 1 <= failure.line <= text.count(b"\n") + 1
