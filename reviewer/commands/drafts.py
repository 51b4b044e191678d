# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer drafts``: look at the drafted replies, edit them, and send them with ``git send-email``."""

from __future__ import annotations

import argparse
import difflib
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from reviewer.commands.arguments import add_options
from reviewer.config import Options, git_environment
from reviewer.errors import DraftError, RepositoryError, UsageError
from reviewer.mail import outbox, prose
from reviewer.mail.outbox import Status, Stored
from reviewer.report.plain import clean, clean_line
from reviewer.report.text import console_for
from reviewer.wording import counted

_SHOWN_HEADERS: Final = ("From", "To", "Cc", "Subject", "Message-ID", "In-Reply-To")
_STYLES: Final = {Status.NEW: "bold", Status.EDITED: "green", Status.SENT: "dim", Status.SUPERSEDED: "dim"}

# Only the addresses in the draft's own To and Cc: no configured ones, no trailers in the text, no commands that add
# some. And the text as it is: not re-encoded, not checked by a hook of the tree, not formatted.
_SEND: Final = (
    "--no-to",
    "--no-cc",
    "--no-bcc",
    "--to-cmd=true",
    "--suppress-cc=author",
    "--suppress-cc=body",
    "--suppress-cc=cccmd",
    "--suppress-cc=self",
    "--no-signed-off-by-cc",
    "--no-format-patch",
    "--no-annotate",
    "--no-validate",
    "--no-chain-reply-to",
    "--thread",
    "--8bit-encoding=UTF-8",
    "--transfer-encoding=8bit",
    "--confirm=never",
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "drafts",
        help="list, show, edit and send the drafted replies",
        description="The replies that reviewer drafted. Only 'send' sends anything, and only after you say yes.",
    )
    parser.add_argument("--dry-run", action="store_true", help="have git send-email show what 'send' would send")
    add_options(parser, "output", "repo")
    parser.add_argument("action", nargs="?", choices=tuple(_ACTIONS), default="list", help="what to do (default: list)")
    parser.add_argument(
        "drafts",
        nargs="*",
        metavar="DRAFT",
        help="a number in the list, or the beginning of a name (default: all unsent drafts)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Run the command; the result is the exit status."""
    if arguments.dry_run:
        if arguments.action != "send":
            raise UsageError(f"--dry-run is for 'send'; 'reviewer drafts {arguments.action}' sends nothing")
        return _dry_run(options, tuple(arguments.drafts))
    return _ACTIONS[arguments.action](options, tuple(arguments.drafts))


def _list(options: Options, names: Sequence[str]) -> int:
    drafts = outbox.stored(options.drafts)
    chosen = _chosen(drafts, names) if names else drafts
    console = console_for(sys.stdout)
    if not chosen:
        console.print(Text(f"No drafts in {clean_line(str(options.drafts))}."))
        return 0
    table = Table(box=None, pad_edge=False)
    for heading in ("", "Status", "Subject", "To", "Name"):
        table.add_column(heading, overflow="fold", style="dim" if heading == "Name" else "")
    for draft in chosen:
        to = draft.recipients[0] if draft.recipients else None
        table.add_row(
            str(drafts.index(draft) + 1),
            Text(draft.status.value, style=_STYLES[draft.status]),
            Text(clean_line(draft.subject)),
            Text(clean_line((to.name or to.email) if to else "")),
            Text(draft.name),
        )
    console.print(table, soft_wrap=False)
    return 0


def _show(options: Options, names: Sequence[str]) -> int:
    drafts = _wanted(options, names)
    if not drafts:
        sys.stdout.write("There is no draft to show.\n")
    for number, draft in enumerate(drafts):
        if number:
            sys.stdout.write("\n" + "=" * prose.WIDTH + "\n\n")
        sys.stdout.write(_headers(draft) + "\n" + clean(_body(draft)))
    return 0


def _headers(draft: Stored) -> str:
    lines = [f"{name}: {clean_line(str(draft.mail[name]))}\n" for name in _SHOWN_HEADERS if draft.mail[name]]
    return "".join(lines)


def _body(draft: Stored) -> str:
    payload = draft.mail.get_payload(decode=True)
    text = payload.decode("utf-8", errors="replace") if isinstance(payload, bytes) else ""
    return text.replace("\r\n", "\n").rstrip("\n") + "\n"


def _edit(options: Options, names: Sequence[str]) -> int:
    drafts = _wanted(options, names)
    if not drafts:
        raise UsageError(f"tried to edit: there is no unsent draft in {options.drafts}; reviewer review writes them")
    if len(drafts) != 1:
        raise UsageError(f"tried to edit: there are {len(drafts)} drafts to choose from; name one: {_names(drafts)}")
    draft = drafts[0]
    editor = _editor(options)
    before = draft.path.read_bytes()
    try:
        done = subprocess.run([*editor, str(draft.path)], check=False)
    except OSError as error:
        raise UsageError(
            f"tried to start the editor {editor[0]!r}: {error.strerror}; set git config core.editor"
        ) from error
    if done.returncode:
        raise UsageError(f"the editor {editor[0]!r} ended with {done.returncode}; the draft is as the editor left it")
    outbox.edited(options.drafts, draft, before)
    _warn(draft.path)
    return 0


def _editor(options: Options) -> list[str]:
    """The editor in git's own order: GIT_EDITOR, core.editor, VISUAL, EDITOR. Its words are split, no shell runs."""
    command = ["git", *(["-C", str(options.repo)] if options.repo else []), "var", "GIT_EDITOR"]
    done = _git(command, options)
    value = done.stdout.decode(errors="surrogateescape").strip()
    if done.returncode or not value:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise UsageError(f"asked git for an editor: {said or 'there is none'}; set EDITOR or git config core.editor")
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise UsageError(f"the editor {value!r} cannot be split into words: {error}; set core.editor") from error
    return ["true"] if words == [":"] else words


def _git(command: Sequence[str], options: Options) -> subprocess.CompletedProcess[bytes]:
    environment = git_environment(options.repo)
    try:
        return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL, env=environment)
    except FileNotFoundError:
        raise RepositoryError("tried to run git: it is not installed or not on PATH; install git") from None


def _warn(path: Path) -> None:
    """Say which lines of an edited mail would be harvested as trailers; the person may have meant them."""
    body = path.read_bytes().partition(b"\n\n")[2].decode("utf-8", errors="replace").replace("\r\n", "\n")
    for line in prose.own_lines(body):
        if prose.is_dangerous(line):
            sys.stderr.write(f"reviewer: b4 and others will act on this line: {clean_line(line)}\n")


def _diff(options: Options, names: Sequence[str]) -> int:
    """What of the user's drafts differs from what the program would write now; the result is 1 if any does."""
    drafts = outbox.stored(options.drafts)
    users = [draft for draft in drafts if draft.status in (Status.EDITED, Status.SENT)]
    differ = False
    for draft in _chosen(drafts, names) if names else users:
        data = outbox.proposed(options.drafts, draft)
        if data is None:
            sys.stdout.write(f"{draft.name}: what the program wrote is not kept any more\n")
            continue
        yours, own = _lines(draft.path.read_bytes()), _lines(data)
        for line in difflib.unified_diff(own, yours, "the program's", f"yours: {draft.name}", lineterm=""):
            differ = True
            sys.stdout.write(clean(line) + "\n")
    return 1 if differ else 0


def _lines(data: bytes) -> list[str]:
    """The lines of a mail, without the header that follows from its text."""
    text = data.decode("utf-8", errors="replace").replace("\r\n", "\n")
    return [line for line in text.split("\n") if not line.lower().startswith("message-id:")]


def _send(options: Options, names: Sequence[str]) -> int:
    drafts = _wanted(options, names)
    if not drafts:
        sys.stdout.write("There is no draft to send.\n")
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "nothing is sent without a yes from a person: run 'reviewer drafts send' on a terminal, or with --dry-run"
        )
    for draft in drafts:
        _send_one(options, draft)
    return 0


def _dry_run(options: Options, names: Sequence[str]) -> int:
    """Have git send-email tell what it would do."""
    drafts = _wanted(options, names)
    if not drafts:
        sys.stdout.write("There is no draft to send.\n")
    for draft in drafts:
        _sendable(draft)
        sys.stdout.write(f"Would be sent: {draft.name}\n")
        sys.stdout.flush()
        _hand_over(options, draft, draft.path.read_bytes(), "--dry-run")
    return 0


def _send_one(options: Options, draft: Stored) -> None:
    if draft.status is Status.SENT:
        raise UsageError(f"{draft.name} was sent already; write a new mail if there is more to say")
    _sendable(draft)
    data = draft.path.read_bytes()
    sys.stdout.write(_headers(draft) + f"This goes to {counted(len(draft.recipients), 'address')}. Send it? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        sys.stdout.write(f"Not sent: {draft.name}\n")
        return
    _hand_over(options, draft, data)
    outbox.mark_sent(options.drafts, draft, data)
    sys.stdout.write(f"Sent: {draft.name}\n")


def _hand_over(options: Options, draft: Stored, data: bytes, *more: str) -> None:
    """Give git send-email the mail, in a file that nobody edits meanwhile."""
    sender = clean_line(str(draft.mail["From"]))
    repo = ["-C", str(options.repo)] if options.repo else []
    with tempfile.TemporaryDirectory(prefix="reviewer-") as folder:
        copy = Path(folder) / f"{draft.name}.eml"
        copy.write_bytes(data)
        command = ["git", *repo, "send-email", f"--from={sender}", *_SEND, *more, str(copy)]
        try:
            done = subprocess.run(command, check=False, env=git_environment(options.repo))
        except FileNotFoundError:
            raise RepositoryError("tried to run git send-email: git is not installed or not on PATH") from None
    if done.returncode:
        raise DraftError(
            f"git send-email ended with {done.returncode} for {draft.name}, as it says above; the draft is kept"
        )


def _sendable(draft: Stored) -> None:
    """Refuse a mail of which git send-email would make something else than what is shown."""
    mail = draft.mail
    if draft.other is not None:
        raise DraftError(f"{draft.path} and {draft.other} were both edited; remove the one that is not to be sent")
    missing = [name for name in ("From", "To", "Subject", "In-Reply-To") if not mail[name]]
    if missing:
        raise DraftError(f"{draft.name} has no {' and no '.join(missing)} header; edit it before it is sent")
    if mail["Bcc"]:
        raise DraftError(
            f"{draft.name} has a Bcc header, which git send-email would show to everybody; remove it from the draft"
        )


def _wanted(options: Options, names: Sequence[str]) -> tuple[Stored, ...]:
    """The drafts that were named; without names those that are waiting to be sent."""
    drafts = outbox.stored(options.drafts)
    if names:
        return _chosen(drafts, names)
    return tuple(draft for draft in drafts if draft.status in (Status.NEW, Status.EDITED))


def _chosen(drafts: tuple[Stored, ...], names: Sequence[str]) -> tuple[Stored, ...]:
    found = []
    for name in names:
        if name.isdecimal() and name[0] != "0" and int(name) <= len(drafts):
            found.append(drafts[int(name) - 1])
            continue
        fitting = [draft for draft in drafts if name and draft.name.startswith(name.removesuffix(".eml"))]
        if len(fitting) != 1:
            what = "several drafts have" if fitting else "no draft has"
            raise UsageError(f"looked for the draft {name!r}: {what} that number or name; see 'reviewer drafts list'")
        found.append(fitting[0])
    return tuple(dict.fromkeys(found))


def _names(drafts: Sequence[Stored]) -> str:
    return ", ".join(draft.name for draft in drafts) or "none"


_ACTIONS: Final[dict[str, Callable[[Options, Sequence[str]], int]]] = {
    "list": _list,
    "show": _show,
    "edit": _edit,
    "diff": _diff,
    "send": _send,
}
