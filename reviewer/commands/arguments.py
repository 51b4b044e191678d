# SPDX-License-Identifier: GPL-2.0-or-later
"""The options that several commands share: each is a field of ``Options`` and a key of git config ``[reviewer]``."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from reviewer.config import FORMATS, Options, configured, read_severity
from reviewer.model import Severity
from reviewer.selection import checked


def _told(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """``read`` for argparse, which keeps what a ValueError says to itself."""

    def said(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} {error}") from None

    return said


def number(least: int, most: int | None = None, prefix: str = "") -> Callable[[str], int]:
    """What reads a whole number for argparse, and says which ones there are. ``prefix`` may stand before it."""
    wanted = f"from {least} to {most}" if most is not None else f"from {least} up"

    def read(text: str) -> int:
        digits = text.removeprefix(prefix)
        if not (digits.isascii() and digits.isdigit()) or not least <= int(digits) <= (most or int(digits)):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {wanted}")
        return int(digits)

    return read


# Field of Options -> flags and what argparse is told.
_OPTIONS: Final[dict[str, tuple[tuple[str, ...], dict[str, Any]]]] = {
    "repo": (
        ("--repo",),
        {"type": Path, "metavar": "DIR", "help": "the kernel repository (default: that of the current directory)"},
    ),
    "base": (("--base",), {"metavar": "REV", "help": "apply the series to this commit"}),
    "branches": (
        ("--branch",),
        {"action": "append", "metavar": "REV", "help": "try this branch for a series that names no base; repeatable"},
    ),
    "format": (("--format",), {"help": "text (default), or {others}"}),
    "output": (("--output",), {"type": Path, "metavar": "DIR", "help": "the folder for the drafted mails"}),
    "html": (("--html",), {"type": Path, "metavar": "FILE", "help": "also write the review to FILE as one HTML page"}),
    "checks": (
        ("--checks",),
        {"type": _told(checked), "metavar": "GLOB", "help": "run only the checks whose id matches, e.g. 'rt-*'"},
    ),
    "areas": (
        ("--areas",),
        {
            "action": "append",
            "type": _told(checked),
            "metavar": "AREA",
            "help": "run only the checks of this area, or with '!kvm' all but those",
        },
    ),
    "within": (
        ("--paths",),
        {
            "action": "append",
            "type": _told(checked),
            "metavar": "PATH",
            "help": "report only what is in these files and folders; '!drivers/staging/' leaves one out",
        },
    ),
    "severity": (
        ("--severity",),
        {
            "type": _told(read_severity),
            "choices": list(Severity),
            "metavar": "LEVEL",
            "help": "the lowest severity to report: bug, question (default) or nit",
        },
    ),
    "lore": (("--lore",), {"metavar": "URL", "help": "the public-inbox to fetch from (default: the one that b4 uses)"}),
    "attestation": (
        ("--attestation",),
        {"action": argparse.BooleanOptionalAction, "help": "verify the signatures of the patches (needs DNS)"},
    ),
    "inline_diff": (
        ("--inline-diff",),
        {"action": argparse.BooleanOptionalAction, "help": "review a diff that someone put into a reply"},
    ),
    "three_way": (
        ("--3way",),
        {
            "action": argparse.BooleanOptionalAction,
            "help": "try a three-way merge where a patch does not apply (default)",
        },
    ),
    "offline": (
        ("--offline",),
        {"action": argparse.BooleanOptionalAction, "help": "contact no server for mail: review files only"},
    ),
    "earlier": (
        ("--earlier",),
        {
            "action": argparse.BooleanOptionalAction,
            "help": "compare with earlier revisions in the thread or the files, or linked in the mails (default)",
        },
    ),
    "cache": (
        ("--cache",),
        {"action": argparse.BooleanOptionalAction, "help": "keep what was learned for the next run (default)"},
    ),
    "show_pre_existing": (
        ("--pre-existing",),
        {"action": argparse.BooleanOptionalAction, "help": "also show what was already wrong before the patch"},
    ),
    "show_silenced": (
        ("--silenced",),
        {"action": argparse.BooleanOptionalAction, "help": "also show what an ignore file silences"},
    ),
    "quiet": (("-q", "--quiet"), {"action": "store_true", "help": "print the findings only, and no progress"}),
    "verbose": (("-v", "--verbose"), {"action": "store_true", "help": "say on stderr what is being done"}),
}
# The fields that only git config sets, and what the manual page says of them.
_CONFIG_ONLY: Final = {
    "cache_dir": "the folder for what was learned; safe to delete",
    "checks_dirs": "a folder with checks of your own; repeatable",
    "hook": "whether the hooks review in this repository",
    "hook_strict": "whether a failure of the program itself stops git too",
    "template_dir": "a folder with templates of your own for the drafts",
    "ignore_file": "your file of findings to silence (default: ~/.config/reviewer/ignore)",
}
_FIELDS: Final = frozenset(field.name for field in dataclasses.fields(Options))


def add_options(
    parser: argparse.ArgumentParser, *names: str, formats: Sequence[str] = FORMATS, base: str | None = None
) -> None:
    """Give ``parser`` these options; one that is not given stays absent, so that git config counts.

    ``formats`` are the forms of the report that the command has, ``base`` says what ``--base`` means to it.
    """
    for name in names:
        flags, keywords = _OPTIONS[name]
        if name == "base" and base is not None:
            keywords = {**keywords, "help": base}
        if name == "format":
            help_text = keywords["help"].format(others=", ".join(formats[1:]))
            keywords = {**keywords, "choices": formats, "metavar": "FORMAT", "help": help_text}
            parser.set_defaults(formats=formats)
        parser.add_argument(*flags, dest=name, default=argparse.SUPPRESS, **keywords)


def settings() -> dict[str, str]:
    """The keys of git config and what they do, in the words of the options that they stand for."""
    helps = {name: keywords["help"].format(others=", ".join(FORMATS[1:])) for name, (_, keywords) in _OPTIONS.items()}
    about = {**_CONFIG_ONLY, **helps}
    return {f"reviewer.{key}": about.get(name, "see README") for key, name in configured().items()}


def fitting(options: Options, arguments: argparse.Namespace) -> Options:
    """The options with a format that the command has: one in git config may be meant for others."""
    known = options.format in getattr(arguments, "formats", FORMATS)
    return options if known else dataclasses.replace(options, format=FORMATS[0])


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the command line says about ``Options``: field name -> value."""
    values = {name: value for name, value in vars(arguments).items() if name in _FIELDS}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
