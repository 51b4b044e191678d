# SPDX-License-Identifier: GPL-2.0-or-later
"""What patches say that they fix: commits that are not there, reports without a link, defects that are still there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from reviewer.cli import main
from reviewer.config import data_dir
from reviewer.defects import load_defects, named_in
from reviewer.errors import CheckError
from reviewer.mail.draft import Draft, compose
from reviewer.model import Change, Citation, Claim, Severity
from reviewer.registry import load_checks
from reviewer.tree.log import Log
from reviewer.tree.repository import Repository
from tests import repos
from tests.test_draft import JANE, SLEEP, body, message, reviewed

PATH = "drivers/example/example.c"
DOCUMENT = "Documentation/process/submitting-patches.rst"
RULES = """\
Describe
--------

If your patch fixes a bug, please use the 'Fixes:' tag with at least the first 12 characters of the id.

Reported-by should be followed by a Closes: tag pointing to the report.
"""
HEAD = "struct dev { spinlock_t lock; int a; };\n\n"
ASLEEP = HEAD + "void low(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tmsleep(1);\n\tspin_unlock(&dev->lock);\n}\n"
OTHER = ASLEEP + "\nvoid other(struct dev *dev)\n{\n\tdev->a = 0;\n}\n"


class History:
    """A repository whose commits name each other as git log finds them in the kernel's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first = repos.make(path, {DOCUMENT: RULES, PATH: OTHER}, "example: Begin")
        named, subject = self.first, "example: Begin"
        for number in range(4):
            fixes = f'{named[:12]} ("{subject}")'
            subject = f"example: Count {number}"
            named = self.commit(f"\tdev->a = {number + 1};\n", subject, fixes)

    def commit(self, line: str, subject: str, fixes: str = "", more: str = "") -> str:
        trailers = (f"Fixes: {fixes}\n" if fixes else "") + more + "Signed-off-by: Ann <ann@example.org>\n"
        text = OTHER.replace("\tdev->a = 0;\n", line)
        return repos.make(self.path, {PATH: text}, f"{subject}\n\nBecause.\n\n{trailers}")


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "tree")


def claims(tree: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[tuple[str, str]]:
    """Trailer and message of what is wrong with the last commit."""
    return [(one["trailer"], one["message"]) for one in checked(tree, capsys, *options)["trailers"]]


def checked(tree: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    main(["check", "HEAD~1..", "--repo", str(tree), "--format", "json", *options])
    (patch,) = json.loads(capsys.readouterr().out)["patches"]
    assert isinstance(patch, dict)
    return patch


def test_commit_that_does_not_exist(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.commit("\tdev->a = 7;\n", "example: Mend", 'deadbeefdead ("example: Nothing")')
    assert claims(history.path, capsys) == [
        ('Fixes: deadbeefdead ("example: Nothing")', "There is no commit deadbeefdead in this repository.")
    ]
    main(["check", "HEAD~1..", "--repo", str(history.path)])
    text = " ".join(capsys.readouterr().out.split())
    assert "There is no commit deadbeefdead in this repository." in text
    assert "please use the 'Fixes:' tag with at least the first 12 characters" in text
    assert "1 trailer leads nowhere" in text


def test_commit_that_is_right(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    begin = f'{history.first[:12]} ("example: Begin")'
    short = f'Fixes: commit {history.first[:12]} ("example: Be...")\n'
    history.commit("\tdev->a = 7;\n", "example: Mend", begin, short)
    assert claims(history.path, capsys) == []


def test_commit_with_another_subject(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.commit("\tdev->a = 7;\n", "example: Mend", f'{history.first[:12]} ("example: End")')
    (found,) = claims(history.path, capsys)
    assert found[1] == f'The subject of commit {history.first[:12]} is "example: Begin".'


def test_commit_of_another_branch(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    aside = history.commit("\tdev->a = 7;\n", "example: Aside")
    repos.git(history.path, "reset", "--quiet", "--hard", "HEAD~1")
    history.commit("\tdev->a = 8;\n", "example: Mend", f'{aside[:12]} ("example: Aside")')
    (found,) = claims(history.path, capsys)
    assert found[1].startswith(f"Commit {aside[:12]} is here, but not in the history of ")


def test_nothing_is_said_where_the_history_is_shallow(
    history: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history.commit("\tdev->a = 7;\n", "example: Mend", 'deadbeefdead ("example: Nothing")')
    repos.git(tmp_path, "clone", "--quiet", "--depth=3", f"file://{history.path}", "shallow")
    assert claims(tmp_path / "shallow", capsys) == []


def test_nothing_is_said_where_the_history_was_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = tmp_path / "imported"
    repos.make(tree, {DOCUMENT: RULES, PATH: OTHER}, "Import v6.1")
    trailers = 'Fixes: deadbeefdead ("example: Nothing")\nSigned-off-by: Ann <ann@example.org>\n'
    repos.make(tree, {PATH: OTHER + "\n"}, f"example: Mend\n\n{trailers}")
    assert claims(tree, capsys) == []


def test_nothing_is_said_where_the_history_lacks_what_it_names(
    history: History, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a tree that was cut off and begins with a commit of all files."""
    tree = history.path.parent / "cut"
    repos.make(tree, {DOCUMENT: RULES, PATH: OTHER}, "Import v6.1")
    for number in range(4):
        repos.make(tree, {PATH: OTHER + "\n" * number}, f'Count\n\nFixes: {history.first[:11]}{number} ("x")\n')
    repos.make(tree, {PATH: OTHER + "\n" * 9}, 'Mend\n\nFixes: deadbeefdead ("example: Nothing")\n')
    assert claims(tree, capsys) == []


def test_a_name_that_is_no_id_or_a_branch_is_no_commit(history: History) -> None:
    repository = Repository.open(history.path)
    log = Log(repository, history.first)
    repos.git(history.path, "branch", "facade")
    assert [log.named(name) for name in ("facade", "--all", "HEAD", "abc", history.first[:7] + "g")] == [None] * 5
    found = log.named(history.first[:9])
    assert found is not None
    assert found.subject == "example: Begin"
    repository.close()


def test_report_without_a_link_is_a_nit(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.commit("\tdev->a = 7;\n", "example: Mend", "", "Reported-by: Max <max@example.net>\nCloses: my desk\n")
    assert claims(history.path, capsys) == []
    (found,) = claims(history.path, capsys, "--severity", "nit")
    assert found == ("Reported-by: Max <max@example.net>", "There is no Closes: or Link: to the report.")
    more = "Reported-by: Max <max@example.net>\nCloses: https://example.net/1\n"
    history.commit("\tdev->a = 8;\n", "example: Mend", "", more)
    assert claims(history.path, capsys, "--severity", "nit") == []


RULE = Citation(DOCUMENT, "Describe your changes", 5, "Please use the 'Fixes:' tag with the id.", "0" * 40, "use the")
TRAILER = 'Fixes: deadbeefdead ("misc: Nothing")'
MISSING = Claim(TRAILER, "There is no commit deadbeefdead in this repository.", Severity.QUESTION, RULE)


def asked(*claims: Claim, reply: str = "", **changes: Any) -> tuple[Draft, ...]:
    """The drafts for a patch without findings whose trailers were looked at."""
    said = TRAILER.replace(" (", "  (")
    mail = message(body=f"Leave a note.\n\n{said}\nSigned-off-by: Ann <ann@example.com>\n---\n")
    replies = (message("Re: x", message_id="r@x", body=reply),) if reply else ()
    review = reviewed(mail=mail, replies=replies, **changes)
    (patch,) = review.patches
    return compose(dataclasses.replace(review, patches=(dataclasses.replace(patch, claims=claims),)), sender=JANE)


def test_the_draft_asks_under_the_trailer() -> None:
    (draft,) = asked(MISSING)
    told = body(draft)
    assert '\n> Fixes: deadbeefdead  ("misc: Nothing")\n\nIs this the commit that is meant? There is no' in told
    assert f'{DOCUMENT}, "Describe your changes":\n\n  "Please use the' in told
    assert told.endswith(": trailers\n")


def test_matters_of_style_and_what_was_said_are_not_asked() -> None:
    assert asked(dataclasses.replace(MISSING, severity=Severity.NIT)) == ()
    assert asked(dataclasses.replace(MISSING, trailer="Fixes: another")) == ()
    assert asked(MISSING, reply=f"> {TRAILER}\n\nThat is not the right commit.\n") == ()
    assert len(asked(MISSING, reply=f"> {TRAILER}\n\nReviewed-by: Max <max@example.net>\n")) == 1


# --- defects -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "line", "claimed"),
    [
        ("example: Fix sleeping in atomic context in low()", "\tmsleep(3);\n", ["sleeping in atomic context"]),
        (
            "example: Fix sleeping function called from invalid context",
            "\tmsleep(3);\n",
            ["sleeping in atomic context"],
        ),
        ("example: Sleep for longer", "\tmsleep(3);\n", []),
        ("example: Fix a deadlock in low()", "\tmsleep(3);\n", []),
        ("example: Fix sleeping in atomic context", "\tudelay(3);\n", []),
    ],
)
def test_defect_that_the_subject_fixes_is_still_there(
    subject: str, line: str, claimed: list[str], history: History, capsys: pytest.CaptureFixture[str]
) -> None:
    repos.make(history.path, {PATH: OTHER.replace("\tmsleep(1);\n", line)}, f"{subject}\n\nBecause.\n")
    findings = checked(history.path, capsys)["findings"]
    assert [finding["claim"] for finding in findings if finding["claim"]] == claimed
    main(["check", "HEAD~1..", "--repo", str(history.path)])
    text = " ".join(capsys.readouterr().out.split())
    words = "The subject says that this fixes sleeping in atomic context; on this path it is still there."
    assert (words in text) == bool(claimed)


def test_what_a_later_patch_of_the_series_mends_is_not_held_against_the_claim(
    history: History, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in ("\tmsleep(3);\n", "\tudelay(3);\n"):
        text = OTHER.replace("\tmsleep(1);\n", line)
        repos.make(history.path, {PATH: text}, "example: Fix sleeping in atomic context\n\nBecause.\n")
    main(["check", "HEAD~2..", "--repo", str(history.path), "--format", "json"])
    patches = json.loads(capsys.readouterr().out)["patches"]
    assert [finding["claim"] for patch in patches for finding in patch["findings"]] == [None]


def test_old_defect_in_another_function_is_not_what_the_patch_claims(
    history: History, capsys: pytest.CaptureFixture[str]
) -> None:
    history.commit("\tdev->a = 7;\n", "example: Fix sleeping in atomic context")
    assert checked(history.path, capsys)["findings"] == []


def test_the_draft_asks_about_what_the_subject_says() -> None:
    old = dataclasses.replace(SLEEP, change=Change.PRE_EXISTING, claim="sleeping in atomic context")
    (draft,) = compose(reviewed(old), sender=JANE)
    told = " ".join(draft.data.decode().split())
    assert "The subject says that this fixes sleeping in atomic context; on this path it is still there. Can" in told


def test_every_defect_names_checks_that_there_are() -> None:
    folder = data_dir("checks")
    ids = [check.id for check in load_checks([folder], "*")]
    for defect in load_defects(folder):
        found = [one for one in ids if defect.is_found_by(one)]
        assert len(found) >= len(defect.checks), defect.title


def test_subjects_name_defects() -> None:
    defects = load_defects(data_dir("checks"))
    for subject, title in (
        ("net: fix sleeping while atomic", "sleeping in atomic context"),
        ("BUG: sleeping function called from invalid context at kernel/x.c:1", "sleeping in atomic context"),
        ("usb: Fix scheduling while atomic", "sleeping in atomic context"),
        ("gpio: make lock raw to fix PREEMPT_RT sleeping in atomic", "sleeping in atomic context"),
        ("x: add missing mutex_unlock() on error path", "a lock that stays held"),
        ("x: fix possible deadlock", "a deadlock"),
        ("x: fix suspicious RCU usage warning", "RCU usage outside of a read-side critical section"),
        ("x: fix use-after-free in probe", "a use after free"),
    ):
        assert title in [defect.title for defect in named_in(subject, defects)], subject
    for subject in ("x: Sleep less", "x: Use atomic_t", "x: rename the unlock function", "x: deadline fixes"):
        assert named_in(subject, defects) == (), subject


def test_broken_table_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "defects.toml").write_text('[[defect]]\ntitle = "x"\nsays = "("\nchecks = "rt-*"\n')
    with pytest.raises(CheckError, match=r"defects\.toml"):
        load_defects(tmp_path)
