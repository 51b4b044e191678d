# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer man``: the manual page, made of what ``--help`` says."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from typing import Any

from reviewer.commands.arguments import settings
from reviewer.commands.stdout import write_data
from reviewer.config import Options
from reviewer.report.manual import manual


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "man",
        help="show the manual page",
        description="Shows the manual page of all commands on a terminal; otherwise prints its source, in man(7).",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, _options: Options) -> int:
    """Print the page, or have man(1) show it to a person."""
    page = manual(arguments.program, settings())
    reader = shutil.which("man") if sys.stdout.isatty() else None
    if reader is None:
        write_data(page)
        return 0
    subprocess.run([reader, "--local-file", "-"], input=page.encode(), check=False)
    return 0
