# SPDX-License-Identifier: GPL-2.0-or-later
"""A series against its earlier revisions: what is found of them, which findings stay, what changed, what is open."""

# ruff: noqa: E101, W293 (kernel code in diffs)

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from reviewer.cli import main
from reviewer.errors import NotFoundError
from reviewer.mail.fetch import fetch
from reviewer.mail.interdiff import interdiff, patch_changes
from reviewer.mail.linked import linked_revisions, with_linked
from reviewer.mail.openremarks import open_remarks
from reviewer.mail.series import series_of
from reviewer.mail.thread import Thread
from reviewer.model import Address, Comparison, Message, Patch, Remark, Series, ThreadKind
from tests import mails, repos
from tests.mails import mail

PATH = "drivers/example/example.c"
HEAD = "struct dev { spinlock_t lock; int a; int b; };\n\n"
LOW = "void low(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tdev->a = 1;\n\tspin_unlock(&dev->lock);\n}\n\n"
HIGH = "void high(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tdev->b = 1;\n\tspin_unlock(&dev->lock);\n}\n"
CLEAN = HEAD + LOW + HIGH
LOW_SLEEPS = "\tdev->a = 1;\n\tmsleep(1);\n"
HIGH_SLEEPS = "\tdev->b = 1;\n\tmsleep(2);\n"
ANN = Address("Ann Author", "ann@example.org")
Review = Callable[..., tuple[str, dict[str, Any]]]


def changed(low: str = "\tdev->a = 1;\n", high: str = "\tdev->b = 1;\n") -> str:
    """The file with other lines in its two functions."""
    return CLEAN.replace("\tdev->a = 1;\n", low).replace("\tdev->b = 1;\n", high)


class Tree:
    """A repository with the file, and patches to it as mails."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.base = repos.make(path, {PATH: CLEAN})

    def patch(self, subject: str, message_id: str, text: str, before: str = CLEAN, **more: Any) -> bytes:
        """A mail with the patch that makes ``text`` of the file."""
        old, new = (repos.make(self.path, {PATH: each}) for each in (before, text))
        repos.git(self.path, "reset", "--quiet", "--hard", self.base)
        body = b"Do it.\n\nSigned-off-by: Ann Author <ann@example.org>\n---\n"
        return mail(subject, message_id, body + repos.diff(self.path, old, new) + b"-- \n2.39.5\n", **more)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


@pytest.fixture
def review(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Review:
    """``reviewer review`` of mailboxes: the report's text, lines joined, and its data."""

    def run(*boxes: tuple[bytes, ...], options: tuple[str, ...] = ()) -> tuple[str, dict[str, Any]]:
        paths = []
        for number, messages in enumerate(boxes):
            path = tmp_path / f"box-{number}.mbox"
            path.write_bytes(mails.mboxrd(*messages))
            paths.append(str(path))
        common = ("review", *paths, "--repo", str(tree.path), "--offline", "--output", str(tmp_path / "out"), *options)
        main(list(common))
        text = capsys.readouterr().out
        main([*common, "--format", "json"])
        return text, json.loads(capsys.readouterr().out)

    return run


def since(data: Mapping[str, Any]) -> dict[str, int | None]:
    return {finding["function"]: finding["since"] for patch in data["patches"] for finding in patch["findings"]}


def test_findings_remain_are_new_and_are_gone(tree: Tree, review: Review) -> None:
    text, data = review(
        (tree.patch("[PATCH] example: Wait", "v1@x", changed(low=LOW_SLEEPS)),),
        (tree.patch("[PATCH v2] example: Wait", "v2@x", changed(LOW_SLEEPS, HIGH_SLEEPS)),),
        (tree.patch("[PATCH v3] example: Wait", "v3@x", changed(high=HIGH_SLEEPS)),),
    )
    assert since(data) == {"high": 2}
    assert [(one["revision"], one["message_id"], one["whole"]) for one in data["revisions"]] == [
        (2, "v2@x", True),
        (1, "v1@x", True),
    ]
    assert [[gone["function"] for gone in one["gone"]] for one in data["revisions"]] == [["low"], []]
    assert "Since v2, <v2@x>:\n  1 of its findings remains, 1 is gone.\n" in text
    assert f"  Gone: {PATH} low() [lock-sleep-in-atomic]" in text
    assert "There since v2." in text


def test_what_is_new_is_said_to_be(tree: Tree, review: Review) -> None:
    boxes = (
        (tree.patch("[PATCH] example: Wait", "v1@x", changed(low="\tdev->a = 2;\n")),),
        (tree.patch("[PATCH v2] example: Wait", "v2@x", changed(LOW_SLEEPS)),),
    )
    text, data = review(*boxes)
    assert since(data) == {"low": None}
    assert "  1 is new.\n" in text
    (difference,) = data["revisions"][0]["functions"]
    assert difference["function"] == "low"
    assert sorted(difference["lines"]) == ["+\tdev->a = 1;", "+\tmsleep(1);", "-\tdev->a = 2;"]
    text, data = review(*boxes, options=("--no-earlier",))
    assert (data["revisions"], "Since" in text) == ([], False)


def test_nothing_is_new_or_gone_where_one_of_the_two_could_not_be_applied(tree: Tree, review: Review) -> None:
    other = changed(low="\tdev->a = 7;\n")
    broken = tree.patch("[PATCH] example: Wait", "v1@x", other.replace("= 7", "= 8"), other)
    text, data = review((broken,), (tree.patch("[PATCH v2] example: Wait", "v2@x", changed(LOW_SLEEPS)),))
    assert data["revisions"][0]["whole"] is False
    assert "Whether 1 is new is not known, as not all of it could be applied" in " ".join(text.split())
    gone = (tree.patch("[PATCH] example: Wait", "v1@x", changed(LOW_SLEEPS)),)
    later = tree.patch("[PATCH v2] example: Wait", "v2@x", other.replace("= 7", "= 8"), other)
    text, data = review(gone, (later,))
    assert data["revisions"][0]["gone"] is None
    assert "Gone" not in text


# --- which mails are revisions of one series -----------------------------------------------------------------------


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Thread]:
    """Read mails from a file each, in which they lie in threads of their own."""

    def reader(*messages: bytes) -> Thread:
        paths = [tmp_path / f"{number}.mbox" for number in range(len(messages))]
        for path, message in zip(paths, messages, strict=True):
            path.write_bytes(mails.mboxrd(message))
        return fetch([str(path) for path in paths])

    return reader


def earlier(series: Series) -> list[tuple[int, str | None]]:
    return [(one.revision, one.message_id) for one in series.earlier]


def test_other_subject_with_the_same_change_id(tree: Tree, read: Callable[..., Thread]) -> None:
    def sent(subject: str, message_id: str, number: int) -> bytes:
        patch = tree.patch(subject, message_id, changed(low=f"\tdev->a = {number};\n"))
        return patch.replace(b"Do it.\n", b"Do it.\n\nchange-id: 20240304-wait-1\n")

    series = series_of(read(sent("[PATCH] example: Wait", "1@x", 2), sent("[PATCH v2] Do not wait", "2@x", 3)))
    assert (series.message_id, earlier(series)) == ("2@x", [(1, "1@x")])


def test_other_subject_with_the_same_change(tree: Tree, read: Callable[..., Thread]) -> None:
    text = changed(LOW_SLEEPS)
    series = series_of(read(tree.patch("[PATCH] a", "1@x", text), tree.patch("[PATCH v2] b", "2@x", text)))
    assert (series.message_id, earlier(series)) == ("2@x", [(1, "1@x")])


def test_series_that_was_sent_again_is_compared_with_what_was_sent_first(tree: Tree, review: Review) -> None:
    text, data = review(
        (tree.patch("[PATCH v2] example: Wait", "1@x", changed(LOW_SLEEPS)),),
        (tree.patch("[PATCH RESEND v2] example: Wait", "2@x", changed(LOW_SLEEPS)),),
    )
    assert data["series"]["message_id"] == "2@x"
    assert since(data) == {"low": 2}
    assert "Since v2, <1@x>:\n  1 of its findings remains.\n  The patches are the same.\n" in text


def test_patch_sent_again_alone_is_compared_with_the_whole_before(tree: Tree, review: Review) -> None:
    after = changed(LOW_SLEEPS)
    text, data = review(
        (
            mail("[PATCH 0/2] all", "0@x", b"A cover.\n"),
            tree.patch("[PATCH 1/2] one", "1@x", after, reply_to="0@x"),
            tree.patch("[PATCH 2/2] two", "2@x", changed(LOW_SLEEPS, HIGH_SLEEPS), after, reply_to="0@x"),
            tree.patch("[PATCH v2 2/2] two", "3@x", changed(LOW_SLEEPS, "\tdev->b = 2;\n"), after, reply_to="2@x"),
        )
    )
    assert [patch["message_id"] for patch in data["patches"]] == ["1@x", "3@x"]
    assert [(one["before"], one["now"], one["same"]) for one in data["revisions"][0]["patches"]] == [
        (1, 1, True),
        (2, 2, False),
    ]
    assert since(data) == {"low": 1}
    assert "  As before: patch 1.\n  Patch 2 changed: two\n" in text


def test_patches_sent_again_alone_one_after_the_other(tree: Tree, review: Review) -> None:
    one = changed(LOW_SLEEPS)
    _, data = review(
        (
            mail("[PATCH 0/2] all", "0@x", b"A cover.\n"),
            tree.patch("[PATCH 1/2] one", "1@x", one, reply_to="0@x"),
            tree.patch("[PATCH 2/2] two", "2@x", changed(LOW_SLEEPS, HIGH_SLEEPS), one, reply_to="0@x"),
            tree.patch("[PATCH v2 2/2] two", "3@x", changed(LOW_SLEEPS, "\tdev->b = 2;\n"), one, reply_to="2@x"),
            tree.patch("[PATCH v3 1/2] one", "4@x", changed("\tdev->a = 2;\n"), reply_to="1@x"),
        )
    )
    assert [patch["message_id"] for patch in data["patches"]] == ["4@x", "3@x"]
    assert [one["revision"] for one in data["revisions"]] == [2, 1]
    same = [[change["same"] for change in one["patches"]] for one in data["revisions"]]
    assert same == [[False, True], [False, False]]


def test_diff_in_a_reply_to_an_earlier_revision_is_not_pointed_out(tree: Tree, read: Callable[..., Thread]) -> None:
    text = changed(LOW_SLEEPS)
    reply = tree.patch(
        "Re: [PATCH] a", "r@x", changed(high=HIGH_SLEEPS), reply_to="1@x", sender="Max <max@example.net>"
    )
    thread = read(tree.patch("[PATCH] a", "1@x", text), reply, tree.patch("[PATCH v2] a", "2@x", text))
    series = series_of(thread)
    assert (series.message_id, [note for note in series.notes if "diff" in note]) == ("2@x", [])
    assert [note for note in series_of(thread, revision=1).notes if "1 reply carries a diff" in note]
    assert [[one.message_id for one in each.replies] for each in series.earlier] == [["r@x"]]


def test_series_with_patches_in_common_are_two_series(tree: Tree, read: Callable[..., Thread]) -> None:
    text = changed(LOW_SLEEPS)
    thread = read(tree.patch("[PATCH] a", "1@x", text), tree.patch("[PATCH] b", "2@x", text))
    # Patches without a number that are given as files are one series in their order.
    assert earlier(series_of(thread)) == []


@pytest.mark.parametrize(
    "text",
    [
        "v2: https://lore.kernel.org/r/20210729195632.489978-1-ann@example.org",
        "- Link to v2: https://lore.kernel.org/all/20210729195632.489978-1-ann@example.org/",
        "Changes since v2:\n  [https://lore.kernel.org/kvm/20210729195632.489978-1-ann%40example.org/T/#u]",
    ],
)
def test_links_to_earlier_revisions_are_found(text: str) -> None:
    assert linked_revisions(_series(text, 3)) == ((2, "20210729195632.489978-1-ann@example.org"),)
    assert linked_revisions(_series(text, 2)) == ()


def test_linked_revision_that_the_archive_lacks_is_noted(
    tree: Tree, read: Callable[..., Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def missing(source: str, **options: Any) -> Thread:
        asked.append((source, options["lore"]))
        raise NotFoundError("it has no such\x1b message")

    monkeypatch.setattr("reviewer.mail.linked.fetch", missing)
    links = b"v1: https://evil.example.net/r/old@x\nv2: https://lore.kernel.org/r/older@x\n"
    mailed = tree.patch("[PATCH v3] a", "3@x", changed(LOW_SLEEPS)).replace(b"Do it.\n", links)
    thread = read(mailed)
    assert with_linked(thread, series_of).notes == ()
    assert asked == []
    series = with_linked(dataclasses.replace(thread, archive="https://archive.example.org/all"), series_of)
    assert asked == [(f"<{name}@x>", "https://archive.example.org/all") for name in ("older", "old")]
    assert [note[:63] for note in series.notes] == [
        f"The series was not compared with its earlier revision v{number}: it has"[:63] for number in (2, 1)
    ]
    assert "\x1b" not in "".join(series.notes)


def _series(body: str, revision: int, patches: tuple[Patch, ...] = ()) -> Series:
    cover = Message("0@x", "[PATCH v3 0/1] all", ANN, "", body)
    return Series(ThreadKind.SERIES, "0@x", "all", revision, ANN, patches, 1, cover)


# --- the difference ------------------------------------------------------------------------------------------------

DIFF = """\
diff --git a/kernel/bell.c b/kernel/bell.c
--- a/kernel/bell.c
+++ b/kernel/bell.c
@@ -10,5 +10,7 @@ static void bell_ring(struct bell *bell)
 	bell->rings++;
+	bell_tell(bell);
+	bell_wait(bell);
 }
 
 static int bell_probe(struct device *dev)
@@ -30,3 +32,4 @@ static int bell_probe(struct device *dev)
 	bell_init(dev);
+	bell_start(dev);
 	return 0;
"""


def patch(diff: str, number: int = 1, subject: str = "bell: Ring") -> Patch:
    return Patch(number, subject, diff.encode())


def lines(before: tuple[Patch, ...], now: tuple[Patch, ...]) -> dict[str, tuple[str, ...]]:
    return {one.function: one.lines for one in interdiff(before, now, patch_changes(before, now))}


def test_interdiff_names_the_function_of_each_line() -> None:
    other = DIFF.replace("bell_tell(bell)", "bell_shout(bell)")
    assert lines((patch(DIFF),), (patch(other),)) == {"bell_ring": ("-\tbell_tell(bell);", "+\tbell_shout(bell);")}
    assert lines((patch(DIFF),), (patch(DIFF.replace("-10,5 +10,7", "-60,5 +60,7")),)) == {}


def test_line_that_a_patch_removes_no_longer_is_back() -> None:
    removes = DIFF.replace(" \tbell->rings++;", "-\tbell->rings++;").replace("-10,5 +10,7", "-10,5 +10,6")
    assert lines((patch(removes),), (patch(DIFF),)) == {"bell_ring": ("+\tbell->rings++;",)}


def test_line_that_moves_into_a_patch_of_its_own_is_no_difference() -> None:
    first = DIFF.replace("+\tbell_wait(bell);\n", "").replace("+10,7", "+10,6")
    second = DIFF.replace("+\tbell_tell(bell);\n", "").replace("+10,7", "+10,6").split("@@ -30")[0]
    assert lines((patch(DIFF),), (patch(first), patch(second, 2, "bell: Wait"))) == {}


def test_patch_that_is_new_is_no_difference_of_the_others() -> None:
    undoes = DIFF.replace("+\t", "-\t").replace("-10,5 +10,7", "-10,7 +10,5").replace("-30,3 +32,4", "-30,4 +32,3")
    assert lines((patch(DIFF),), (patch(DIFF), patch(undoes, 2, "bell: Do not"))) == {}


def test_line_of_another_function_takes_nothing_away() -> None:
    head = DIFF.partition("@@")[0]
    hunk = "@@ -{0},{1} +{0},{2} @@ void {3}(struct bell *bell)\n \tbell->rings++;\n{4}\treturn;\n \tbell->hour++;\n"
    ring, stop = hunk.format(10, 2, 3, "bell_ring", "+"), hunk.format(30, 2, 3, "bell_stop", "+")
    added, other = patch(head + ring + stop, 1, "bell: Refuse"), patch(DIFF, 2, "bell: Tell")
    removes = patch(head + hunk.format(31, 3, 2, "bell_stop", "-") + DIFF, 2, "bell: Tell")
    assert lines((added, other), (added, other)) == {}
    assert lines((added, other), (added, removes)) == {"bell_stop": ("-\treturn;",)}
    # Where it stands tells, whatever function the header of the hunk names: the second patch has moved it.
    waits = hunk.format(50, 2, 3, "bell_wait", "+")
    before, now = (
        patch(head + some + waits, 3, "bell: Wait") for some in ("", hunk.format(33, 3, 2, "bell_call", "-"))
    )
    assert lines((added, other, before), (added, other, now)) == {"bell_stop": ("-\treturn;",)}
    # What a new patch adds to another function does not stand for it.
    elsewhere = patch(head + hunk.format(50, 2, 3, "bell_wait", "+"), 2, "bell: Refuse to wait")
    assert lines((added,), (patch(head + ring, 1, "bell: Refuse"), elsewhere)) == {"bell_stop": ("-\treturn;",)}


def test_patch_is_found_again_by_content_by_subject_and_by_likeness() -> None:
    other = DIFF.replace("bell_tell(bell)", "bell_shout(bell)")
    before = (patch(DIFF, 1, "a"), patch(DIFF.replace("bell_", "gong_"), 2, "b"), patch(other, 3, "c"))
    now = (patch(before[1].diff.decode(), 1, "z"), patch("", 2, "a"), patch(other.replace("start", "go"), 3, "y"))
    assert [(one.before, one.now, one.same) for one in patch_changes(before, now)] == [
        (2, 1, True),
        (1, 2, False),
        (3, 3, False),
    ]
    assert [(one.before, one.now) for one in patch_changes(before, now[:1])] == [(2, 1), (1, None), (3, None)]


# --- comments ------------------------------------------------------------------------------------------------------


def remarks(reply: str, now: str = DIFF, *more: Message) -> tuple[Remark, ...]:
    sent = Message("1@x", "[PATCH] bell: Ring", ANN, "", "")
    other = Address("Max", "max@example.net")
    answer = Message("2@x", "Re: [PATCH] bell: Ring", other, "", reply, in_reply_to="1@x")
    old = Patch(1, "bell: Ring", DIFF.encode(), message=sent)
    series = Series(ThreadKind.SERIES, "1@x", "bell: Ring", 1, ANN, (old,), 1, replies=(answer, *more))
    later = Series(ThreadKind.SERIES, "3@x", "bell: Ring", 2, ANN, (patch(now),), 1)
    changes = patch_changes(series.patches, later.patches)
    functions = interdiff(series.patches, later.patches, changes)
    return open_remarks(later, series, Comparison(1, "1@x", True, changes, functions))


ASKS = "> +\tbell_wait(bell);\n\nFirst of all, thanks. Who wakes this up again?\n"


def test_comment_on_a_line_that_stayed_is_open() -> None:
    (remark,) = remarks(ASKS)
    assert (remark.function, remark.line, remark.text) == (
        "bell_ring",
        "+\tbell_wait(bell);",
        "Who wakes this up again?",
    )
    assert (remark.message_id, remark.answer, remark.function_changed) == ("2@x", None, False)
    (remark,) = remarks(ASKS, DIFF.replace("bell_tell(bell)", "bell_shout(bell)"))
    assert remark.function_changed


def test_comment_on_a_line_that_changed_is_not() -> None:
    assert remarks(ASKS, DIFF.replace("bell_wait(bell)", "bell_wait(bell, HZ)")) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Reviewed-by: Max <max@example.net>",
        "Looks good to me, thanks for doing this.",
        "Nice.",
        "_______________________________________________\nlist mailing list, where everybody asks?",
    ],
)
def test_praise_and_footers_are_no_comments(text: str) -> None:
    assert remarks(f"> +\tbell_wait(bell);\n\n{text}\n") == ()


def test_answer_to_somebody_elses_words_is_no_comment_on_the_line() -> None:
    assert (
        remarks("> > +\tbell_wait(bell);\n> \n> Who wakes this up again?\n\nNobody, I think, or does somebody?\n") == ()
    )


def test_answer_of_the_author_is_named() -> None:
    body = "> > +\tbell_wait(bell);\n> \n> First of all, thanks. Who wakes this up again?\n\nThe timer.\n"
    answer = Message("4@x", "Re: bell", ANN, "", body, in_reply_to="2@x")
    (remark,) = remarks(ASKS, DIFF, answer)
    assert remark.answer == "4@x"
