# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as data and as text, and what the shell is told."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import pytest

from reviewer import __version__
from reviewer.config import default_output
from reviewer.model import (
    Address,
    Applied,
    Attestation,
    Base,
    Change,
    Citation,
    Finding,
    Kernels,
    PatchReview,
    Place,
    Problem,
    Review,
    Series,
    Severity,
    Step,
    ThreadKind,
)
from reviewer.report.data import exit_status, to_json
from reviewer.report.text import Written, console_for, render
from reviewer.report.words import nested

COMMIT = "0123456789abcdef0123456789abcdef01234567"

FINDING = Finding(
    check="lock-gfp-blocking-in-atomic",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    change=Change.INTRODUCED,
    path="drivers/misc/bell.c",
    line=64,
    function="bell_complete",
    message="GFP_KERNEL may sleep, and this runs in hard interrupt context.",
    arch="x86",
    config=("CONFIG_BELL",),
    witness=(
        Step("drivers/misc/bell.c", 95, "bell_interrupt", "<- hard interrupt, request_irq()"),
        Step("drivers/misc/bell.c", 80, "bell_interrupt", "bell_complete()"),
        Step("drivers/misc/bell.c", 64, "bell_complete", "kzalloc(GFP_KERNEL)"),
    ),
    citations=(Citation("Documentation/x.rst", "Flags", 12, "The context must be allowed to sleep.", COMMIT),),
)
SERIES = Series(
    kind=ThreadKind.SERIES,
    message_id="20250311-1@example.org",
    subject="[PATCH v2 0/2] misc: bell: Ring",
    revision=2,
    author=Address("Ada Bell", "ada@example.org"),
    patches=(),
    total=2,
)
PATCH = PatchReview(1, "misc: bell: Ring", "20250311-2@example.org", None, Applied.YES, findings=(FINDING,))
QUIET = PatchReview(2, "misc: bell: Stop", "20250311-3@example.org", None, Applied.YES)
REVIEW = Review(series=SERIES, base=Base(COMMIT, "base-commit of the series"), patches=(PATCH, QUIET))


def with_finding(**changes: object) -> Review:
    finding = dataclasses.replace(FINDING, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(REVIEW, patches=(dataclasses.replace(PATCH, findings=(finding,)),))


def text_of(review: Review, *, written: Written | None = None, show_pre_existing: bool = False) -> str:
    stream = io.StringIO()
    render(review, console_for(stream), written=written, show_pre_existing=show_pre_existing)
    return stream.getvalue()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_json_has_the_keys_of_version_1_in_their_order() -> None:
    report = json.loads(to_json(REVIEW))
    assert list(report) == [
        "version",
        "tool",
        "series",
        "patches",
        "errors",
        "notes",
        "silenced",
        "splats",
        "revisions",
    ]
    assert report["version"] == 1
    assert report["tool"] == {"name": "reviewer", "version": __version__}
    assert report["series"] == {
        "message_id": "20250311-1@example.org",
        "subject": "[PATCH v2 0/2] misc: bell: Ring",
        "revision": 2,
        "author": "Ada Bell <ada@example.org>",
        "base": {"commit": COMMIT, "reason": "base-commit of the series"},
    }
    assert list(report["series"]) == ["message_id", "subject", "revision", "author", "base"]
    patch = report["patches"][0]
    assert list(patch) == ["number", "subject", "message_id", "commit", "applied", "reason", "findings", "trailers"]
    assert (patch["number"], patch["commit"], patch["applied"], patch["reason"]) == (1, None, "yes", "")
    finding = patch["findings"][0]
    assert list(finding) == [
        *("check", "area", "severity", "kernels", "arch", "config", "change", "fixed_later"),
        *("path", "line", "function", "message", "cause", "witness", "citations", "other_places", "raised", "since"),
        *("claim", "precedent"),
    ]
    assert finding["witness"][2] == {
        "path": "drivers/misc/bell.c",
        "line": 64,
        "function": "bell_complete",
        "text": "kzalloc(GFP_KERNEL)",
    }
    assert list(finding["witness"][0]) == ["path", "line", "function", "text"]
    assert list(finding["citations"][0]) == ["path", "section", "line", "quote", "commit"]
    assert (finding["cause"], finding["fixed_later"], finding["config"]) == (None, None, ["CONFIG_BELL"])


def test_json_of_an_exposed_finding_names_the_line_that_brought_it() -> None:
    review = with_finding(change=Change.EXPOSED, cause=Place("kernel/a.c", 7), kernels=Kernels.PREEMPT_RT)
    finding = json.loads(to_json(review))["patches"][0]["findings"][0]
    assert finding["cause"] == {"path": "kernel/a.c", "line": 7}
    assert (finding["change"], finding["kernels"]) == ("exposed", "PREEMPT_RT")


def test_json_without_series_and_with_errors() -> None:
    report = json.loads(to_json(Review(None, None, (), (Problem("fetch", "", "the server is down"),))))
    assert report["series"] is None
    assert report["patches"] == []
    assert report["errors"] == [{"stage": "fetch", "path": "", "message": "the server is down"}]


def test_json_is_utf8_whatever_bytes_the_path_had() -> None:
    text = to_json(with_finding(path="drivers/caf\udce9.c", message="zażółć \u202e \x9b2J \x1b[2J"))
    assert text.encode("utf-8")
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)
    finding = json.loads(text)["patches"][0]["findings"][0]
    assert finding["path"] == "drivers/caf\ufffd.c"
    assert finding["message"] == "zażółć \u202e \x9b2J \x1b[2J"  # escaped in the text, whole as data


def test_json_is_the_same_for_the_same_review() -> None:
    assert to_json(REVIEW) == to_json(dataclasses.replace(REVIEW))


@pytest.mark.parametrize(
    ("review", "status"),
    [
        (dataclasses.replace(REVIEW, patches=(QUIET,)), 0),
        (REVIEW, 1),
        (with_finding(severity=Severity.QUESTION), 1),
        (with_finding(change=Change.EXPOSED), 1),
        (with_finding(kernels=Kernels.PREEMPT_RT), 1),
        (with_finding(severity=Severity.NIT), 0),
        (with_finding(change=Change.FIXED), 0),
        (with_finding(change=Change.PRE_EXISTING), 0),
        (with_finding(fixed_later=2), 0),
        (dataclasses.replace(REVIEW, errors=(Problem("apply", "a.c", "no"),)), 3),
        (dataclasses.replace(REVIEW, patches=(PATCH, dataclasses.replace(QUIET, applied=Applied.NO))), 3),
        (dataclasses.replace(REVIEW, patches=(dataclasses.replace(QUIET, applied=Applied.THREE_WAY),)), 0),
        (dataclasses.replace(REVIEW, patches=()), 3),
        (Review(None, None, ()), 0),
    ],
    ids=[
        *("quiet", "bug", "question", "exposed", "only on PREEMPT_RT", "nit", "fixed", "pre-existing", "fixed later"),
        *("error", "patch not applied", "three-way", "mail without a patch", "range without commits"),
    ],
)
def test_exit_status(review: Review, status: int) -> None:
    assert exit_status(review) == status


def test_text_shows_base_patches_finding_chain_and_citation() -> None:
    assert text_of(REVIEW, written=Written(Path("/home/jane/drafts"), 1)) == (
        "[PATCH v2 0/2] misc: bell: Ring\n"
        "  by Ada Bell <ada@example.org>, revision 2, <20250311-1@example.org>\n"
        "Base: 0123456789ab (base-commit of the series)\n"
        "\n"
        "1/2  applied      misc: bell: Ring  (1 bug)\n"
        "2/2  applied      misc: bell: Stop\n"
        "\n"
        "1/2 misc: bell: Ring\n"
        "\n"
        "  drivers/misc/bell.c:64 bell_complete() bug introduced [lock-gfp-blocking-in-atomic]\n"
        "    GFP_KERNEL may sleep, and this runs in hard interrupt context.\n"
        "    Only on x86, with CONFIG_BELL.\n"
        "      bell_interrupt() <- hard interrupt, request_irq()  drivers/misc/bell.c:95\n"
        "        bell_complete()                                  drivers/misc/bell.c:80\n"
        "          kzalloc(GFP_KERNEL)                            drivers/misc/bell.c:64\n"
        "    “The context must be allowed to sleep.”\n"
        "      Documentation/x.rst:12, Flags\n"
        "\n"
        "1 bug. 2 of 2 patches applied.\n"
        "1 draft in /home/jane/drafts\n"
        "Nothing was sent. See: reviewer drafts --output /home/jane/drafts\n"
    )


def test_a_call_through_a_pointer_names_the_function_behind_it() -> None:
    steps = (Step("a.c", 1, "bell", "load()"), Step("b.c", 2, "brass_load", "spin_lock(&ring->lock)"))
    assert [text for _, text, _ in nested(steps)] == ["load() -> brass_load()", "spin_lock(&ring->lock)"]
    other = (Step("a.c", 1, "bell", "load()"), Step("b.c", 2, "unload", "msleep()"))
    assert [text for _, text, _ in nested(other)] == ["load()", "msleep()"]


def test_text_says_what_was_wrong_with_the_thread() -> None:
    series = dataclasses.replace(
        SERIES,
        missing=(2, 4),
        total=4,
        newer=(3, "20250401-1@example.org"),
        notes=("The cover letter is missing.",),
        attestations=(Attestation(1, False, "no key"),),
    )
    failed = PatchReview(1, "x", "m", None, Applied.NO, reason="drivers/a.c:33: context differs")
    base = Base(COMMIT, "HEAD was taken, as the series names no base that is here, and no branch fits.")
    text = text_of(Review(series, base, (failed,), (Problem("cite", "Documentation/x.rst", "unreadable"),), ("Old.",)))
    for expected in (
        "Base: 0123456789ab (HEAD was taken, as the series names no base that is\n  here, and no branch fits.)\n",
        "Missing: 2, 4 of 4 patches.",
        "There is a newer revision: v3, 20250401-1@example.org",
        "Note: The cover letter is missing.",
        "Note: Old.",
        "Signature of patch 1: not good, no key",
        "1/4  not applied  x\n",
        "drivers/a.c:33: context differs",
        "Not done (cite): Documentation/x.rst: unreadable",
        "Nothing found. 0 of 1 patch applied. All were reviewed from the diff alone.",
    ):
        assert expected in text


def test_text_says_that_a_range_is_empty() -> None:
    text = text_of(dataclasses.replace(REVIEW, series=None, patches=()))
    assert "There is no commit in this range: nothing was reviewed." in text


def test_text_names_one_missing_patch() -> None:
    series = dataclasses.replace(SERIES, missing=(2,))
    assert "Missing: patch 2 of 2.\n" in text_of(dataclasses.replace(REVIEW, series=series))


def test_text_names_the_command_that_finds_the_drafts() -> None:
    def last(folder: Path) -> str:
        return text_of(REVIEW, written=Written(folder, 1)).splitlines()[-1]

    assert last(default_output()) == "Nothing was sent. See: reviewer drafts"
    assert last(Path("/my drafts")) == "Nothing was sent. See: reviewer drafts --output '/my drafts'"


@pytest.mark.parametrize("kind", [ThreadKind.DISCUSSION, ThreadKind.PULL_REQUEST])
def test_text_says_what_a_thread_without_series_is(kind: ThreadKind) -> None:
    series = dataclasses.replace(SERIES, kind=kind)
    text = text_of(Review(series, Base(COMMIT, "HEAD was taken."), ()), written=Written(Path("/d"), 0))
    assert text.splitlines()[2:] == [f"This thread is a {kind.value}."]


def test_text_counts_what_it_does_not_show() -> None:
    old = dataclasses.replace(FINDING, change=Change.PRE_EXISTING, line=99)
    gone = dataclasses.replace(FINDING, change=Change.FIXED)
    later = dataclasses.replace(FINDING, fixed_later=2, kernels=Kernels.PREEMPT_RT)
    rt_only = dataclasses.replace(FINDING, kernels=Kernels.PREEMPT_RT, severity=Severity.QUESTION)
    patch = dataclasses.replace(PATCH, findings=(FINDING, rt_only, old, gone, later))
    review = dataclasses.replace(REVIEW, patches=(patch,))
    text = text_of(review, written=Written(Path("/d"), 1, left_out=2))
    assert (
        "1 bug, 1 question (1 only on PREEMPT_RT); 1 removed later in the series; 1 fixed; 1 there before, not shown."
        in text
    )
    assert "Patch 2 of the series removes this again." in text
    assert "Left out of the mails, which keep to the gravest points: 2 findings." in text
    assert "bell.c:99" not in text
    assert "bell.c:99" in text_of(review, show_pre_existing=True)


def test_no_escape_sequence_and_no_markup_of_the_mail_reaches_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e[bold]x[/bold] :smile:\r\n\x00"
    finding = dataclasses.replace(
        FINDING,
        path=f"a{evil}.c",
        function=f"f{evil}",
        message=evil,
        before=evil,
        cause=Place(evil, 1),
        config=(evil,),
        witness=(Step(evil, 1, evil, evil),),
        citations=(Citation(evil, evil, 1, evil, COMMIT),),
    )
    series = dataclasses.replace(
        SERIES,
        subject=evil,
        author=Address(evil, evil),
        message_id=evil,
        newer=(3, evil),
        notes=(evil,),
        attestations=(Attestation(1, True, evil),),
    )
    patch = PatchReview(1, evil, evil, evil, Applied.YES, reason=evil, findings=(finding,))
    review = Review(series, Base(evil, evil), (patch,), (Problem(evil, evil, evil),), (evil,))
    text = text_of(review, written=Written(Path(f"/d{evil}"), 1))
    assert not [character for character in text if not character.isprintable() and character != "\n"]
    assert "[bold]x[/bold] :smile:" in text
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    render(review, console_for(terminal))
    # Only rich's own colours are left: no window title, no clearing, no C1 control, no carriage return.
    for forbidden in ("\x1b]", "\x1b[2J", "\x9b", "\x07", "\r", "\x00", "\u202e"):
        assert forbidden not in terminal.getvalue()


def test_colours_only_on_a_terminal_and_never_with_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in text_of(REVIEW)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in text_of(REVIEW)
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    render(REVIEW, console_for(terminal))
    assert "\x1b[" in terminal.getvalue()
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            terminal = Terminal()
            render(REVIEW, console_for(terminal))
            assert "\x1b" not in terminal.getvalue()


def test_a_line_with_a_path_is_not_wrapped() -> None:
    path = "drivers/" + "very_long_folder_name/" * 6 + "bell.c"
    assert f"  {path}:64 bell_complete() bug introduced" in text_of(with_finding(path=path))


def test_prose_is_wrapped() -> None:
    message = "word " * 60
    lines = text_of(with_finding(message=message)).splitlines()
    assert sum(line.strip().startswith("word") for line in lines) > 3
    assert max(len(line) for line in lines if "word" in line) <= 78
