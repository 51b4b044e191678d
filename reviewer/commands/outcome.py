# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands that review have in common: the checks, the report on stdout, the exit status."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from reviewer.check import Check
from reviewer.commands.stdout import reader_may_leave, write_data
from reviewer.config import Options, data_dir, git_environment
from reviewer.model import Audit, Problem, Review
from reviewer.registry import load_checks
from reviewer.report.annotated import render_diff
from reviewer.report.data import audit_exit_status, audit_to_json, exit_status, to_json
from reviewer.report.gcc import Place, audit_lines, problem_lines, review_lines
from reviewer.report.plain import clean_line, clean_path
from reviewer.report.sarif import audit_to_sarif, to_sarif
from reviewer.report.text import Written, console_for, render, render_audit
from reviewer.report.words import notes_of, shortcomings
from reviewer.splat.account import Explained

_COLUMNS: Final = 100


def wanted_checks(options: Options) -> tuple[Check, ...]:
    """The checks of the program and of the user's folders that ``--checks`` and ``--areas`` want."""
    return load_checks([data_dir("checks"), *options.checks_dirs], options.checks, options.areas)


def show_audit(audit: Audit, options: Options) -> int:
    """Print what an audit found in the format asked for; the result is the exit status."""
    with reader_may_leave():
        if options.format == "json":
            write_data(audit_to_json(audit, show_silenced=options.show_silenced))
        elif options.format == "sarif":
            write_data(audit_to_sarif(audit, wanted_checks(options), show_silenced=options.show_silenced))
        elif options.format == "gcc":
            _write_lines(audit_lines(audit, from_here(options.repo), show_silenced=options.show_silenced))
            _tell(audit.errors, () if options.quiet else audit.notes)
        else:
            console = console_for(sys.stdout)
            render_audit(audit, console, show_silenced=options.show_silenced, quiet=options.quiet)
    return audit_exit_status(audit)


def show(review: Review, options: Options, written: Written | None = None, splats: Sequence[Explained] = ()) -> int:
    """Print the report in the format asked for; the result is the exit status, whether or not it is read to its end.

    ``splats`` are the kernel's reports in the mails of the series.
    """
    if options.html is not None:
        page = importlib.import_module("reviewer.report.page")  # imported here: it brings Jinja2, and few ask for it
        write_page(options.html, page.page_of(review, splats, show_pre_existing=options.show_pre_existing))
        if not options.quiet:
            sys.stderr.write(f"reviewer: wrote {clean_path(str(options.html))}\n")
    with reader_may_leave():
        if options.format == "json":
            write_data(to_json(review, show_silenced=options.show_silenced, splats=splats))
        elif options.format == "sarif":
            write_data(to_sarif(review, wanted_checks(options), **_shown(options)))
        elif options.format == "gcc":
            _write_lines(review_lines(review, from_here(options.repo), **_shown(options)))
            _tell(shortcomings(review), () if options.quiet else notes_of(review))
        elif options.format == "diff":
            render_diff(review, console_for(sys.stdout), show_pre_existing=options.show_pre_existing)
        else:
            render(
                review,
                console_for(sys.stdout),
                written=written,
                show_pre_existing=options.show_pre_existing,
                show_silenced=options.show_silenced,
                splats=splats,
                quiet=options.quiet,
            )
    return exit_status(review)


def write_page(path: Path, page: str) -> None:
    """Write the page; whoever reads the old one meanwhile never sees a half."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(page, "utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _shown(options: Options) -> dict[str, bool]:
    return {"show_pre_existing": options.show_pre_existing, "show_silenced": options.show_silenced}


def _write_lines(lines: Iterable[str]) -> None:
    write_data("".join(f"{line}\n" for line in lines))


def _tell(problems: Iterable[Problem], notes: Iterable[str] = ()) -> None:
    for line in (*problem_lines(problems), *(f"note: {clean_line(note)}" for note in notes)):
        rows = textwrap.wrap(
            f"reviewer: {line}", _COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        sys.stderr.write("".join(f"{row}\n" for row in rows))


def from_here(repo: Path | None) -> Place:
    """Paths of the tree as they are to be opened from the current folder; unchanged where there is no work tree."""
    command = ["git", *(["-C", str(repo)] if repo else []), "rev-parse", "--show-toplevel"]
    done = subprocess.run(
        command, capture_output=True, check=False, stdin=subprocess.DEVNULL, env=git_environment(repo)
    )
    top = os.fsdecode(done.stdout.removesuffix(b"\n"))
    if done.returncode or not top:
        return str
    here = os.getcwd()
    inside = os.path.commonpath((top, here)) in (top, here)

    def place(path: str) -> str:
        whole = os.path.join(top, path)
        return os.path.relpath(whole, here) if inside else whole

    return place
