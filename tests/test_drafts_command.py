# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer drafts``: nothing is lost, nothing is sent without a yes, and only to those who were shown."""

from __future__ import annotations

import argparse
import dataclasses
import email
import email.policy
import os
import pty
import select
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from reviewer.commands import drafts as command
from reviewer.config import Options
from reviewer.errors import DraftError, ReviewerError, UsageError
from reviewer.mail.draft import Draft, write
from reviewer.mail.outbox import standing_back
from reviewer.model import Address

ROOT = Path(__file__).resolve().parent.parent
BODY = "On Monday, Ann wrote:\n> +\tring();\n\nCan this sleep?\n\n-- \nreviewer 0.1.0: lock-x\n"


def draft(name: str = "bell", *, patch: int = 1, parent: str = "bell-1@example.com", body: str = BODY) -> Draft:
    to = (Address("Jörg Größe", "joerg@example.com"),)
    cc = (Address("", "bells@lists.example.org"), Address("Max", "max@example.net"))
    data = (
        "From: =?utf-8?q?J=C3=A4ne?= Reviewer <jane@example.org>\n"
        "To: =?utf-8?q?J=C3=B6rg_Gr=C3=B6=C3=9Fe?= <joerg@example.com>\n"
        "Cc: bells@lists.example.org, Max <max@example.net>\n"
        f"Subject: Re: [PATCH] {name}\nMessage-ID: <{name}-{patch}@example.org>\nIn-Reply-To: <{parent}>\n"
        f"References: <cover@example.com> <{parent}>\n"
        'Content-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: 8bit\nMIME-Version: 1.0\n\n' + body
    )
    message_id = f"{name}-{patch}@example.org"
    return Draft(message_id, parent, f"Re: [PATCH] {name}", to, cc, data.encode(), patch, ())


def run(folder: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["drafts", *words])
    status = command.run(arguments, Options(output=folder))
    assert arguments.run is command.run
    return status


def test_no_drafts_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "none") == 0
    assert "No drafts in" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_list_shows_what_is_there_and_what_became_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write([draft("first", patch=1, parent="a@b"), draft("second", patch=2, parent="c@d")], tmp_path)
    path = next(tmp_path.glob("0002*.eml"))
    path.write_bytes(path.read_bytes().replace(b"sleep", b"block"))
    assert run(tmp_path, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "new" in lines[1]
    assert "first" in lines[1]
    assert "edited" in lines[2]
    assert "Jörg Größe" in lines[2]


def test_a_later_draft_for_the_same_patch_replaces_an_untouched_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (old,) = write([draft("old")], tmp_path)
    os.utime(old, (1, 1))
    write([draft("young")], tmp_path)
    run(tmp_path, "list")
    shown = capsys.readouterr().out
    assert "superseded" in next(line for line in shown.splitlines() if "[PATCH] old" in line)
    run(tmp_path, "show")
    shown = capsys.readouterr().out
    assert "[PATCH] young" in shown
    assert "[PATCH] old" not in shown
    old.write_bytes(old.read_bytes() + b"mine\n")
    run(tmp_path, "show")
    assert "mine" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["eml", "maildir"])
def test_what_the_user_edited_wins_over_a_later_draft(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    (mine,) = write([draft("bell")], tmp_path)
    edited = next((tmp_path / "new").iterdir()) if where == "maildir" else mine
    edited.write_bytes(edited.read_bytes().replace(b"sleep?", b"sleep, Joerg?"))
    later = draft("bell", patch=1, body=BODY.replace("Can this sleep?", "Can this sleep here?"))
    (other,) = write([dataclasses.replace(later, message_id="later@example.org")], tmp_path)
    assert other != mine
    run(tmp_path, "list")
    states = {line.split()[0]: line.split()[1] for line in capsys.readouterr().out.splitlines()[1:]}
    assert sorted(states.values()) == ["edited", "superseded"]
    run(tmp_path, "show")
    shown = capsys.readouterr().out
    assert "Can this sleep, Joerg?" in shown
    assert "Can this sleep here?" not in shown
    assert [stays.name for stays in standing_back(tmp_path, [other])] == [mine.stem]
    assert standing_back(tmp_path, [mine]) == ()
    assert run(tmp_path, "diff") == 1
    difference = capsys.readouterr().out.splitlines()
    assert difference[:2] == ["--- the program's", f"+++ yours: {mine.stem}"]
    assert "-Can this sleep here?" in difference
    assert "+Can this sleep, Joerg?" in difference
    assert not [line for line in difference if "Message-ID" in line]


def test_the_difference_to_what_was_written_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = write([draft()], tmp_path)
    assert run(tmp_path, "diff") == 0
    assert run(tmp_path, "diff", "1") == 0
    assert capsys.readouterr().out == ""
    path.write_bytes(path.read_bytes().replace(b"sleep?", b"sleep\x1b[31m?"))
    assert run(tmp_path, "diff") == 1
    shown = capsys.readouterr().out
    assert "-Can this sleep?\n+Can this sleep[31m?\n" in shown


def test_a_mail_that_was_answered_is_not_answered_again_by_itself(server: Path) -> None:
    folder = server / "drafts"
    write([draft()], folder)
    assert on_terminal(folder, ["send"], "y\n")[0] == 0
    later = dataclasses.replace(draft(body=BODY.replace("Can", "Could")), message_id="later@example.org")
    write([later], folder)
    status, shown = on_terminal(folder, ["send"], "y\n")
    assert (status, "no draft to send" in shown) == (0, True)


def test_show_prints_the_mail_and_no_escape_sequence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = BODY.replace("ring();", "ring();\x1b]0;owned\x07\x1b[2J\u202e\x9b1m")
    hostile = draft(body=evil)
    forged = hostile.data.replace(b"[PATCH]", b"[PATCH]\x1b[31m =?utf-8?q?=1B[5m?=")
    write([dataclasses.replace(hostile, data=forged)], tmp_path)
    run(tmp_path, "show")
    run(tmp_path, "list")
    run(tmp_path, "show", "1")
    shown = capsys.readouterr().out
    assert "To: Jörg Größe <joerg@example.com>" in shown
    assert "> +\tring();" in shown
    assert not any(bad in shown for bad in "\x1b\x07\u202e\x9b")


@pytest.mark.parametrize("name", ["7", "zzz", "0001", ""])
def test_a_name_that_fits_no_draft_or_several_is_refused(tmp_path: Path, name: str) -> None:
    write([draft("one"), draft("two")], tmp_path)
    with pytest.raises(UsageError, match="draft"):
        run(tmp_path, "show", name)


def editor(tmp_path: Path, text: str = "s/sleep/block/") -> Path:
    script = tmp_path / "my editor"
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {shlex.quote(str(tmp_path / "args"))}\n'
        f'for file; do :; done\nexec sed -i -e {shlex.quote(text)} "$file"\n'
    )
    script.chmod(0o755)
    return script


@pytest.mark.parametrize("variable", ["GIT_EDITOR", "VISUAL", "EDITOR", "core.editor"])
def test_edit_opens_the_editor_that_git_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    (path,) = write([draft()], tmp_path / "drafts")
    value = f"{shlex.quote(str(editor(tmp_path)))} --wait '$(touch pwned); x'"
    monkeypatch.setenv("TERM", "xterm")
    if variable == "core.editor":
        subprocess.run(["git", "config", "--global", "core.editor", value], check=True)
    else:
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    assert run(tmp_path / "drafts", "edit") == 0
    assert (tmp_path / "args").read_text().splitlines() == ["--wait", "$(touch pwned); x", str(path)]
    assert not (tmp_path / "pwned").exists()
    assert b"Can this block?" in path.read_bytes()
    (copy,) = (tmp_path / "drafts" / "new").iterdir()
    assert copy.read_bytes() == path.read_bytes()
    before = path.read_bytes()
    write([draft()], tmp_path / "drafts")
    assert path.read_bytes() == before


def test_a_copy_that_was_edited_in_the_mail_program_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write([draft()], tmp_path / "drafts")
    (copy,) = (tmp_path / "drafts" / "new").iterdir()
    copy.write_bytes(copy.read_bytes() + b"from mutt\n")
    monkeypatch.setenv("GIT_EDITOR", shlex.quote(str(editor(tmp_path))))
    run(tmp_path / "drafts", "edit", "1")
    assert copy.read_bytes().endswith(b"from mutt\n")


def test_what_was_edited_in_the_mail_program_is_what_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = write([draft()], tmp_path)
    (copy,) = (tmp_path / "new").iterdir()
    copy = copy.rename(tmp_path / "cur" / f"{copy.name}:2,S")
    copy.write_bytes(copy.read_bytes().replace(b"sleep", b"block"))
    run(tmp_path, "show")
    assert "Can this block?" in capsys.readouterr().out
    path.write_bytes(path.read_bytes().replace(b"sleep", b"schedule"))
    run(tmp_path, "show")
    assert "Can this schedule?" in capsys.readouterr().out


def test_a_draft_that_was_edited_in_two_places_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = write([draft()], tmp_path)
    (copy,) = (tmp_path / "new").iterdir()
    for file in (path, copy):
        file.write_bytes(file.read_bytes() + str(file).encode())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(DraftError, match="both edited"):
        run(tmp_path, "send")


def test_edit_warns_of_a_line_that_b4_would_harvest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write([draft()], tmp_path / "drafts")
    script = editor(tmp_path, "s/^Can this.*/  Reviewed-by: Jane <jane@example.org>/")
    monkeypatch.setenv("GIT_EDITOR", shlex.quote(str(script)))
    assert run(tmp_path / "drafts", "edit") == 0
    assert "will act on this line: Reviewed-by: Jane" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["false", "/nonexistent/editor", "'unbalanced"])
def test_an_editor_that_fails_is_named_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    (path,) = write([draft()], tmp_path / "drafts")
    monkeypatch.setenv("GIT_EDITOR", value)
    with pytest.raises(UsageError, match="editor"):
        run(tmp_path / "drafts", "edit")
    assert path.read_bytes() == draft().data


def test_edit_needs_a_name_where_there_are_several(tmp_path: Path) -> None:
    write([draft("one", parent="a@b"), draft("two", parent="c@d")], tmp_path)
    with pytest.raises(UsageError, match="name one"):
        run(tmp_path, "edit")


def test_nothing_is_sent_without_a_terminal(tmp_path: Path) -> None:
    write([draft()], tmp_path)
    with pytest.raises(UsageError, match="without a yes"):
        run(tmp_path, "send")


# --- sending, on a terminal ------------------------------------------------------------------------------------------

CHILD = """\
import argparse, sys
from pathlib import Path
from reviewer.commands import drafts
from reviewer.config import Options
from reviewer.errors import ReviewerError
parser = argparse.ArgumentParser()
drafts.add_parser(parser.add_subparsers())
try:
    sys.exit(drafts.run(parser.parse_args(["drafts", *sys.argv[2:]]), Options(output=Path(sys.argv[1]))))
except ReviewerError as error:
    print("ERROR", error)
    sys.exit(error.exit_code)
"""


def on_terminal(folder: Path, words: Sequence[str], typed: str) -> tuple[int, str]:
    """Run the command on a pseudo terminal, type, and read what it shows."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", CHILD, str(folder), *words])  # noqa: S606
    os.write(terminal, typed.encode())
    shown = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace")


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A git configuration that would send to more people, and a mail server that writes down what it gets."""
    script = tmp_path / "sendmail"
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >> {shlex.quote(str(tmp_path / "recipients"))}\n'
        f"cat >> {shlex.quote(str(tmp_path / 'sent'))}\n"
    )
    script.chmod(0o755)
    adder = tmp_path / "adder"
    adder.write_text("#!/bin/sh\necho evil@example.org\n")
    adder.chmod(0o755)
    settings = {
        "smtpserver": script,
        "to": "evil1@example.org",
        "cc": "evil2@example.org",
        "tocmd": adder,
        "cccmd": adder,
        "bcc": "evil3@example.org",
        "confirm": "always",
        "from": "Other <other@example.org>",
    }
    for key, value in settings.items():
        subprocess.run(["git", "config", "--global", f"sendemail.{key}", str(value)], check=True)
    done = subprocess.run(["git", "send-email", "--dump-aliases"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"git send-email does not run here: {done.stderr.decode()[:200]}")
    return tmp_path


def test_send_shows_the_recipients_asks_and_sends_to_them_alone(server: Path) -> None:
    folder = server / "drafts"
    body = BODY.replace("Can this", "Cc: Evil <evil4@example.org>\nReviewed-by: Evil <evil5@example.org>\nCan dies ß")
    (path,) = write([draft(body=body)], folder)
    status, shown = on_terminal(folder, ["send"], "y\n")
    assert status == 0, shown
    assert shown.index("joerg@example.com") < shown.index("[y/N]") < shown.index("Sent: ")
    assert "This goes to 3 addresses" in shown
    recipients = [line for line in (server / "recipients").read_text().split() if "@" in line]
    assert sorted(set(recipients) - {"jane@example.org"}) == [
        "bells@lists.example.org",
        "joerg@example.com",
        "max@example.net",
    ]
    sent = (server / "sent").read_bytes()
    assert sent.partition(b"\n\n")[2] == path.read_bytes().partition(b"\n\n")[2]
    mail = email.message_from_bytes(sent, policy=email.policy.default)
    assert mail["In-Reply-To"] == "<bell-1@example.com>"
    assert str(mail["References"]).split() == ["<cover@example.com>", "<bell-1@example.com>"]
    assert mail["Message-ID"] == "<bell-1@example.org>"
    assert str(mail["From"]) == "Jäne Reviewer <jane@example.org>"
    assert b"evil" not in sent.partition(b"\n\n")[0]


def test_what_was_sent_is_not_sent_again(server: Path) -> None:
    folder = server / "drafts"
    write([draft()], folder)
    assert on_terminal(folder, ["send"], "y\n")[0] == 0
    assert not list((folder / "new").iterdir())
    assert next((folder / "cur").iterdir()).name.endswith(":2,S")
    write([draft()], folder)
    assert not list((folder / "new").iterdir())
    status, shown = on_terminal(folder, ["send"], "")
    assert status == 0
    assert "no draft to send" in shown
    status, shown = on_terminal(folder, ["send", "1"], "y\n")
    assert status == 2
    assert "was sent already" in shown


def test_what_was_sent_is_kept_as_it_was_sent(server: Path) -> None:
    folder = server / "drafts"
    (path,) = write([draft()], folder)
    sent = path.read_bytes()
    assert on_terminal(folder, ["send"], "y\n")[0] == 0
    path.write_bytes(b"edited afterwards\n")
    (copy,) = (folder / "sent" / "cur").iterdir()
    assert copy.read_bytes() == sent
    assert sorted(place.name for place in (folder / "sent").iterdir()) == ["cur", "new", "tmp"]


def test_a_dry_run_shows_and_sends_nothing(server: Path) -> None:
    folder = server / "drafts"
    (path,) = write([draft()], folder)
    before = {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), "send", "--dry-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"Would be sent: {path.stem}" in done.stdout
    assert "Dry-OK" in done.stdout + done.stderr
    assert "joerg@example.com" in done.stdout + done.stderr
    assert "evil" not in done.stdout + done.stderr
    assert not (server / "sent").exists()
    assert {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()} == before
    with pytest.raises(UsageError, match="--dry-run is for 'send'"):
        run(folder, "show", "--dry-run")


@pytest.mark.parametrize("typed", ["n\n", "\n", "yess\n", "\x04"])
def test_anything_but_yes_sends_nothing(server: Path, typed: str) -> None:
    folder = server / "drafts"
    write([draft()], folder)
    status, shown = on_terminal(folder, ["send", "0001"], typed)
    assert status == 0
    assert "Not sent" in shown
    assert not (server / "sent").exists()


def test_a_draft_is_not_marked_when_git_send_email_failed(server: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = server / "drafts"
    write([draft()], folder)
    (server / "sendmail").write_text("#!/bin/sh\nexit 1\n")
    status, shown = on_terminal(folder, ["send"], "y\n")
    assert status == 3
    assert "git send-email ended with" in shown
    run(folder, "list")
    assert "new" in capsys.readouterr().out
    assert len(list((folder / "new").iterdir())) == 1


@pytest.mark.parametrize(("old", "new"), [(b"To: ", b"X-To: "), (b"Subject: ", b"X: "), (b"Cc: ", b"Bcc: ")])
def test_a_mail_that_would_go_elsewhere_than_shown_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bytes, new: bytes
) -> None:
    (path,) = write([draft()], tmp_path)
    path.write_bytes(path.read_bytes().replace(b"\n" + old, b"\n" + new, 1))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(DraftError, match="0001-bell"):
        run(tmp_path, "send")


def test_there_is_no_way_to_say_yes_beforehand(tmp_path: Path) -> None:
    for flag in ("--yes", "-y", "--force"):
        with pytest.raises(SystemExit):
            run(tmp_path, "send", flag)


def test_a_broken_state_file_is_named(tmp_path: Path) -> None:
    write([draft()], tmp_path)
    state = next((tmp_path / ".state").glob("*.json"))
    state.write_text("{")
    with pytest.raises(ReviewerError, match=r"\.state"):
        run(tmp_path, "list")
