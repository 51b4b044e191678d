# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer rules [ID]``: what is checked, and where the kernel demands it."""

from __future__ import annotations

import argparse
import sys
import textwrap
from typing import Any

from reviewer.check import Check
from reviewer.commands.arguments import add_options
from reviewer.commands.outcome import wanted_checks
from reviewer.config import Options
from reviewer.errors import UsageError
from reviewer.model import Kernels

_WIDTH = 78  # columns


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "rules", help="list the checks, or explain one", description="Lists the checks, or explains one of them."
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="the check to explain")
    add_options(parser, "checks")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Print the list or the explanation."""
    checks = wanted_checks(options)
    if arguments.id is None:
        width = max(len(check.id) for check in checks)
        for check in checks:
            sys.stdout.write(f"{check.id:<{width}}  {check.rule}\n")
        return 0
    for check in checks:
        if check.id == arguments.id:
            sys.stdout.write(_explanation(check))
            return 0
    raise UsageError(f"there is no check {arguments.id!r}; reviewer rules lists them")


def _explanation(check: Check) -> str:
    kernels = "every kernel" if check.kernels is Kernels.ALL else "PREEMPT_RT kernels"
    parts = [
        f"{check.id} ({check.severity.value} on {kernels})",
        textwrap.fill(check.rule, _WIDTH),
        textwrap.fill(check.why, _WIDTH),
        _stated(check),
        *(f"Wrong:\n{_indented(example)}" for example in check.wrong),
        *(f"Right:\n{_indented(example)}" for example in check.right),
        *(f"Wrong, and known not to be found:\n{_indented(example)}" for example in check.misses),
    ]
    return "\n\n".join(parts) + "\n"


def _stated(check: Check) -> str:
    if not check.sources:
        return "Stated nowhere in the kernel's documents."
    places = (f"  {source.path}" + (f", {source.section}" if source.section else "") for source in check.sources)
    return "\n".join(("Stated in:", *dict.fromkeys(places)))


def _indented(example: str) -> str:
    return textwrap.indent(textwrap.dedent(example).strip("\n"), "    ")
