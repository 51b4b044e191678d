# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports in the mails of a series: told by ``review``, and held against what the patches change."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from reviewer.explained import explain
from reviewer.mail.fetch import fetch
from reviewer.mail.series import series_of
from reviewer.mail.touched import changes_of
from reviewer.report.splat import render_in_brief
from reviewer.report.text import console_for
from reviewer.splat.cycle import Arc, ArcChange, member_of
from reviewer.splat.meanings import load_meanings
from reviewer.splat.parse import parse
from reviewer.splat.records import Lock
from reviewer.threadsplats import held_against
from tests.conftest import ROOT
from tests.mails import mail, mboxrd
from tests.repos import diff, fingerprint, make

MEANINGS = load_meanings(ROOT / "checks")
REPORT = (Path(__file__).parent / "splats" / "lockdep-circular.txt").read_text()
FLOAT = "drivers/boat/float.c"
# The circle of the example: harbour_sweep() takes boat->lock, boat_float() wants harbour->lock, from harbour_open().
BEFORE = """#include <linux/mutex.h>

static void harbour_sweep(struct harbour *harbour, struct boat *boat)
{
\tmutex_lock(&harbour->lock);
\tmutex_lock(&boat->lock);
\tmutex_unlock(&boat->lock);
\tmutex_unlock(&harbour->lock);
}

static int boat_float(struct boat *boat)
{
\tint depth = 1;

\tmutex_lock(&boat->harbour->lock);
\tmutex_unlock(&boat->harbour->lock);
\treturn depth;
}

int boat_sail(void)
{
\treturn 0;
}
"""


def changed(tmp_path: Path, after: str, name: str = "patch") -> tuple[str, bytes]:
    old = make(tmp_path / name, {FLOAT: BEFORE})
    new = make(tmp_path / name, {FLOAT: after})
    return name, diff(tmp_path / name, old, new)


def arcs() -> tuple[Arc, ...]:
    (one,) = explain(parse(REPORT), MEANINGS)
    return one.account.circle


def test_arcs_know_the_functions_and_the_names_of_their_locks() -> None:
    assert [(arc.path, arc.names) for arc in arcs()] == [
        (("harbour_sweep", "worker_thread"), ("lock",)),
        (("boat_float", "harbour_open"), ("lock",)),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("&kvm->mmu_notifier_slots_lock", "mmu_notifier_slots_lock"),
        ("rtnl_mutex", "rtnl_mutex"),
        ("(work_completion)(&boat->work)", "work"),
        ("&boat->lock[2]", ""),
        ("sk_lock-AF_INET", ""),
        ("", ""),
    ],
)
def test_what_code_calls_a_lock(name: str, expected: str) -> None:
    assert member_of(Lock(name)) == expected


def test_a_line_that_takes_a_lock_of_the_circle_is_told(tmp_path: Path) -> None:
    patch = changed(tmp_path, BEFORE.replace("\tmutex_lock(&boat->harbour->lock);\n", ""))
    assert changes_of(arcs(), [patch]) == (
        ArcChange(2, "patch", ("boat_float",), ("-\tmutex_lock(&boat->harbour->lock);",)),
    )


def test_other_lines_of_a_function_on_the_path_make_no_order(tmp_path: Path) -> None:
    patch = changed(tmp_path, BEFORE.replace("depth = 1", "depth = 2"))
    assert changes_of(arcs(), [patch]) == (ArcChange(2, "patch", ("boat_float",)),)


def test_lines_near_a_function_of_the_path_are_not_in_it(tmp_path: Path) -> None:
    # The hunk's header names boat_float(), and its lines the end of it.
    patch = changed(tmp_path, BEFORE.replace("\treturn 0;", "\tmutex_lock(&boat->lock);\n\treturn 0;"))
    assert b" boat_float(" in patch[1]
    assert changes_of(arcs(), [patch]) == ()


def test_a_function_that_is_taken_out_is_changed(tmp_path: Path) -> None:
    start, end = BEFORE.index("static int boat_float"), BEFORE.index("int boat_sail")
    (change,) = changes_of(arcs(), [changed(tmp_path, BEFORE[:start] + BEFORE[end:])])
    assert (change.number, change.functions) == (2, ("boat_float",))
    assert "-\tmutex_lock(&boat->harbour->lock);" in change.lines


def test_a_call_further_down_the_path_is_told(tmp_path: Path) -> None:
    _, text = changed(tmp_path, BEFORE)
    text = (
        b"diff --git a/h.c b/h.c\n--- a/h.c\n+++ b/h.c\n@@ -1,3 +1,3 @@ int harbour_open(struct boat *boat)\n \tone;\n"
        b"-\tboat_float(boat);\n+\tboat_sink(boat);\n \ttwo;\n"
    )
    (change,) = changes_of(arcs(), [("p", text)])
    assert (change.functions, change.lines) == (("harbour_open",), ("-\tboat_float(boat);",))


def told(patches: list[tuple[str, bytes]], *, claimed: bool) -> str:
    (one,) = explain(parse(REPORT, "1@example.org"), MEANINGS)
    stream = StringIO()
    render_in_brief([held_against(one, patches, claimed=claimed)], console_for(stream))
    return " ".join(stream.getvalue().split())


def test_a_series_that_is_to_mend_it_is_held_to_that(tmp_path: Path) -> None:
    order = changed(tmp_path, BEFORE.replace("\tmutex_lock(&boat->harbour->lock);\n", ""), "order")
    other = changed(tmp_path, BEFORE.replace("depth = 1", "depth = 2"), "other")
    nothing = changed(tmp_path, BEFORE.replace("return 0", "return 1"), "nothing")
    assert "It changes how the order of (2) is made." in told([other, order], claimed=True)
    assert "It changes functions on the path of (2), but no line that shows the order there." in told(
        [other, nothing], claimed=True
    )
    assert "It changes no function of the circle." in told([nothing], claimed=True)
    text = told([order], claimed=False)
    assert "which is to mend it" not in text
    assert "(1) No patch changes a function on this path. (2) order: boat_float() - mutex_lock(" in text


def test_nothing_of_a_patch_acts_on_the_terminal() -> None:
    text = (
        b"diff --git a/h.c b/h.c\n--- a/h.c\n+++ b/h.c\n@@ -1,1 +1,1 @@ int boat_float(struct boat *boat)\n"
        b"-\tlock\x1b[31m;\n+\tlock\xe2\x80\xae;\n"
    )
    shown = told([("evil\x1b]0;x\x07", text)], claimed=False)
    assert "- lock[31m;" in shown
    assert not set(shown) & set("\x1b\x07\u202e")


def review(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "reviewer", "review", *words, "--repo", str(tmp_path / "linux"), "--offline"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("where", ["changelog", "reply"])
def test_review_tells_the_reports_of_the_thread(tmp_path: Path, where: str) -> None:
    old = make(tmp_path / "linux", {FLOAT: BEFORE, "include/linux/mutex.h": "struct mutex;\n"})
    without = BEFORE.replace("\tmutex_lock(&boat->harbour->lock);\n", "")
    _, text = changed(tmp_path, without.replace("\tmutex_unlock(&boat->harbour->lock);\n", ""))
    indented = "".join(f"  {line}\n" for line in REPORT.splitlines())
    changelog = f"We saw:\n\n{indented}\n" if where == "changelog" else "As discussed.\n\n"
    mails = [mail("[PATCH] boat: Do not lock the harbour", "1@example.org", changelog.encode() + b"---\n" + text)]
    if where == "reply":
        quoted = f"I see this:\n{REPORT}\n".encode()
        mails.append(
            mail("Re: [PATCH] boat: Do not lock the harbour", "2@example.org", quoted, reply_to="1@example.org")
        )
    mbox = tmp_path / "thread.mbox"
    mbox.write_bytes(mboxrd(*mails))
    before = fingerprint(tmp_path / "linux")
    done = review(tmp_path, str(mbox), "--format", "json")
    data: dict[str, Any] = json.loads(done.stdout)
    (splat,) = data["splats"]
    assert (done.returncode, data["series"]["base"]["commit"]) == (0, old), done.stderr
    assert splat["splat"]["message_id"] == ("1@example.org" if where == "changelog" else "2@example.org")
    assert splat["claimed"] == (where == "changelog")
    assert [(change["number"], change["patch"]) for change in splat["changes"]] == [
        (2, "1/1 boat: Do not lock the harbour")
    ]
    assert {place["function"] for place in splat["functions"]} == {"boat_float", "harbour_sweep"}
    shown = review(tmp_path, str(mbox), "--output", str(tmp_path / "drafts")).stdout.decode()
    assert "Report: locks taken in a circle [lockdep-circular]" in shown
    assert f"reviewer splat {splat['splat']['message_id']}" in shown
    assert ("which is to mend it" in " ".join(shown.split())) == (where == "changelog")
    assert fingerprint(tmp_path / "linux") == before


def test_the_report_against_the_mmu_notifier_series(shared: Path, golden: Callable[[str, str], None]) -> None:
    series = series_of(fetch(str(shared / "mail" / "threads" / "kvm-mmu-notifiers-v2.mbox"), offline=True))
    splats = [splat for reply in series.replies for splat in parse(reply.body, reply.message_id)]
    (one,) = explain(splats, MEANINGS)
    patches = [(f"{patch.number}/{series.total} {patch.subject}", patch.diff) for patch in series.patches]
    stream = StringIO()
    render_in_brief([held_against(one, patches, claimed=False)], console_for(stream))
    golden("splat-mmu-notifier-series.txt", stream.getvalue())
