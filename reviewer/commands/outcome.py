# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands that review have in common: the checks, the report on stdout, the exit status."""

from __future__ import annotations

import sys

from reviewer.check import Check
from reviewer.commands.stdout import reader_may_leave, write_data
from reviewer.config import Options, data_dir
from reviewer.model import Audit, Review
from reviewer.registry import load_checks
from reviewer.report.data import audit_exit_status, audit_to_json, exit_status, to_json
from reviewer.report.text import Written, console_for, render, render_audit


def wanted_checks(options: Options) -> tuple[Check, ...]:
    """The checks of the program and of the user's folders whose id matches ``--checks``."""
    return load_checks([data_dir("checks"), *options.checks_dirs], options.checks)


def show_audit(audit: Audit, options: Options) -> int:
    """Print what an audit found in the format asked for; the result is the exit status."""
    with reader_may_leave():
        if options.format == "json":
            write_data(audit_to_json(audit, show_silenced=options.show_silenced))
        else:
            render_audit(audit, console_for(sys.stdout), show_silenced=options.show_silenced)
    return audit_exit_status(audit)


def show(review: Review, options: Options, written: Written | None = None) -> int:
    """Print the report in the format asked for; the result is the exit status, whether or not it is read to its end."""
    with reader_may_leave():
        if options.format == "json":
            write_data(to_json(review, show_silenced=options.show_silenced))
        else:
            render(
                review,
                console_for(sys.stdout),
                written=written,
                show_pre_existing=options.show_pre_existing,
                show_silenced=options.show_silenced,
            )
    return exit_status(review)
