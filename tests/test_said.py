# SPDX-License-Identifier: GPL-2.0-or-later
"""Points that somebody has made already: found in replies as mailers mangle them, and told instead of repeated."""

from __future__ import annotations

import dataclasses
import json

import pytest
from rich.console import Console

from reviewer.mail.draft import compose
from reviewer.mail.exchanges import exchanges, place_of
from reviewer.mail.raised import with_raised
from reviewer.mail.said import explained_by_author
from reviewer.model import Finding, Message, Raised, Review, Where
from reviewer.report.data import to_json
from reviewer.report.text import render
from tests.test_draft import ALLOCATION, ANN, JANE, MAINTAINER, SLEEP, message, reviewed

LINE = "+\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);"


def reply(body: str, **changes: object) -> Message:
    return message("Re: [PATCH]", **{"author": MAINTAINER, "body": body, "message_id": "r@example.net", **changes})


def raised(review: Review) -> list[Raised | None]:
    return [finding.raised for finding in with_raised(review).patches[0].findings]


@pytest.mark.parametrize(
    "quoted",
    [
        "> +\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);",
        ">+\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);",
        "> > > +        ring = kzalloc(sizeof(*ring), GFP_KERNEL);",
        "Ann> +\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);",
        "  > +\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);",
        "| +\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);\n| +\t}",
        ": +\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);\n: +\tring->token = token;",
        "> +\t\tring = kzalloc(sizeof(*ring),\n> GFP_KERNEL);",
        "> +\t\tring =\n> kzalloc(sizeof(*ring),\n> GFP_KERNEL);",
        "> +\t\tring = kzalloc(sizeof(*ring),\nGFP_KERNEL);",
        "> +\t\tring = kzalloc(sizeof(*ring), ...",
        "> +\t\tring = kzalloc(sizeof(*ring) [...]",
        "> ring = kzalloc(sizeof(*ring), GFP_KERNEL);",
        "> +\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL); +\t}",
    ],
)
def test_a_quoted_line_is_known_however_it_was_quoted(quoted: str) -> None:
    assert raised(reviewed(SLEEP, replies=(reply(f"{quoted}\n\nCan this sleep?\n"),))) == [
        Raised(MAINTAINER, "r@example.net", Where.REPLY, author=False)
    ]


@pytest.mark.parametrize(
    "quoted",
    [
        "> +\t\tring = kzalloc(sizeof(*ring), GFP_ATOMIC);",
        "> +\t\tring = kz...",
        "> +\t\tring = kzalloc(sizeof(*ring),\n> GFP_ATOMIC);",
        "+\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);",
        "| +\t\tring = kzalloc(sizeof(*ring), GFP_KERNEL);",
    ],
)
def test_what_is_not_the_line_or_no_quote_is_not_taken_for_it(quoted: str) -> None:
    assert raised(reviewed(SLEEP, replies=(reply(f"{quoted}\n\nCan this sleep?\n"),))) == [None]


def test_a_comment_right_below_a_line_is_no_second_half_of_it() -> None:
    body = "> +\tring = bell_find(bell,\nWhy is this broken here?\n> +\t\t\ttoken);\n"
    (exchange,) = exchanges(body)
    assert exchange.comment == ("Why is this broken here?",)


def test_the_last_of_equal_lines_is_meant() -> None:
    assert place_of(["+\tbell_start(dev);", "+\tx = 1;", "+\tbell_start(dev);"], "+\tbell_start(dev);") == 2
    assert place_of(["+\t}"], "+\t}") is None


def test_a_point_about_the_lock_on_a_line_nearby_is_the_same_point() -> None:
    near = "> +\t\t/*\n> +\t\t * Nobody has rung yet.\n\nWe hold bell->lock here, so this cannot sleep.\n"
    assert raised(reviewed(ALLOCATION, replies=(reply(near),))) == [None]  # of allocations it says nothing
    asks = near.replace("cannot sleep", "must not alloc")
    assert [one is not None for one in raised(reviewed(ALLOCATION, replies=(reply(asks),)))] == [True]
    other = asks.replace("bell->lock", "ring->lock")
    assert raised(reviewed(ALLOCATION, replies=(reply(other),))) == [None]


def test_the_author_who_answers_in_a_reply_is_called_the_author() -> None:
    answer = reply(f"> {LINE}\n> \n> Why?\n\nOnly threads get here, it may sleep.\n", author=ANN)
    assert raised(reviewed(SLEEP, replies=(answer,))) == [Raised(ANN, "r@example.net", Where.REPLY, author=True)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Leave a note. That kzalloc() may sleep is fine: only\nthreads ring.", True),
        ("kzalloc(GFP_KERNEL) is not safe here, as it sleeps. Do it later.", False),
        ("kzalloc() sleeps. That is fine.", False),
        ("Use kzalloc() with GFP_KERNEL, which may sleep.", False),
        ("Make bell_answer() safe against itself.", False),
    ],
)
def test_a_commit_message_answers_only_where_it_says_that_just_this_is_meant(text: str, said: bool) -> None:
    assert explained_by_author(SLEEP, text) is said


def mails(finding: Finding, body: str) -> Review:
    return with_raised(reviewed(finding, replies=(reply(body),)))


def test_the_report_says_who_made_the_point_and_the_draft_leaves_it_out(capsys: pytest.CaptureFixture[str]) -> None:
    review = mails(SLEEP, f"> {LINE}\n\nCan this sleep?\n")
    render(review, Console(width=80, soft_wrap=True, markup=False, highlight=False))
    told = " ".join(capsys.readouterr().out.split())
    assert "Already raised by Max Maintainer in <r@example.net>." in told
    assert "1 bug; 1 raised or answered in the thread already, which the drafts leave out." in told
    assert compose(review, sender=JANE) == ()
    (finding,) = json.loads(to_json(review))["patches"][0]["findings"]
    assert finding["raised"] == {
        "by": "Max Maintainer <max@example.net>",
        "message_id": "r@example.net",
        "where": "reply",
        "author": False,
    }


def test_what_nobody_said_stays_in_the_draft() -> None:
    other = dataclasses.replace(ALLOCATION, check="rt-printk-in-eqs", line=53, message="x", witness=())
    review = with_raised(reviewed(SLEEP, other, replies=(reply(f"> {LINE}\n\nCan this sleep?\n"),)))
    (draft,) = compose(review, sender=JANE)
    assert [finding.line for finding in draft.findings] == [53]
