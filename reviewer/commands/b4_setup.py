# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer b4-setup``: print the lines of git config that have b4 run this program; nothing is set."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from typing import Any, Final

from reviewer.config import Options

_TEXT: Final = """\
git config --add b4.review-perpatch-check-cmd {check}
git config --add b4.am-perpatch-check-cmd {lines}
"""
_NOTES: Final = """\
# b4 runs scripts/checkpatch.pl by itself only where no command is set. To keep it:
#   git config --add b4.review-perpatch-check-cmd _builtin_checkpatch
#   git config --add b4.am-perpatch-check-cmd './scripts/checkpatch.pl -q --terse --no-summary --mailback'
# As the agent of b4 review (key "a"), which wants a file for a prompt that is not used:
#   git config b4.review-agent-command {agent}
#   git config b4.review-agent-prompt-path MAINTAINERS
"""


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "b4-setup",
        help="print the git config commands that make b4 run the checks",
        description="Prints shell commands; the first two make 'b4 review' and 'b4 am --check' run 'reviewer b4-check' "
        "on each patch. Nothing is changed.",
    )
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace, _options: Options) -> int:
    """Print the lines."""
    program = shlex.join(["reviewer"] if shutil.which("reviewer") else [sys.executable, "-m", "reviewer"])
    commands = {
        "check": f"{program} b4-check",
        "lines": f"{program} b4-check --am",
        "agent": f"{program} b4-review --agent",
    }
    quoted = {name: shlex.quote(command) for name, command in commands.items()}
    sys.stdout.write(_TEXT.format(**quoted) + _NOTES.format(**quoted))
    return 0
