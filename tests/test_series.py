# SPDX-License-Identifier: GPL-2.0-or-later
"""From mails to a series: the real threads, and every way in which a thread is not a plain series."""

from __future__ import annotations

import email.charset
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reviewer.errors import SeriesError
from reviewer.mail.fetch import fetch
from reviewer.mail.series import series_of
from reviewer.mail.thread import Thread
from reviewer.model import Address, Series, ThreadKind, Trailer
from tests import mails
from tests.mails import mail

Read = Callable[..., Thread]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write mails into an mbox and read that, as a user would."""

    def reader(*messages: bytes, wanted: str | None = None) -> Thread:
        path = tmp_path / "thread.mbox"
        path.write_bytes(mails.mboxrd(*messages))
        return fetch([str(path), wanted] if wanted else str(path))

    return reader


# file, kind, revision, patches here, total, missing, replies, has a cover letter
REAL = [
    ("kvm-mmu-notifiers-v1", "series", 1, 18, 18, (), 25, True),
    ("kvm-mmu-notifiers-v2", "series", 2, 10, 10, (), 9, True),
    ("kvm-swait-to-rcuwait", "series", 2, 1, 1, (), 14, False),
    ("kvmarm-generic-guest-entry-v1", "series", 1, 3, 3, (), 2, True),
    ("kvmarm-generic-guest-entry-v2", "series", 2, 3, 3, (), 4, True),
    ("kvmarm-generic-guest-entry-v3", "series", 3, 3, 3, (), 3, True),
    ("kvmarm-git-pull", "pull request", 1, 18, 18, (), 1, True),
    ("kvmarm-nohz-full-rcu-discussion", "discussion", 1, 0, 0, (), 21, True),
    ("kvmarm-parallel-faults-v5", "series", 5, 14, 14, (), 37, True),
    ("kvmarm-rcu-exclusive-walk-v2", "series", 2, 1, 1, (), 3, False),
    ("kvmarm-rcu-exclusive-walk-v3", "series", 3, 2, 2, (), 4, True),
    ("kvmarm-rcu-exclusive-walk-v4", "series", 4, 3, 3, (), 1, True),
    ("kvmarm-vgic-ap-list-deadlock", "series", 1, 1, 1, (), 1, False),
    ("s390-entry-gmap-v4", "series", 4, 11, 11, (), 4, True),
    ("s390-gtp-deadlock-v2", "series", 2, 1, 1, (), 6, False),
    ("s390-gtp-deadlock-v3", "series", 3, 2, 2, (), 5, True),
    ("s390-vfio-ap-signal", "series", 1, 1, 1, (), 23, False),
    ("s390-vmcore-mutex-v1", "series", 1, 11, 11, (), 34, True),
    ("s390-vmcore-mutex-v2", "series", 2, 12, 12, (), 3, True),
]


def _real(shared: Path, name: str) -> Thread:
    return fetch(str(shared / "mail" / "threads" / f"{name}.mbox"))


@pytest.mark.parametrize("row", REAL, ids=[row[0] for row in REAL])
def test_real_thread(
    shared: Path,
    row: tuple[str, str, int, int, int, tuple[int, ...], int, bool],
) -> None:
    name, kind, revision, here, total, missing, replies, cover = row
    series = series_of(_real(shared, name))
    assert (series.kind, series.revision, len(series.patches), series.total) == (kind, revision, here, total)
    assert series.missing == missing
    assert (len(series.replies), series.cover is not None) == (replies, cover)
    assert [patch.number for patch in series.patches] == list(range(1, here + 1))
    assert all(patch.diff.startswith(b"diff --git a/") for patch in series.patches)
    assert all(patch.message and patch.subject in " ".join(patch.message.subject.split()) for patch in series.patches)
    assert all("Signed-off-by" in {trailer.name for trailer in patch.trailers} for patch in series.patches)
    assert series.author is not None
    assert series.author.name


def test_every_file_of_the_real_threads_is_in_the_table(shared: Path) -> None:
    assert sorted(path.stem for path in (shared / "mail" / "threads").glob("*.mbox")) == sorted(row[0] for row in REAL)


@pytest.mark.parametrize(
    "name", ["s390-entry-gmap-v4", "s390-gtp-deadlock-v3", "s390-vfio-ap-signal", "s390-vmcore-mutex-v2"]
)
def test_real_diffs_apply_to_the_tree_they_were_made_for(
    shared: Path, name: str, kernel_tree: Callable[[str], Path], tmp_path: Path
) -> None:
    tree = kernel_tree("6.12")
    index = {"GIT_INDEX_FILE": str(tmp_path / "index"), "GIT_OBJECT_DIRECTORY": str(tmp_path / "objects")}
    objects = tmp_path / "objects"
    objects.mkdir()
    alternates = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(tree / ".git" / "objects")}
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path), **index, **alternates}

    def git(*words: str, stdin: bytes = b"") -> None:
        command = ["git", "-c", "safe.directory=*", f"--git-dir={tree / '.git'}", *words]
        done = subprocess.run(command, input=stdin, env=environment, capture_output=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr.decode()

    git("read-tree", "HEAD")
    for patch in series_of(_real(shared, name)).patches:
        git("apply", "--cached", "-", stdin=patch.diff)


def test_discussion_says_that_there_is_nothing_to_review(shared: Path) -> None:
    # b4 answers "No patches found" to this and ends with success.
    series = series_of(_real(shared, "kvmarm-nohz-full-rcu-discussion"))
    assert series.kind is ThreadKind.DISCUSSION
    assert series.subject == "Possible nohz-full/RCU issue in arm64 KVM"
    assert "none of them is a patch" in series.notes[0]


def test_incomplete_series_names_what_is_missing(shared: Path) -> None:
    # b4 ends with success here, too.
    series = series_of(_real(shared, "kvm-swait-to-rcuwait"), revision=1)
    assert (series.total, series.missing, [patch.number for patch in series.patches]) == (4, (1, 2, 4), [3])
    assert "Incomplete: of 4 patches, 3 patches not found" in series.notes[0]
    assert series.notes[0].endswith(": 1, 2, 4.")


def test_revision_that_was_asked_for_is_taken_though_a_newer_one_is_in_the_thread(shared: Path) -> None:
    path = str(shared / "mail" / "threads" / "kvm-swait-to-rcuwait.mbox")
    series = series_of(fetch([path, "20200324044453.15733-4-dave@stgolabs.net"]))
    assert series.revision == 1
    assert series.newer == (2, "20200420164132.tjzk5ebx35m66yce@linux-p48b")
    assert any("There is a newer revision, v2" in note for note in series.notes)


def test_answer_leads_to_the_revision_it_answers(shared: Path) -> None:
    path = str(shared / "mail" / "threads" / "kvm-swait-to-rcuwait.mbox")
    late = series_of(fetch([path, "418acdb5001a9ae836095b7187338085@misterjones.org"]))
    early = series_of(fetch([path, "20200324175614.fzwutnpw2xiigqni@linux-p48b"]))
    assert (late.revision, early.revision) == (2, 1)


def test_unknown_revision_is_an_error_that_names_those_there_are(shared: Path) -> None:
    with pytest.raises(SeriesError, match="the revisions 1, 2"):
        series_of(_real(shared, "kvm-swait-to-rcuwait"), revision=7)


def test_pull_request_with_patches_under_it_can_be_reviewed(shared: Path) -> None:
    series = series_of(_real(shared, "kvmarm-git-pull"))
    assert series.kind is ThreadKind.PULL_REQUEST
    assert series.cover is not None
    assert series.cover.subject == "[GIT PULL] KVM/arm updates for Linux 5.3"
    assert "git fetch git://git.kernel.org/pub/scm/linux/kernel/git/kvmarm/kvmarm.git" in series.notes[0]
    assert series.base_commit == "4b972a01a7da614b4796475f933094751a295a2f"
    assert series.patches[0].subject == "arm64: assembler: Switch ESB-instruction with a vanilla nop if !ARM64_HAS_RAS"


def test_pull_request_without_patches_says_how_to_review_it(shared: Path, tmp_path: Path) -> None:
    thread = (shared / "mail" / "threads" / "kvmarm-git-pull.mbox").read_bytes()
    only = tmp_path / "pull.mbox"
    only.write_bytes(b"From " + thread.split(b"\nFrom ", 1)[0].removeprefix(b"From ") + b"\n")
    series = series_of(fetch(str(only)))
    assert (series.kind, series.patches) == (ThreadKind.PULL_REQUEST, ())
    assert "no patch was mailed under it" in series.notes[0]
    assert "tags/kvm-arm-for-5.3, then reviewer check BASE..FETCH_HEAD" in series.notes[0]


def test_cover_letter_without_a_subject_is_found_by_where_it_stands(shared: Path) -> None:
    series = series_of(_real(shared, "s390-gtp-deadlock-v3"))
    assert series.cover is not None
    assert series.cover.message_id == "cover.1729031472.git.danielyangkang@gmail.com"
    assert series.subject == "resolve gtp possible deadlock warning"


def test_diff_in_a_reply_is_pointed_out_and_left_alone(shared: Path) -> None:
    series = series_of(_real(shared, "kvm-mmu-notifiers-v2"))
    assert not any(patch.inline for patch in series.patches)
    assert "417bd6b5-b7d0-ed22-adae-02150cdbfebe@redhat.com" in series.notes[-1]


def test_inline_diff_of_a_real_flowed_reply(shared: Path) -> None:
    # git mailinfo joins this reply's empty context line to the next one, as RFC 3676 has it.
    series = series_of(_real(shared, "kvm-mmu-notifiers-v2"), inline_diff=True)
    (patch,) = series.patches
    assert patch.inline
    assert patch.message is not None
    assert patch.message.author == Address("Paolo Bonzini", "pbonzini@redhat.com")
    lines = patch.diff.decode().splitlines()
    assert lines[0] == "diff --git a/Documentation/virt/kvm/locking.rst b/Documentation/virt/kvm/locking.rst"
    assert lines[5] == " - kvm->slots_lock is taken outside kvm->irq_lock, though acquiring"
    assert lines[7:9] == [" ", "+- The kvm->mmu_notifier_slots_lock rwsem ensures that pairs of"]
    assert lines[-1] == " Everything else is a leaf: no other lock is taken inside the critical"
    assert len(series.replies) == 19


def test_real_trailers_of_replies(shared: Path) -> None:
    series = series_of(_real(shared, "s390-entry-gmap-v4"))
    given = {(reply.author.email, trailer) for reply in series.replies for trailer in reply.trailers}
    reviewed = Trailer("Reviewed-by", "Alexander Gordeev <agordeev@linux.ibm.com>")
    assert ("agordeev@linux.ibm.com", reviewed) in given


def test_base_commit_is_read(shared: Path) -> None:
    assert series_of(_real(shared, "s390-vmcore-mutex-v2")).base_commit == "feffde684ac29a3b7aec82d2df850fbdbdee55e4"
    # Quoted in a reply only: not the series' own word.
    assert series_of(_real(shared, "s390-vmcore-mutex-v1")).base_commit is None


def test_body_that_came_as_base64_is_text(shared: Path) -> None:
    series = series_of(_real(shared, "kvmarm-nohz-full-rcu-discussion"))
    assert series.cover is not None
    assert "nohz" in series.cover.body
    assert "\r" not in series.cover.body


def test_series_without_cover_whose_patches_answer_the_first(read: Read) -> None:
    series = series_of(
        read(
            mail(
                "Re: [PATCH 1/2] one",
                "r@x",
                b"Fine.\n\nReviewed-by: Rob <rob@example.org>\n",
                sender="Rob <rob@example.org>",
                reply_to="1@x",
            ),
            mail("[PATCH 2/2] two", "2@x", reply_to="1@x"),
            mail("[PATCH 1/2] one", "1@x"),
        )
    )
    assert [(patch.number, patch.subject) for patch in series.patches] == [(1, "one"), (2, "two")]
    assert (series.cover, series.message_id, series.subject) == (None, "1@x", "one")
    assert series.replies[0].trailers == (Trailer("Reviewed-by", "Rob <rob@example.org>"),)


def test_trailer_in_somebody_elses_name_is_not_taken(read: Read) -> None:
    answer = mail(
        "Re: [PATCH] one", "r@x", b"Acked-by: Boss <boss@example.com>\n", sender="Rob <rob@example.org>", reply_to="1@x"
    )
    assert series_of(read(mail("[PATCH] one", "1@x"), answer)).replies[0].trailers == ()


def test_chain_of_patches_each_answering_the_one_before(read: Read) -> None:
    series = series_of(
        read(
            mail("[PATCH 0/3] all", "0@x", b"A cover.\n"),
            mail("[PATCH 1/3] one", "1@x", reply_to="0@x"),
            mail("[PATCH 2/3] two", "2@x", reply_to="1@x"),
            mail("[PATCH 3/3] three", "3@x", reply_to="2@x"),
        )
    )
    assert (len(series.patches), series.missing, series.message_id) == (3, (), "0@x")


def test_patches_whose_cover_letter_is_not_here(read: Read) -> None:
    series = series_of(
        read(mail("[PATCH 2/3] two", "2@x", reply_to="0@x"), mail("[PATCH 3/3] three", "3@x", reply_to="0@x"))
    )
    assert ([patch.number for patch in series.patches], series.missing) == ([2, 3], (1,))


def test_cover_letter_whose_patches_went_to_other_lists(read: Read) -> None:
    series = series_of(read(mail("[PATCH v3 0/4] all", "0@x", b"A cover.\n")))
    assert (series.patches, series.total, series.missing, series.revision) == ((), 4, (1, 2, 3, 4), 3)
    assert any("not found" in note for note in series.notes)


def test_second_patch_in_the_thread_does_not_push_out_the_first_series(read: Read) -> None:
    # b4 puts the stray patch on place 1, patch 1 on place 2, and loses patch 2.
    series = series_of(
        read(
            mail("[PATCH 0/2] all", "0@x", b"A cover.\n"),
            mail("[PATCH 1/2] one", "1@x", reply_to="0@x"),
            mail("[PATCH 2/2] two", "2@x", reply_to="0@x"),
            mail("[PATCH] what about this", "n@y", sender="Rob <rob@example.org>", reply_to="2@x"),
        )
    )
    assert [patch.subject for patch in series.patches] == ["one", "two"]
    assert any("another patch, not reviewed here: n@y" in note for note in series.notes)


def test_note_of_a_bot_with_the_applied_diff_is_no_patch(read: Read) -> None:
    bot = mail("[tip: locking/core] one", "b@bot", sender="tip-bot <tip@example.org>", reply_to="1@x")
    series = series_of(read(mail("[PATCH] one", "1@x"), bot))
    assert [patch.message.message_id for patch in series.patches if patch.message] == ["1@x"]
    assert [reply.message_id for reply in series.replies] == ["b@bot"]


def test_single_patch_that_was_sent_again(read: Read) -> None:
    again = mail("[PATCH 2/2] two", "2b@x", reply_to="0@x")
    thread = (
        mail("[PATCH 0/2] all", "0@x", b"A cover.\n"),
        mail("[PATCH 1/2] one", "1@x", reply_to="0@x"),
        mail("[PATCH 2/2] two", "2@x", reply_to="0@x"),
    )
    series = series_of(read(*thread, again))
    assert [patch.message.message_id for patch in series.patches if patch.message] == ["1@x", "2@x"]
    assert any("patch 2 sent separately, not reviewed here: 2b@x" in note for note in series.notes)


def test_whole_series_that_was_sent_again_unchanged(read: Read) -> None:
    def sent(mark: str, tag: str) -> tuple[bytes, ...]:
        return (
            mail(f"[PATCH {tag}0/2] all", f"0{mark}@x", b"A cover.\n", reply_to="0a@x" if mark == "b" else None),
            mail(f"[PATCH {tag}1/2] one", f"1{mark}@x", reply_to=f"0{mark}@x"),
            mail(f"[PATCH {tag}2/2] two", f"2{mark}@x", reply_to=f"0{mark}@x"),
        )

    series = series_of(read(*sent("a", ""), *sent("b", "RESEND ")))
    assert (series.message_id, len(series.patches)) == ("0b@x", 2)


def test_version_given_in_the_cover_letter_only(read: Read) -> None:
    series = series_of(
        read(mail("[PATCH v4 0/1] all", "0@x", b"A cover.\n"), mail("[PATCH 1/1] one", "1@x", reply_to="0@x"))
    )
    assert (series.revision, len(series.patches), series.cover is not None) == (4, 1, True)


def test_version_given_in_the_patches_only(read: Read) -> None:
    series = series_of(
        read(mail("[PATCH 0/1] all", "0@x", b"A cover.\n"), mail("[PATCH v4 1/1] one", "1@x", reply_to="0@x"))
    )
    assert (series.revision, len(series.patches), series.cover is not None) == (4, 1, True)


def test_newer_revision_as_answer_to_the_older_one(read: Read) -> None:
    messages = (
        mail("[PATCH 0/1] all", "0@x", b"A cover.\n"),
        mail("[PATCH 1/1] one", "1@x", reply_to="0@x"),
        mail("[PATCH v2 0/1] all", "v2-0@x", b"A cover.\n", reply_to="0@x"),
        mail("[PATCH v2 1/1] one", "v2-1@x", reply_to="v2-0@x"),
    )
    assert series_of(read(*messages)).message_id == "v2-0@x"
    old = series_of(read(*messages, wanted="1@x"))
    assert (old.message_id, old.newer) == ("0@x", (2, "v2-0@x"))


def test_one_patch_sent_again_as_v2_is_filled_up_from_v1(read: Read) -> None:
    series = series_of(
        read(
            mail("[PATCH 0/2] all", "0@x", b"A cover.\n"),
            mail("[PATCH 1/2] one", "1@x", reply_to="0@x"),
            mail("[PATCH 2/2] two", "2@x", reply_to="0@x"),
            mail("[PATCH v2 2/2] two, better", "2b@x", reply_to="2@x"),
        )
    )
    assert [patch.message.message_id for patch in series.patches if patch.message] == ["1@x", "2b@x"]
    assert series.revision == 2
    assert any("taken from v1: 1." in note for note in series.notes)


def test_patch_with_a_number_beyond_the_total(read: Read) -> None:
    series = series_of(
        read(
            mail("[PATCH 1/2] one", "1@x"),
            mail("[PATCH 2/2] two", "2@x", reply_to="1@x"),
            mail("[PATCH 3/2] and this", "3@x", reply_to="1@x"),
        )
    )
    assert [patch.number for patch in series.patches] == [1, 2]
    assert any("3@x" in note for note in series.notes)


def test_mailbox_of_two_series_asks_which_one(read: Read) -> None:
    messages = (
        mail("[PATCH] first thing", "1@x"),
        mail("[PATCH] other thing", "2@y", sender="Bob <bob@example.org>"),
    )
    with pytest.raises(SeriesError) as caught:
        series_of(read(*messages))
    assert "1@x  first thing" in str(caught.value)
    assert "2@y  other thing" in str(caught.value)
    assert series_of(read(*messages, wanted="2@y")).subject == "other thing"


def test_mailbox_of_two_revisions_in_two_threads_takes_the_newer(read: Read) -> None:
    series = series_of(read(mail("[PATCH v2] thing", "2@x"), mail("[PATCH] thing", "1@x")))
    assert series.message_id == "2@x"


def test_stable_branch_and_other_words_of_the_subject(read: Read) -> None:
    assert series_of(read(mail("[PATCH 6.1 v2 1/1] one", "1@x"))).branches == ("6.1",)
    assert series_of(read(mail("[PATCH RFC 6.6.y] one", "1@x"))).branches == ("6.6.y",)
    assert series_of(read(mail("[PATCH net-next v3 1/1] one", "1@x"))).branches == ("net-next",)
    assert series_of(read(mail("[RFC PATCH RESEND] one", "1@x"))).branches == ()


def test_base_change_id_and_prerequisites_of_the_cover_letter(read: Read) -> None:
    cover = (
        b"A cover.\n\n---\nbase-commit: 0123456789abcdef0123456789abcdef01234567\n"
        b"change-id: 20240304-clock-1234abcd\n"
        b"prerequisite-message-id: <before@x>\n"
        b"prerequisite-patch-id: aaaabbbbccccddddeeeeffff0000111122223333\n"
        b"prerequisite-change-id: 20240101-base-99:v3\n"
    )
    series = series_of(read(mail("[PATCH 0/1] all", "0@x", cover), mail("[PATCH 1/1] one", "1@x", reply_to="0@x")))
    assert series.base_commit == "0123456789abcdef0123456789abcdef01234567"
    assert series.change_id == "20240304-clock-1234abcd"
    assert series.prerequisites == (
        "message-id:before@x",
        "patch-id:aaaabbbbccccddddeeeeffff0000111122223333",
        "change-id:20240101-base-99:v3",
    )


def test_word_that_only_looks_like_a_base_commit(read: Read) -> None:
    # b4 takes the first hexadecimal digits of any word, "dead" here.
    cover = b"A cover.\n\nbase-commit: deadline is tomorrow\n"
    series = series_of(read(mail("[PATCH 0/1] all", "0@x", cover), mail("[PATCH 1/1] one", "1@x", reply_to="0@x")))
    assert series.base_commit is None


def _only(series: Series) -> bytes:
    (patch,) = series.patches
    return patch.diff


def test_description_and_trailers(read: Read) -> None:
    body = mails.BODY.replace(b"---\n d", b"Cc: Bob <bob@example.org> # v6.1\n---\nv2: better\n\n d", 1)
    (patch,) = series_of(read(mail("[PATCH v2] demo: stop the clock", "1@x", body))).patches
    assert patch.subject == "demo: stop the clock"
    assert patch.description.startswith("The counter runs over after a while.")
    assert "v2: better" not in patch.description
    assert patch.trailers == (
        Trailer("Signed-off-by", "Ann Author <ann@example.org>"),
        Trailer("Cc", "Bob <bob@example.org> # v6.1"),
    )
    assert patch.message is not None
    assert "v2: better" in patch.message.body


def test_quoted_printable(read: Read, tmp_path: Path) -> None:
    extra = ("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable")
    diff = _only(series_of(read(mail("[PATCH] one", "1@x", mails.quoted_printable(mails.BODY), extra=extra))))
    assert mails.applied(tmp_path, diff) == mails.AFTER


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_base64_with_and_without_the_crs_of_its_text(read: Read, tmp_path: Path, line_end: bytes) -> None:
    extra = ("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64")
    body = mails.base64_text(mails.BODY.replace(b"\n", line_end))
    diff = _only(series_of(read(mail("[PATCH] one", "1@x", body, extra=extra))))
    assert mails.applied(tmp_path, diff) == mails.AFTER


def _crlf_diff() -> bytes:
    lines = mails.DIFF.split(b"\n")
    return b"\n".join(line + b"\r" if number > 4 and line else line for number, line in enumerate(lines))


def test_patch_of_a_crlf_file_keeps_its_crs(read: Read, tmp_path: Path) -> None:
    body = b"Text.\n---\n" + mails.STAT + _crlf_diff()
    diff = _only(series_of(read(mail("[PATCH] one", "1@x", body))))
    before, after = (text.replace(b"\n", b"\r\n") for text in (mails.BEFORE, mails.AFTER))
    assert mails.applied(tmp_path, diff, before) == after


def test_mail_saved_with_crlf_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "saved.eml"
    path.write_bytes(mail("[PATCH] one", "1@x").replace(b"\n", b"\r\n"))
    assert mails.applied(tmp_path, _only(series_of(fetch(str(path))))) == mails.AFTER


def _stuffed(text: bytes) -> bytes:
    return b"".join(b" " + line if line.startswith((b" ", b">")) else line for line in text.splitlines(keepends=True))


FLOWED = ("Content-Type: text/plain; charset=utf-8; format=flowed", "Content-Transfer-Encoding: 8bit")


def test_flowed_patch_with_space_stuffing(read: Read, tmp_path: Path) -> None:
    series = series_of(read(mail("[PATCH] one", "1@x", _stuffed(mails.BODY), extra=FLOWED)))
    assert mails.applied(tmp_path, _only(series)) == mails.AFTER
    assert series.notes == ()


def test_flowed_patch_whose_long_line_was_broken_softly(read: Read, tmp_path: Path) -> None:
    long = b"\tif (ticks < 100 && demo_is_running_at_full_speed())\n"
    diff = mails.DIFF.replace(b"\tif (ticks < 100)\n", long)
    body = b"Text.\n---\n" + _stuffed(diff).replace(b"100 && demo", b"100 && \ndemo")
    series = series_of(read(mail("[PATCH] one", "1@x", body, extra=FLOWED)))
    assert mails.applied(tmp_path, _only(series)) == mails.AFTER.replace(b"\tif (ticks < 100)\n", long)


def test_flowed_only_in_name(read: Read, tmp_path: Path) -> None:
    # Thunderbird says flowed of text that it left alone when told not to wrap.
    diff = _only(series_of(read(mail("[PATCH] one", "1@x", extra=FLOWED))))
    assert mails.applied(tmp_path, diff) == mails.AFTER


def test_flowed_patch_beyond_repair_is_said_to_be(read: Read) -> None:
    body = _stuffed(mails.BODY).replace(b"+\t\tticks++;\n", b"")
    series = series_of(read(mail("[PATCH] one", "1@x", body, extra=FLOWED)))
    assert series.notes == ("Patch 1/1 was sent as format=flowed, and its lines cannot be put back together.",)


def test_diff_in_latin_1_keeps_its_bytes(read: Read, tmp_path: Path) -> None:
    extra = ("Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: 8bit")
    body = mails.BODY.replace(b"The counter", b"Der Z\xe4hler").replace(b"100)", b"100) /* \xe4 */")
    (patch,) = series_of(read(mail("[PATCH] one", "1@x", body, extra=extra))).patches
    assert patch.description.startswith("Der Z\u00e4hler")
    assert b"/* \xe4 */" in mails.applied(tmp_path, patch.diff)


def test_unknown_charset_is_no_obstacle(read: Read, tmp_path: Path) -> None:
    extra = ("Content-Type: text/plain; charset=klingon", "Content-Transfer-Encoding: 8bit")
    series = series_of(read(mail("[PATCH] one", "1@x", mails.BODY.replace(b"The", b"D\xe4"), extra=extra)))
    assert mails.applied(tmp_path, _only(series)) == mails.AFTER
    assert "character set that git does not know" in series.notes[0]


def test_patch_as_attachment(read: Read, tmp_path: Path) -> None:
    body = (
        b"--b\nContent-Type: text/plain; charset=utf-8\n\nThe counter runs over.\n\n"
        b"--b\nContent-Type: text/x-patch; name=one.patch\nContent-Transfer-Encoding: base64\n"
        b"Content-Disposition: attachment\n\n" + mails.base64_text(mails.DIFF) + b"--b--\n"
    )
    extra = ('Content-Type: multipart/mixed; boundary="b"',)
    assert mails.applied(tmp_path, _only(series_of(read(mail("[PATCH] one", "1@x", body, extra=extra))))) == mails.AFTER


def test_line_that_begins_with_from_is_unquoted(read: Read) -> None:
    body = b"Two of them:\n\nFrom here on it counts.\n>From there, too.\n---\n" + mails.DIFF
    (patch,) = series_of(read(mail("[PATCH] one", "1@x", body))).patches
    assert patch.description == "Two of them:\n\nFrom here on it counts.\n>From there, too."


RELAY = "Ann via B4 Relay <devnull+ann.example.org@kernel.org>"


@pytest.mark.parametrize(
    ("sender", "extra", "body", "author"),
    [
        (RELAY, ("X-Original-From: Ann <ann@example.org>",), b"", "ann@example.org"),
        (RELAY, (), b"From: Ann <ann@example.org>\n\n", "ann@example.org"),
        ("Ann via Kernel List <list@example.org>", ("Reply-To: Ann <ann@example.org>",), b"", "ann@example.org"),
        ("Maintainer <m@example.org>", (), b"From: Ann <ann@example.org>\n\n", "m@example.org"),
    ],
)  # fmt: skip
def test_author_of_relayed_mail(read: Read, sender: str, extra: tuple[str, ...], body: bytes, author: str) -> None:
    series = series_of(read(mail("[PATCH] one", "1@x", body + mails.BODY, sender=sender, extra=extra)))
    (patch,) = series.patches
    assert patch.message is not None
    assert patch.message.author.email == author
    assert patch.description.startswith("The counter")


def test_folded_and_encoded_headers(read: Read) -> None:
    message = mail(
        "[PATCH v2\n 1/1] =?utf-8?q?demo=3A_stop_=C3=A4?=\n =?utf-8?q?_clock?=",
        "1@x",
        sender="=?iso-8859-1?q?J=F6rg_=22Clock=22_M=2C?= <jm@example.org>",
        extra=('Cc: =?utf-8?b?w4Q=?= <a@example.org>,\n\t"B, C" <b@example.org>, undisclosed-recipients:;',),
    )
    (patch,) = series_of(read(message)).patches
    assert patch.subject == "demo: stop \u00e4 clock"
    assert patch.message is not None
    assert patch.message.author == Address('J\u00f6rg "Clock" M,', "jm@example.org")
    assert patch.message.subject == "[PATCH v2 1/1] demo: stop \u00e4 clock"
    assert patch.message.cc == (Address("\u00c4", "a@example.org"), Address("B, C", "b@example.org"))


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Mon, 32 Foo 2024 99:99:99 +9900",
        "1 Jan 1970 00:00:00 -2400",
        "Mon, 32 Jan 2024 10:00:00 +0100",
    ],
)
def test_odd_dates_stop_nothing_and_are_kept(read: Read, date: str) -> None:
    answer = mail("Re: [PATCH] one", "r@x", b"Acked-by: Ann <ann@example.org>\n", reply_to="1@x", date=date)
    series = series_of(read(mail("[PATCH] one", "1@x", date=date), answer))
    assert [reply.date for reply in series.replies] == [date]
    assert series.replies[0].trailers == (Trailer("Acked-by", "Ann <ann@example.org>"),)


@pytest.mark.parametrize(
    "header",
    [
        "Cc: <",
        "Cc: a@[",
        "To: =?utf-8?b?////?= <a@b>",
        "Content-Type: text/plain; charset*0*=utf-8''%",
        "Content-Type: multipart/mixed",
        "Content-Type: ;;;==",
        'Content-Transfer-Encoding: base64\nContent-Type: text/plain; charset=""',
        "In-Reply-To: <self@x> and <<",
        "References: <1@x> <1@x> <",
        "In-Reply-To: <@>\nMessage-ID: <",
        "Subject: [[[[",
        "From: \x01\x02",
        "no colon here",
    ],
)
def test_malformed_headers_stop_nothing(read: Read, header: str) -> None:
    odd = mail("Re: odd", "odd@x", b"Some text.\n", reply_to="1@x", extra=(header,))
    series = series_of(read(mail("[PATCH] one", "1@x"), odd))
    assert len(series.patches) == 1
    assert [reply.message_id for reply in series.replies] == ["odd@x"]


def test_line_break_inside_an_encoded_word_is_not_repaired(read: Read) -> None:
    # Whoever writes a header from it has to see and refuse it.
    message = mail("[PATCH] one =?utf-8?q?=0ABcc=3A_x?=", "1@x")
    (patch,) = series_of(read(message)).patches
    assert patch.message is not None
    assert "\n" in patch.message.subject


def test_mails_that_answer_each_other_in_a_circle(read: Read) -> None:
    series = series_of(
        read(
            mail("[PATCH 1/2] one", "1@x", reply_to="2@x"),
            mail("[PATCH 2/2] two", "2@x", reply_to="1@x"),
        )
    )
    assert [patch.number for patch in series.patches] == [1, 2]


def test_inline_diff_among_several_has_to_be_named(read: Read) -> None:
    def answer(name: str, body: bytes) -> bytes:
        return mail("Re: [PATCH] one", f"{name}@x", body, sender=f"{name.upper()} <{name}@example.org>", reply_to="1@x")

    messages = (
        mail("[PATCH] one", "1@x"),
        answer("a", b"> quoted\n\nRather:\n\n" + mails.DIFF + b"\nOr so.\n"),
        answer("b", b"Or:\n\n" + mails.DIFF),
        answer("c", b"> " + mails.DIFF.replace(b"\n", b"\n> ") + b"\nNo.\n"),
    )
    with pytest.raises(SeriesError, match=r"a@x  A\n  b@x  B$"):
        series_of(read(*messages), inline_diff=True)
    series = series_of(read(*messages, wanted="a@x"), inline_diff=True)
    assert _only(series) == mails.DIFF
    assert series.author == Address("A", "a@example.org")
    plain = series_of(read(*messages, wanted="a@x"))
    assert plain.patches[0].message is not None
    assert plain.patches[0].message.message_id == "1@x"
    assert "--inline-diff reviews that diff" in plain.notes[0]


def test_inline_diff_behind_scissors_brings_its_message(read: Read) -> None:
    body = b"How about this?\n\n-- >8 --\nSubject: [PATCH] demo: other way\n\nBecause.\n\n" + mails.DIFF
    answer = mail("Re: [PATCH] one", "a@x", body, reply_to="1@x")
    (patch,) = series_of(read(mail("[PATCH] one", "1@x"), answer), inline_diff=True).patches
    assert (patch.subject, patch.description, patch.diff) == ("demo: other way", "Because.", mails.DIFF)


def test_reading_mail_leaves_pythons_charset_table_alone(read: Read) -> None:
    # Importing b4 or liblore changes it for every mail that the program writes.
    before = dict(email.charset.CHARSETS)
    assert series_of(read(mail("[PATCH] one", "1@x"))).patches
    assert dict(email.charset.CHARSETS) == before
    assert not {"b4", "liblore"} & set(sys.modules)


def test_parts_nested_without_end_stop_nothing(read: Read) -> None:
    nested = b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (level, level + 1) for level in range(3000)
    )
    odd = mail(
        "Re: [PATCH] one", "odd@x", nested, reply_to="1@x", extra=("Content-Type: multipart/mixed; boundary=b0",)
    )
    series = series_of(read(mail("[PATCH] one", "1@x"), odd))
    assert [reply.message_id for reply in series.replies] == ["odd@x"]
    assert len(series.patches) == 1


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Re: " + "[" * 50_000, b"Text.\n"),
        ("Re: " + "=?utf-8?q?a?= " * 20_000, b"Text.\n"),
        ("Re: [PATCH] one", b"\n" * 300_000),
        ("Re: [PATCH] one", b"a: b\n" * 100_000),
        ("Re: [PATCH] one", b"- " * 300_000 + b"\n" + b"--- a/x\n" * 50_000),
        ("Re: [PATCH] one", b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,99999999999 +1 @@\n" + b" x\n" * 100_000),
    ],
    ids=["brackets", "encoded words", "empty lines", "trailers", "dashes", "endless hunk"],
)
@pytest.mark.parametrize("flowed", [False, True])
def test_mail_made_to_take_forever(tmp_path: Path, subject: str, body: bytes, flowed: bool) -> None:
    path = tmp_path / "slow.mbox"
    odd = mail(subject, "odd@x", body, reply_to="1@x", extra=FLOWED if flowed else ())
    path.write_bytes(mails.mboxrd(mail("[PATCH] one", "1@x"), odd))
    series = series_of(fetch(str(path), timeout=30))
    assert [reply.message_id for reply in series.replies] == ["odd@x"]


def test_control_characters_of_a_mail_reach_no_sentence(read: Read) -> None:
    messages = (
        mail("[PATCH] first \x1b[31mthing", "1\x1b@x"),
        mail("[PATCH] other \x07thing", "2@y", sender="Bob <bob@example.org>"),
    )
    with pytest.raises(SeriesError) as caught:
        series_of(read(*messages))
    assert "\x1b" not in str(caught.value)
    assert "\x07" not in str(caught.value)
    assert not any("\x1b" in note for note in series_of(read(messages[0])).notes)
