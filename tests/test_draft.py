# SPDX-License-Identifier: GPL-2.0-or-later
"""The drafted mails: what they say, what they quote, and that no program takes them for something else."""

# ruff: noqa: E101 (kernel code, indented as the kernel does)

from __future__ import annotations

import dataclasses
import email
import email.policy
import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from reviewer.errors import DraftError
from reviewer.mail import prose
from reviewer.mail.draft import MOST_LINES, Draft, compose, write
from reviewer.mail.fetch import fetch as fetch_thread
from reviewer.mail.quote import CUT, hunks_of, locate, quote
from reviewer.mail.raised import with_raised
from reviewer.mail.said import answered_by_author, said_in_reply
from reviewer.mail.series import series_of
from reviewer.model import (
    Address,
    Applied,
    Base,
    Change,
    Citation,
    Finding,
    Kernels,
    Message,
    Patch,
    PatchReview,
    Place,
    Raised,
    Review,
    Series,
    Severity,
    Step,
    ThreadKind,
    Where,
)

from .inbox import Inbox

JANE = Address("Jane Reviewer", "jane@example.org")
ANN = Address("Ann Author", "ann@example.com")
LIST = Address("", "linux-bells@lists.example.org")
MAINTAINER = Address("Max Maintainer", "max@example.net")
BASE = Base("0123456789abcdef0123456789abcdef01234567", "HEAD")
PATH = "drivers/misc/bell.c"

DIFF = b"""\
diff --git a/drivers/misc/bell.c b/drivers/misc/bell.c
index 1111111..2222222 100644
--- a/drivers/misc/bell.c
+++ b/drivers/misc/bell.c
@@ -40,12 +40,15 @@ static void bell_answer(struct bell *bell, u32 token)
 	struct ring *ring;
~
 	raw_spin_lock(&bell->lock);
 	ring = bell_find(bell, token);
 	if (!ring) {
-		raw_spin_unlock(&bell->lock);
-		return;
+		/*
+		 * Nobody has rung yet.
+		 * Leave a note.
+		 */
+		ring = kzalloc(sizeof(*ring), GFP_KERNEL);
 	}
 	ring->token = token;
-	list_del(&ring->node);
+	list_move(&ring->node, &bell->done);
+	trace_bell_answer(bell);
 	raw_spin_unlock(&bell->lock);
 }
@@ -80,3 +83,4 @@ static int bell_probe(struct device *dev)
 	bell_init(dev);
+	bell_start(dev);
 	return 0;
 }
--
2.39.5
""".replace(b"~\n", b" \n").replace(b"--\n", b"-- \n")

ALLOCATION = Finding(
    check="rt-alloc-under-raw-spinlock",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    change=Change.INTRODUCED,
    path=PATH,
    line=49,
    function="bell_answer",
    message="kzalloc() is called while bell->lock, a raw_spinlock_t, is held",
    question="Can kzalloc(GFP_KERNEL) be called here, with bell->lock held?",
    witness=(
        Step(PATH, 42, "bell_answer", "raw_spin_lock(&bell->lock) <- raw_spinlock_t"),
        Step(PATH, 49, "bell_answer", "kzalloc(sizeof(*ring), GFP_KERNEL)"),
    ),
    citations=(
        Citation(
            "Documentation/locking/bells.rst",
            "Raw locks",
            12,
            "Whoever holds a raw lock keeps the CPU for himself, so nothing that may want the CPU for something else "
            "is to be called, and for the same reason the critical section must avoid allocating memory.",
            BASE.commit,
            "must avoid allocating memory",
        ),
    ),
)
SLEEP = dataclasses.replace(
    ALLOCATION,
    check="lock-gfp-blocking-in-atomic",
    area="locking",
    kernels=Kernels.ALL,
    question="Can kzalloc(GFP_KERNEL) sleep here?",
    witness=(
        Step(PATH, 20, "bell_interrupt", "hard interrupt, request_irq()"),
        Step(PATH, 25, "bell_interrupt", "bell_answer(bell, token)"),
        Step(PATH, 49, "bell_answer", "kzalloc(sizeof(*ring), GFP_KERNEL)"),
    ),
    context_frames=1,
    before="Before this patch bell_answer() did not allocate.",
    citations=(),
    consequence='A sleeping interrupt handler is a "scheduling while atomic" splat at best.',
)
RACE = Finding(
    check="rcu-list-del-nonrcu",
    area="rcu",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    change=Change.INTRODUCED,
    path=PATH,
    line=52,
    function="bell_answer",
    message="the entry is moved while readers may stand on it",
    question="What prevents a reader in bell_walk() from following ring->node onto the other list?",
    interleaving=(
        ("bell_answer()", "bell_walk()"),
        ("", "rcu_read_lock()"),
        ("", "list_for_each_entry_rcu()"),
        ("list_move(&ring->node, &bell->done)", ""),
        ("", "never sees the head of the list again"),
    ),
)


def message(subject: str = "[PATCH v2 1/1] misc: bell: Leave a note", **changes: Any) -> Message:
    values: dict[str, Any] = {
        "message_id": "20240304-bell-v2-1@example.com",
        "subject": subject,
        "author": ANN,
        "date": "Mon, 04 Mar 2024 10:00:00 +0100",
        "body": "Leave a note.\n\nSigned-off-by: Ann Author <ann@example.com>\n---\n" + DIFF.decode(),
        "to": (MAINTAINER,),
        "cc": (LIST, JANE, ANN),
        "references": ("20240304-bell-v2-0@example.com",),
        "in_reply_to": "20240304-bell-v2-0@example.com",
    }
    return Message(**values | changes)


def reviewed(*findings: Finding, mail: Message | None = None, diff: bytes = DIFF, **changes: Any) -> Review:
    mail = mail or message()
    patch = Patch(1, "misc: bell: Leave a note", diff, message=mail)
    series = Series(ThreadKind.SERIES, mail.message_id, mail.subject, 2, mail.author, (patch,), 1)
    checked = PatchReview(1, patch.subject, mail.message_id, None, Applied.YES, findings=findings)
    checked = dataclasses.replace(checked, **{key: changes.pop(key) for key in ("applied", "reason") if key in changes})
    return Review(dataclasses.replace(series, **changes), BASE, (checked,))


def several(*findings: tuple[Finding, ...], cover: bool = True, **changes: Any) -> Review:
    """A series of as many patches as there are tuples of findings."""
    total = len(findings)
    body = "Hi,\n\nAnn Author (2):\n" + "".join(f"  misc: bell: Part {n}\n" for n in range(1, total + 1))
    first = message(f"[PATCH 0/{total}] Bells", message_id="cover@example.com", body=body, references=())
    patches, checked = [], []
    for number, found in enumerate(findings, 1):
        mail = message(f"[PATCH {number}/{total}] misc: bell: Part {number}", message_id=f"part-{number}@example.com")
        patches.append(Patch(number, f"misc: bell: Part {number}", DIFF, message=mail))
        checked.append(PatchReview(number, patches[-1].subject, mail.message_id, None, Applied.YES, findings=found))
    series = Series(
        ThreadKind.SERIES, "cover@example.com", first.subject, 1, ANN, tuple(patches), total, first if cover else None
    )
    return Review(dataclasses.replace(series, **changes), BASE, tuple(checked))


def only(review: Review, **options: Any) -> Draft:
    (draft,) = compose(review, sender=JANE, **options)
    return draft


def parsed(draft: Draft) -> EmailMessage:
    mail = email.message_from_bytes(draft.data, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def body(draft: Draft) -> str:
    return draft.data.partition(b"\n\n")[2].decode()


def quoted_lines(draft: Draft) -> list[str]:
    return [line for line in body(draft).split("\n") if line.startswith(">")]


@pytest.fixture(autouse=True)
def _version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewer.mail.draft.__version__", "1.2.3")


# --- what a mail says ----------------------------------------------------------------------------------------------


def test_a_whole_mail(golden: Callable[[str, str], None]) -> None:
    golden("reply.txt", only(reviewed(SLEEP, ALLOCATION, RACE)).data.decode())


def test_a_mail_about_a_patch_that_did_not_apply(golden: Callable[[str, str], None]) -> None:
    review = reviewed(SLEEP, applied=Applied.NO, reason="drivers/misc/bell.c:40: context differs")
    draft = only(review)
    golden("reply-diff-only.txt", draft.data.decode())
    assert body(draft).index("I could not apply") < body(draft).index("> @@")


def test_a_mail_on_the_cover_letter(golden: Callable[[str, str], None]) -> None:
    mended = dataclasses.replace(SLEEP, fixed_later=3)
    draft = only(several((), (mended,), ()))
    assert draft.patch == 0
    golden("cover.txt", draft.data.decode())


def test_the_comment_stands_directly_under_its_line() -> None:
    lines = body(only(reviewed(ALLOCATION))).split("\n")
    at = lines.index("> +\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);")
    assert lines[at + 1] == ""
    assert lines[at + 2].startswith("On PREEMPT_RT, can kzalloc(GFP_KERNEL) be called here")


def test_every_quoted_line_stands_in_the_diff_and_each_quote_is_short() -> None:
    text = body(only(reviewed(SLEEP, ALLOCATION, RACE)))
    diff = DIFF.decode().split("\n")
    for line in text.split("\n"):
        if line.startswith(">"):
            assert line[2:] in diff
    for block in re.findall(r"(?:^(?:> .*|\[ \.\.\. \])\n)+", text, re.M):
        assert len(block.splitlines()) <= 12


def test_lines_that_the_comment_speaks_of_are_quoted_with_cuts_between() -> None:
    lines = body(only(reviewed(ALLOCATION))).split("\n")
    assert lines[1:8] == [
        "> @@ -40,12 +40,15 @@ static void bell_answer(struct bell *bell, u32 token)",
        CUT,
        ">  \traw_spin_lock(&bell->lock);",
        CUT,
        "> +\t\t * Nobody has rung yet.",
        "> +\t\t * Leave a note.",
        "> +\t\t */",
    ]


def test_an_exposed_finding_is_answered_under_the_line_that_brought_it() -> None:
    exposed = dataclasses.replace(SLEEP, change=Change.EXPOSED, path="kernel/other.c", line=7, cause=Place(PATH, 84))
    assert quoted_lines(only(reviewed(exposed)))[-1] == "> +\tbell_start(dev);"


@pytest.mark.parametrize("line", [2, 3])
def test_a_removed_line_can_be_the_one_to_blame(line: int) -> None:
    """Named by its place before the patch, or by the line that took its place."""
    diff = b"diff --git a/f.c b/f.c\n--- a/f.c\n+++ b/f.c\n@@ -1,4 +1,3 @@\n a\n b\n-lock();\n d\n"
    exposed = dataclasses.replace(SLEEP, change=Change.EXPOSED, cause=Place("f.c", line))
    assert quoted_lines(only(reviewed(exposed, diff=diff)))[-1] == ("> -lock();" if line == 3 else ">  b")


def test_two_comments_on_one_line_share_its_quote() -> None:
    draft = only(reviewed(SLEEP, ALLOCATION))
    assert body(draft).count("> +\t\tring = kzalloc") == 1
    assert len(draft.findings) == 2


def test_preempt_rt_is_named_first_and_once() -> None:
    assert prose.on_preempt_rt("Can this sleep?") == "On PREEMPT_RT, can this sleep?"
    assert prose.on_preempt_rt("kfree() sleeps here?") == "On PREEMPT_RT, kfree() sleeps here?"
    assert prose.on_preempt_rt("RCU readers, do they?") == "On PREEMPT_RT, RCU readers, do they?"
    assert prose.on_preempt_rt("Does this sleep on PREEMPT_RT?") == "Does this sleep on PREEMPT_RT?"


def test_the_chain_goes_inwards_and_names_functions_without_line_numbers() -> None:
    assert prose.chain(SLEEP.witness) == [
        "    bell_interrupt()      <- hard interrupt, request_irq()",
        "      bell_answer()",
        "        kzalloc(sizeof(*ring), GFP_KERNEL)",
    ]
    frames = tuple(Step(PATH, n, f"f{n}", f"f{n + 1}()") for n in range(40))
    drawn = prose.chain(frames)
    assert len(drawn) <= 10
    assert drawn[0].strip() == "f0()"
    assert drawn[-1].strip() == "f40()"
    assert any(line.strip() == "..." for line in drawn)


def test_a_path_is_announced_where_callers_were_followed() -> None:
    assert "The path that I found:" in body(only(reviewed(SLEEP)))
    within = dataclasses.replace(ALLOCATION, context_frames=1)
    assert "The path that I found:" not in body(only(reviewed(within)))


def test_an_entry_point_is_marked_by_how_it_is_entered() -> None:
    steps = (
        Step("irq.c", 5, "bell_interrupt", "<- hard interrupt, request_irq()"),
        Step(PATH, 25, "bell_interrupt", "bell_answer()"),
        Step(PATH, 49, "bell_answer", "return"),
    )
    assert prose.chain(steps) == [
        "    bell_interrupt()      <- hard interrupt, request_irq()",
        "      bell_answer()",
        "        return",
    ]


def test_a_call_through_a_pointer_names_the_function_behind_it() -> None:
    steps = (
        Step(PATH, 20, "bell_load", "load()"),
        Step(PATH, 49, "brass_load", "helper()"),
        Step(PATH, 60, "other", "spin_lock(&ring->lock)"),
    )
    assert prose.chain(steps) == [
        "    bell_load()",
        "      load() -> brass_load()",
        "        helper()",
        "        other()",
        "          spin_lock(&ring->lock)",
    ]


def test_a_context_remark_alone_becomes_the_mark() -> None:
    steps = (Step(PATH, 1, "f", "f()"), Step(PATH, 1, "f", "softirq"), Step(PATH, 3, "f", "g(x)"))
    assert prose.chain(steps) == ["    f()      <- softirq", "      g(x)"]


def test_two_sides_that_race_stand_in_two_columns_and_what_was_not_checked_is_said() -> None:
    text = body(only(reviewed(RACE)))
    assert "I did not check whether these" in text
    assert re.search(r"^    list_move\(&ring->node,$", text, re.M) or "list_move(&ring->node, &bell->done)" in text
    assert re.search(r"^ {30,}rcu_read_lock\(\)$", text, re.M)


def test_a_rule_is_quoted_on_two_lines_with_its_anchor() -> None:
    text = body(only(reviewed(ALLOCATION)))
    assert 'Documentation/locking/bells.rst, "Raw locks":' in text
    rule = text[text.index('  "') :].split("\n\n")[0].split("\n")
    assert len(rule) == 2
    assert "must avoid allocating memory" in " ".join(" ".join(rule).split())
    assert rule[0].startswith('  "[...] ')
    assert all(len(line) <= prose.WIDTH for line in rule)


def test_where_the_tree_states_no_rule_the_mail_says_what_breaks() -> None:
    text = body(only(reviewed(SLEEP)))
    assert "scheduling while atomic" in text
    assert "scheduling while atomic" not in body(
        only(reviewed(dataclasses.replace(SLEEP, citations=ALLOCATION.citations)))
    )


def test_a_chain_of_one_configuration_says_so() -> None:
    finding = dataclasses.replace(SLEEP, arch="arm64", config=("CONFIG_BELL", "!CONFIG_SMP"))
    assert "This is so only on arm64, with CONFIG_BELL, without CONFIG_SMP." in " ".join(
        body(only(reviewed(finding))).split()
    )
    assert prose.conditions("arch/arm64/kvm/x.c", "arm64", ()) == ""


def test_the_end_says_what_was_done_and_by_which_program() -> None:
    text = body(only(reviewed(SLEEP)))
    end = text.split("\n-- \n")[0].rstrip()
    assert end.endswith("\n\nI have only read this, on top of 0123456789ab; nothing was built or run.")
    assert re.search(r"\n-- \nreviewer \d+\.\d+\S*: lock-gfp-blocking-in-atomic\n$", text)
    three_way = " ".join(body(only(reviewed(SLEEP, applied=Applied.THREE_WAY))).split())
    assert "three-way merge" in three_way


def test_prose_keeps_to_75_columns() -> None:
    for line in prose.own_lines(body(only(reviewed(SLEEP, ALLOCATION, RACE)))):
        assert len(line) <= 80
        assert line.startswith("    ") or len(line) <= 75


# --- which findings are made ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [Change.FIXED, Change.PRE_EXISTING])
def test_what_the_patch_did_not_bring_is_not_mentioned(change: Change) -> None:
    assert compose(reviewed(dataclasses.replace(SLEEP, change=change)), sender=JANE) == ()


def test_nothing_found_makes_no_mail() -> None:
    assert compose(reviewed(), sender=JANE) == ()
    assert compose(Review(None, BASE, ()), sender=JANE) == ()


def test_local_commits_make_no_mail() -> None:
    patch = Patch(1, "misc: bell", DIFF, commit="1" * 40)
    series = Series(ThreadKind.SERIES, None, "", 1, None, (patch,))
    checked = PatchReview(1, "misc: bell", None, "1" * 40, Applied.YES, findings=(SLEEP,))
    assert compose(Review(series, BASE, (checked,)), sender=JANE) == ()


def test_nits_are_off_and_never_make_a_mail_alone() -> None:
    nit = dataclasses.replace(RACE, severity=Severity.NIT)
    assert compose(reviewed(nit), sender=JANE) == ()
    assert compose(reviewed(nit), sender=JANE, nits=True) == ()
    assert [f.severity for f in only(reviewed(nit, SLEEP)).findings] == [Severity.BUG]
    assert len(only(reviewed(nit, SLEEP), nits=True).findings) == 2


def test_a_mail_holds_three_findings_and_the_rest_is_counted() -> None:
    checks = [dataclasses.replace(SLEEP, check=f"lock-thing-{n}", line=46 + n) for n in range(5)]
    weak = dataclasses.replace(checks[0], severity=Severity.QUESTION)
    draft = only(reviewed(weak, *checks[1:]))
    assert len(draft.findings) == 3
    assert weak in draft.left_out
    assert len(draft.left_out) == 2
    assert len(list(prose.own_lines(body(draft)))) <= MOST_LINES


def test_a_finding_keeps_to_fifteen_lines() -> None:
    frames = tuple(Step(PATH, n, f"bell_function_number_{n}", f"bell_function_number_{n + 1}()") for n in range(20))
    long = dataclasses.replace(
        SLEEP, witness=(*frames, SLEEP.witness[-1]), question="Can this sleep? " * 10, config=("CONFIG_BELL",)
    )
    text = body(only(reviewed(long)))
    comment = text[text.index("Can this sleep") : text.index("I have only read")]
    assert len([line for line in comment.split("\n") if line.strip()]) <= 15


def test_the_same_finding_in_several_patches_is_made_once() -> None:
    drafts = compose(several((SLEEP,), (), (SLEEP,), (dataclasses.replace(SLEEP, function="other"),)), sender=JANE)
    assert [draft.patch for draft in drafts] == [1, 4], "what stands in another function is not the same"
    assert "Same in 3/4." in body(drafts[0])


def test_different_findings_make_a_mail_for_each_patch() -> None:
    assert [draft.patch for draft in compose(several((SLEEP,), (RACE,)), sender=JANE)] == [1, 2]


def test_what_a_later_patch_mends_is_one_sentence() -> None:
    mended = dataclasses.replace(RACE, fixed_later=2)
    own = compose(several((SLEEP, mended), ()), sender=JANE)
    assert [draft.patch for draft in own] == [1]
    assert " ".join(body(own[0]).split()).count("not bisectable between 1/2 and 2/2") == 1
    assert "What prevents" not in body(own[0])
    assert [draft.patch for draft in compose(several((mended,), (SLEEP,)), sender=JANE)] == [0, 2]
    without = compose(several((mended,), (SLEEP,), cover=False), sender=JANE)
    assert [draft.patch for draft in without] == [2]
    assert "not bisectable between 1/2 and 2/2" in " ".join(body(without[0]).split())
    assert compose(several((mended,), (), cover=False), sender=JANE) == ()


# --- what was said already -----------------------------------------------------------------------------------------

ANSWER = """\
On Mon, 04 Mar 2024 10:00:00 +0100, Ann Author wrote:
> @@ -40,12 +40,15 @@ static void bell_answer(struct bell *bell, u32 token)
> +		ring =  kzalloc(sizeof(*ring), GFP_KERNEL);

{}

> +	trace_bell_answer(bell);

Is this needed?
"""


def reply(text: str) -> Message:
    return message("Re: [PATCH]", author=MAINTAINER, body=ANSWER.format(text), message_id="r@example.net")


@pytest.mark.parametrize(
    "text", ["This cannot sleep, you are in an interrupt.", "kzalloc() is wrong here.", "Why GFP_KERNEL?"]
)
def test_a_point_that_a_reviewer_made_is_not_made_again(text: str) -> None:
    review = with_raised(reviewed(SLEEP, replies=(reply(text),)))
    assert compose(review, sender=JANE) == ()
    assert [one.raised for one in review.patches[0].findings] == [
        Raised(MAINTAINER, "r@example.net", Where.REPLY, author=False)
    ]


@pytest.mark.parametrize("text", ["Nice.", "Please add a blank line above.", "Acked-by: Max <max@example.net>"])
def test_another_point_about_the_line_does_not_silence_it(text: str) -> None:
    assert len(compose(with_raised(reviewed(SLEEP, replies=(reply(text),))), sender=JANE)) == 1


def test_the_same_point_about_another_line_does_not_silence_it() -> None:
    other = message(body="> +\tbell_start(dev);\n\nCan kzalloc() sleep here?\n")
    assert not said_in_reply(SLEEP, "+\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);", (other,))


def test_a_long_quote_and_a_word_far_below_are_not_the_same_point() -> None:
    line = "+\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);"
    far = f"> {line}\n" + "> +\tmore();\n" * 20 + "\nCan this sleep?\n"
    late = f"> {line}\n\n" + "About something else.\n" * 10 + "Sleep well.\n"
    signature = f"> {line}\n\nNice.\n--\nNever sleep\n"
    for text in (far, late, signature):
        assert not said_in_reply(SLEEP, line, (message(body=text),))


def test_a_brace_is_no_line_to_recognise() -> None:
    assert not said_in_reply(SLEEP, "+\t}", (message(body="> +\t}\n\nCan this sleep?\n"),))


def test_what_the_author_answered_below_the_dashes_is_not_asked_again() -> None:
    rest = "\n\n drivers/misc/bell.c | 9 +++--\n 1 file changed\n\n" + DIFF.decode()
    answered = "Leave a note.\n---\nkzalloc() cannot sleep here because\nonly a thread with GFP_KERNEL gets here.\n"
    assert answered_by_author(SLEEP, message(body=answered + rest))
    changes = "Leave a note.\n---\nv2: kzalloc() with GFP_KERNEL, was GFP_ATOMIC.\n"
    assert not answered_by_author(SLEEP, message(body=changes + rest))
    log = "kzalloc() cannot sleep here because of GFP_KERNEL.\n---\nv2: nothing.\n"
    assert not answered_by_author(SLEEP, message(body=log + rest))


# --- headers -------------------------------------------------------------------------------------------------------


def test_the_headers_answer_the_patch() -> None:
    draft = only(reviewed(SLEEP))
    mail = parsed(draft)
    assert str(mail["From"]) == "Jane Reviewer <jane@example.org>"
    assert str(mail["To"]) == "Ann Author <ann@example.com>"
    assert str(mail["Cc"]) == "Max Maintainer <max@example.net>, linux-bells@lists.example.org"
    assert mail["Subject"] == "Re: [PATCH v2 1/1] misc: bell: Leave a note"
    assert mail["In-Reply-To"] == "<20240304-bell-v2-1@example.com>"
    assert mail["References"] == "<20240304-bell-v2-0@example.com> <20240304-bell-v2-1@example.com>"
    assert mail["Date"] is None
    assert mail["Content-Transfer-Encoding"] == "8bit"
    assert mail["Content-Type"] == 'text/plain; charset="utf-8"'
    assert mail["MIME-Version"] == "1.0"
    assert draft.recipients == (ANN, MAINTAINER, LIST)


@pytest.mark.parametrize("subject", ["[PATCH] x", "Re: [PATCH] x", "re: RE:  Re: [PATCH] x"])
def test_the_subject_has_exactly_one_re(subject: str) -> None:
    assert only(reviewed(SLEEP, mail=message(subject))).subject == "Re: [PATCH] x"


def test_the_same_review_gives_the_same_bytes_and_another_text_another_message_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, again, other = (only(reviewed(f)) for f in (SLEEP, SLEEP, ALLOCATION))
    assert first == again
    assert first.message_id != other.message_id
    monkeypatch.setattr("reviewer.mail.draft.__version__", "9.9")
    assert only(reviewed(SLEEP)).message_id == first.message_id
    elsewhere = only(reviewed(SLEEP, mail=message(message_id="other@example.com")))
    assert elsewhere.message_id != first.message_id


def test_long_message_ids_are_neither_folded_nor_encoded() -> None:
    long = "a" * 300 + "@example.com"
    chain = tuple(f"{n}{'b' * 150}@example.com" for n in range(30))
    data = only(reviewed(SLEEP, mail=message(message_id=long, references=chain))).data
    assert b"\nIn-Reply-To: <" + long.encode() + b">\n" in data
    header = data.partition(b"\n\n")[0]
    references = re.search(rb"\nReferences: (.*(?:\n .*)*)", header)
    assert references is not None
    assert references[1].split() == [f"<{one}>".encode() for one in (*chain, long)]
    assert b"=?" not in header
    assert max(map(len, header.split(b"\n"))) <= 998


def test_names_in_all_scripts_survive() -> None:
    names = ("Jörg Größe", "李 雷", 'Ann "the bell" O\'Author, PhD', "Łukasz (kernel) Ż", "Ünal " * 20 + "Ö")
    for name in names:
        mail = message("[PATCH] größe: läuten 鐘", author=Address(name, "ann@example.com"))
        draft = only(reviewed(SLEEP, mail=mail))
        header = draft.data.partition(b"\n\n")[0]
        assert header.isascii()
        assert parsed(draft)["To"].addresses[0].display_name.split() == name.split()
        assert parsed(draft)["Subject"] == "Re: [PATCH] größe: läuten 鐘"
        assert f"{' '.join(name.split())} wrote:\n" in body(draft)


@pytest.mark.parametrize("evil", ["x\nBcc: victim@example.org", "x\r\nX-Y: z", "x\rz", "x\0y"])
@pytest.mark.parametrize("where", ["subject", "message_id", "references", "author", "cc"])
def test_a_header_that_could_be_forged_is_refused_and_not_repaired(evil: str, where: str) -> None:
    value: Any = {"references": (evil,), "author": Address(evil, "a@example.com"), "cc": (Address(evil, "a@b.c"),)}
    mail = message(**{where: value.get(where, evil)})
    with pytest.raises(DraftError):
        compose(reviewed(SLEEP, mail=mail), sender=JANE)


def test_one_mail_that_cannot_be_answered_does_not_keep_the_others_from_it() -> None:
    review = several((SLEEP,), (RACE,))
    assert review.series is not None
    first, second = review.series.patches
    assert first.message is not None
    evil = dataclasses.replace(first, message=dataclasses.replace(first.message, subject="[PATCH]\nBcc: v@example.org"))
    forged = dataclasses.replace(review, series=dataclasses.replace(review.series, patches=(evil, second)))
    errors: list[DraftError] = []
    assert [draft.patch for draft in compose(forged, sender=JANE, refused=errors.append)] == [2]
    assert "Subject" in str(errors[0])


def test_without_an_address_of_ones_own_there_is_no_mail() -> None:
    with pytest.raises(DraftError, match=r"git config user\.email"):
        compose(reviewed(SLEEP), sender=Address("Jane", ""))


def test_answering_ones_own_patch_is_possible() -> None:
    draft = only(reviewed(SLEEP, mail=message(author=JANE)))
    assert draft.to == (JANE,)
    assert JANE not in draft.cc


# --- hostile diffs and texts ---------------------------------------------------------------------------------------


def hostile(*lines: bytes) -> bytes:
    added = b"".join(b"+" + line + b"\n" for line in lines)
    head = b"diff --git a/f.c b/f.c\n--- a/f.c\n+++ b/f.c\n@@ -1,1 +1,%d @@\n x\n" % (len(lines) + 1)
    return head + added


def on_line(number: int, **changes: Any) -> Finding:
    return dataclasses.replace(SLEEP, path="f.c", line=number, witness=(), **changes)


HOSTILE = (
    b"-- ",
    b"Reviewed-by: Evil <evil@example.org>",
    b"\x1b]0;owned\x07\x1b[2J",
    b"From evil@example.org Mon Mar  4 10:00:00 2024",
    b"{{ 7 * 7 }}{% include '/etc/passwd' %}",
    b"#syz fix: everything",
    "größe = 鐘;\u2028Acked-by: Evil <e@example.org>\x85x\x0cy".encode(),
)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_lines_are_quoted_as_they_stand(number: int) -> None:
    draft = only(reviewed(on_line(number + 2), diff=hostile(*HOSTILE)))
    assert b"\n> +" + HOSTILE[number] + b"\n" in draft.data
    prose.check_body(body(draft).rstrip("\n"))


@pytest.mark.parametrize("line", [b"x\rReviewed-by: Evil <evil@example.org>", b"x\0y", b"x" * 2000])
def test_a_line_that_mail_cannot_carry_is_cut_and_never_altered(line: bytes) -> None:
    draft = only(reviewed(on_line(3), diff=hostile(b"before();", line)))
    assert quoted_lines(draft)[-1] == "> +before();"
    assert CUT in body(draft).split("\n")
    assert b"Evil" not in draft.data


def test_dos_line_ends_and_latin_1_are_quoted_as_text() -> None:
    diff = hostile(b"gr\xf6\xdfe();\r", b"next();\r")
    assert quoted_lines(only(reviewed(on_line(3), diff=diff)))[-2:] == ["> +größe();", "> +next();"]


def test_a_diff_without_hunks_or_with_a_cut_one_does_no_harm() -> None:
    assert compose(reviewed(SLEEP, diff=b"diff --git a/x b/x\nBinary files a/x and b/x differ\n"), sender=JANE) == ()
    cut = DIFF[: DIFF.index(b"+\t\tring")]
    assert quoted_lines(only(reviewed(SLEEP, diff=cut)))


EVIL_TEXTS = (
    "Reviewed-by: Evil <evil@example.org>",
    "word " * 13 + "Reviewed-by: Evil <evil@example.org> and more",
    "From here on nothing is true.",
    "#syz invalid",
    "> quoted",
    "--- a/f.c",
    "-- \nReviewed-by: Evil <e@example.org>",
    "a\r\nb\0c\x1b[2Jd\u202ee\u2028f",
    "Context: May sleep.",
    "diff --git a/x b/x",
    "{{ 7 * 7 }}",
    "x" * 300,
)


@pytest.mark.parametrize("text", EVIL_TEXTS)
def test_no_text_makes_an_unquoted_line_that_a_program_acts_on(text: str) -> None:
    finding = dataclasses.replace(
        SLEEP,
        question=text,
        before=text,
        consequence=text,
        check="lock-x",
        message=text,
        config=(text,),
        witness=(Step(PATH, 1, text, text), Step(PATH, 49, "f", text), Step(PATH, 49, "f", f"{text}()")),
    )
    race = dataclasses.replace(RACE, interleaving=((text, text), ("", text)), citations=())
    rule = Citation(f"Documentation/{text}.rst", text, 1, f"{text} {text} {text}", "0" * 40, text)
    cited = dataclasses.replace(ALLOCATION, citations=(rule,), question=text)
    review = reviewed(finding, race, cited, applied=Applied.NO, reason=text)
    draft = only(review)
    prose.check_body(body(draft).rstrip("\n"))
    for line in prose.own_lines(body(draft)):
        assert not re.match(r"\s*\w\S+:\s+\S", line)
        assert not re.match(r"From |#|>|--|diff |@@", line)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line)


@pytest.mark.parametrize(
    "text",
    [
        "Reviewed-by: A <a@example.org>\n\n-- \nreviewer",
        "   Link: https://example.org/\n\n-- \nreviewer",
        "From x\n\n-- \nreviewer",
        "fine\n-- \nmore\n-- \nreviewer",
        "no signature",
        "fine\n\n-- \ntwo\nlines",
        "comment\n\n> quote\n\n-- \nreviewer",
        "#syz dup: x\n\n-- \nreviewer",
    ],
)
def test_the_last_look_refuses_what_should_not_be_there(text: str) -> None:
    with pytest.raises(DraftError):
        prose.check_body(text)


# --- the diff ------------------------------------------------------------------------------------------------------


def test_hunks_are_read_by_their_counts() -> None:
    hunks = hunks_of(DIFF)
    assert [len(hunk.lines) for hunk in hunks] == [19, 4]
    assert hunks[1].lines[-1].text == b" }"
    assert hunks_of(b"") == ()
    assert hunks_of(b"@@ -1,99999999 +1,9 @@\n+x\n")[0].lines[0].new == 1


def test_lines_are_found_by_their_numbers_after_the_patch() -> None:
    hunks = hunks_of(DIFF)

    def text(place: Place) -> bytes:
        spot = locate(hunks, place)
        assert spot is not None
        return hunks[spot.hunk].lines[spot.line].text

    assert text(Place(PATH, 49)).startswith(b"+\t\tring = kzalloc")
    assert text(Place(PATH, 42)) == b" \traw_spin_lock(&bell->lock);"
    assert text(Place(PATH, 84)) == b"+\tbell_start(dev);"
    assert text(Place(PATH, 70)) == b"+\ttrace_bell_answer(bell);"
    assert text(Place("other.c", 5)) == b"-\t\traw_spin_unlock(&bell->lock);"


def test_quoted_paths_renames_and_new_files_are_found() -> None:
    diff = (
        b'diff --git "a/\\303\\266.c" "b/\\303\\266.c"\nnew file mode 100644\n--- /dev/null\n+++ "b/\\303\\266.c"\n'
        b"@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n"
        b"diff --git a/old.c b/new.c\nsimilarity index 90%\nrename from old.c\nrename to new.c\n"
        b"--- a/old.c\n+++ b/new.c\n@@ -1 +1 @@\n-a\n+b\n"
    )
    hunks = hunks_of(diff)
    assert (hunks[0].old_path, hunks[0].new_path) == (None, "ö.c")
    assert (hunks[1].old_path, hunks[1].new_path) == ("old.c", "new.c")
    spot = locate(hunks, Place("new.c", 1))
    assert spot is not None
    assert quote(hunks, spot) == ("> diff --git a/old.c b/new.c", "> @@ -1 +1 @@", "> -a", "> +b")


# --- with other programs -------------------------------------------------------------------------------------------


def raw_patch(mail: Message, diff: bytes = DIFF) -> bytes:
    """The mail of a patch, as the list has it."""
    header = EmailMessage(policy=email.policy.default.clone(max_line_length=998))
    header["From"] = f"{mail.author.name} <{mail.author.email}>"
    header["To"] = MAINTAINER.email
    header["Subject"] = mail.subject
    header["Date"] = mail.date
    header["Message-ID"] = f"<{mail.message_id}>"
    text = b"Leave a note.\n\nSigned-off-by: Ann Author <ann@example.com>\n---\n" + diff
    header.set_content(text.decode(), cte="8bit")
    return bytes(header)


def fetch(url: str) -> bytes:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as response:
        data: bytes = response.read()
    return data


def test_a_draft_threads_under_its_patch_in_a_public_inbox(inbox: Inbox) -> None:
    mail = message(message_id="inbox-bell-1@example.com", references=(), in_reply_to=None)
    draft = only(reviewed(SLEEP, RACE, mail=mail))
    sent = b"Date: Tue, 05 Mar 2024 10:00:00 +0000\n" + draft.data
    inbox.add([raw_patch(mail), sent])
    archived = gzip.decompress(fetch(f"{inbox.url}{mail.message_id}/t.mbox.gz"))
    assert archived.count(b"\nMessage-ID: ") + archived.count(b"\nMessage-Id: ") == 2
    assert b"<" + draft.message_id.encode() + b">" in archived
    unquoted = re.sub(rb"(?m)^>(>*From )", rb"\1", archived)
    assert draft.data.partition(b"\n\n")[2].rstrip() in unquoted
    page = fetch(f"{inbox.url}{mail.message_id}/T/").decode()
    overview = re.sub(r"<[^>]+>", "", page[page.rindex("Thread overview") :])
    rows = re.findall(r"^\d{4}-\d\d-\d\d +\d+:\d\d (.*)$", overview, re.M)
    assert rows == ["[PATCH v2 1/1] misc: bell: Leave a note Ann Author", "` Jane Reviewer"]


def git_send_email(folder: Path, path: Path, *options: str) -> bytes:
    """What ``git send-email`` hands to the mail server, with the options that replies.md names."""
    sendmail = folder / "sendmail"
    sendmail.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {shlex.quote(str(folder / 'recipients'))}\n"
        f"cat > {shlex.quote(str(folder / 'sent'))}\n"
    )
    sendmail.chmod(0o755)
    command = ["git", "send-email", "--suppress-cc=body", "--suppress-cc=self", f"--smtp-server={sendmail}"]
    done = subprocess.run(
        [*command, "--confirm=never", *options, str(path)], cwd=folder, capture_output=True, check=False
    )
    if b"is not a git command" in done.stderr or b"Perl module" in done.stderr:
        pytest.skip(f"git send-email does not run here: {done.stderr.decode()[:200]}")
    assert done.returncode == 0, done.stderr.decode()
    return (folder / "sent").read_bytes() if (folder / "sent").exists() else done.stdout


def test_git_send_email_leaves_the_mail_as_it_is(tmp_path: Path) -> None:
    diff = hostile(*HOSTILE)
    mail = message("[PATCH] größe: läuten", author=Address("Jörg Größe", "ann@example.com"))
    draft = only(reviewed(on_line(8), mail=mail, diff=diff))
    (path,) = write([draft], tmp_path / "drafts")
    said = git_send_email(tmp_path, path, "--dry-run")
    assert b"Dry-OK" in said
    sent = git_send_email(tmp_path, path)
    assert sent.partition(b"\n\n")[2] == draft.data.partition(b"\n\n")[2]
    wire = email.message_from_bytes(sent, policy=email.policy.default)
    for name in ("Subject", "Message-ID", "In-Reply-To", "References", "From", "To", "Cc"):
        values = [" ".join(str(one[name] or one[name.replace("ID", "Id")]).split()) for one in (wire, parsed(draft))]
        assert values[0].replace(",", ", ").split() == values[1].replace(",", ", ").split()
    assert wire["Date"] is not None
    recipients = (tmp_path / "recipients").read_text().split()
    assert sorted(one for one in recipients if "@" in one and one != JANE.email) == sorted(
        one.email for one in draft.recipients
    )


def test_mutt_opens_a_draft_as_what_it_is(tmp_path: Path) -> None:
    if shutil.which("mutt") is None:
        pytest.skip("mutt is not installed")
    draft = only(reviewed(SLEEP, RACE, ALLOCATION))
    (path,) = write([draft], tmp_path / "drafts")
    out = tmp_path / "out"
    script = tmp_path / "sendmail"
    script.write_text(f"#!/bin/sh\ncat > {shlex.quote(str(out))}\n")
    script.chmod(0o755)
    done = subprocess.run(
        [
            "mutt",
            "-F",
            os.devnull,
            "-e",
            f"set sendmail='{script}'",
            "-e",
            "set copy=no",
            "-e",
            "set charset=utf-8",
            "-H",
            str(path),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr.decode()
    opened = email.message_from_bytes(out.read_bytes(), policy=email.policy.default)
    for name in ("Subject", "In-Reply-To", "References", "To"):
        assert str(opened[name]).split() == str(parsed(draft)[name]).split()
    content = opened.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.decode().rstrip() == body(draft).rstrip()


HARVEST = """\
import sys, json, email, email.policy
import b4
raw = open(sys.argv[1], "rb").read()
message = b4.LoreMessage(email.message_from_bytes(raw, policy=b4.emlpolicy))
found, _ = b4.LoreMessage.find_trailers(message.body, followup=True)
loose, _ = b4.LoreMessage.find_trailers(message.body)
print(json.dumps({
    "trailers": [one.as_string() for one in found + loose + message.trailers],
    "diff": message.has_diff, "diffstat": message.has_diffstat, "reply": message.reply,
}))
"""


def run_b4(tmp_path: Path, *arguments: str) -> str:
    config = tmp_path / "b4config"
    config.write_text("[user]\n\tname = Jane\n\temail = jane@example.org\n[b4]\n\tattestation-policy = off\n")
    environment = os.environ | {"GIT_CONFIG_GLOBAL": str(config), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_b4_neither_takes_a_draft_for_a_patch_nor_harvests_from_it(tmp_path: Path) -> None:
    lines = [line for line in HOSTILE if b"\x1b" not in line]
    mail = message(references=(), in_reply_to=None)
    evil = on_line(len(lines) + 1, question="Reviewed-by: Evil <evil@example.org>", check="lock-x")
    drafts = [only(reviewed(SLEEP, ALLOCATION, RACE, mail=mail)), only(reviewed(evil, mail=mail, diff=hostile(*lines)))]
    for draft in drafts:
        (path,) = write([draft], tmp_path / "drafts" / draft.message_id[:8])
        found = json.loads(run_b4(tmp_path, "-c", HARVEST, str(path)))
        assert found == {"trailers": [], "diff": False, "diffstat": False, "reply": True}
    mbox = tmp_path / "thread.mbox"
    mails = [raw_patch(mail), *(draft.data for draft in drafts)]
    mbox.write_bytes(b"".join(b"From mboxrd@z Thu Jan  1 00:00:00 1970\n" + one + b"\n" for one in mails))
    run_b4(tmp_path, "-m", "b4.command", "--offline-mode", "-n", "am", "-m", str(mbox), "-o", "out", mail.message_id)
    (made,) = (tmp_path / "out").glob("*.mbx")
    text = made.read_text()
    assert text.count("\n@@ ") == 2
    assert re.findall(r"^\S+-by: .*", text, re.M) == ["Signed-off-by: Ann Author <ann@example.com>"]


def test_drafts_are_files_that_the_same_review_leaves_alone(tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    drafts = compose(several((SLEEP,), (RACE,)), sender=JANE)
    paths = write(drafts, folder)
    assert [path.read_bytes() for path in paths] == [draft.data for draft in drafts]
    maildir = sorted((folder / "new").iterdir())
    assert [path.read_bytes() for path in maildir] == [draft.data for draft in drafts]
    paths[0].write_bytes(paths[0].read_bytes().replace(b"Can kzalloc", b"Could kzalloc"))
    os.rename(maildir[1], folder / "cur" / f"{maildir[1].name}:2,FS")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}
    assert write(compose(several((SLEEP,), (RACE,)), sender=JANE), folder) == paths
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()} == before
    assert oct(folder.stat().st_mode & 0o077) == "0o0"


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DraftError, match="--output"):
        write(compose(reviewed(SLEEP), sender=JANE), tmp_path / "file")


def test_every_patch_of_the_real_threads_can_be_answered(shared: Path) -> None:
    """Whatever the encodings and headers: the line stands in the mail as in the diff, and nothing is silenced."""
    answered = 0
    for path in sorted((shared / "mail" / "threads").glob("*.mbox")):
        series = series_of(fetch_thread(str(path), newer=False))
        checked = []
        for patch in series.patches:
            assert patch.message is not None
            spots = [(hunk, line) for hunk in hunks_of(patch.diff) for line in hunk.lines if line.old is None]
            for hunk, line in spots[-1:]:
                finding = dataclasses.replace(
                    RACE, check=f"lock-x-{patch.number}", path=hunk.new_path or "", line=line.new or 0
                )
                number, subject, parent = patch.number, patch.subject, patch.message.message_id
                checked.append((PatchReview(number, subject, parent, None, Applied.YES, findings=(finding,)), line))
        drafts = compose(Review(series, BASE, tuple(one for one, _ in checked)), sender=JANE)
        assert len(drafts) == len(checked), path.name
        for draft, (_, line) in zip(drafts, checked, strict=True):
            assert b"\n> " + line.text.rstrip(b"\r") + b"\n" in draft.data
            assert parsed(draft)["In-Reply-To"] == f"<{draft.in_reply_to}>"
            assert str(parsed(draft)["Subject"]).count("Re: ") == 1
        answered += len(drafts)
    assert answered > 90
