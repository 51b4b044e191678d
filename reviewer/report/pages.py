# SPDX-License-Identifier: GPL-2.0-or-later
"""A page for each check: at a terminal with the rule as one tree states it, and as Markdown for ``docs/``.

The Markdown is the same on every machine: it names the places where the kernel states a rule, and quotes none of them.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from reviewer.catalogue import Rule
from reviewer.check import Check
from reviewer.model import Citation, Kernels, Source
from reviewer.report.plain import clean_line, clean_path

_WIDTH: Final = 78  # columns
_SHORT: Final = 12  # hexadecimal digits of a commit, as the kernel abbreviates them

_AREAS: Final = {
    "entry": "Entry, exit and noinstr",
    "kvm": "KVM",
    "locking": "Locking",
    "rcu": "RCU",
    "rt": "PREEMPT_RT",
    "srcu": "SRCU",
}
_CODE: Final = re.compile(r"[*<>\[|]|\(\)|\b_|_\b|[a-z0-9]_")  # capitals alone are PREEMPT_RT and the like
_NOT_STATED: Final = "The kernel's documents do not state it."


@dataclass(frozen=True, slots=True)
class Stated:
    """The places where a rule is stated, each with its quotation from one tree, or None where the tree has it not."""

    commit: str
    places: tuple[tuple[Source, Citation | None], ...]


def as_text(check: Check, stated: Stated | None) -> str:
    """The page of a check for a terminal, with the rule as a tree states it; None: there is no tree to read."""
    parts = [
        f"{check.id} ({_severity(check)})",
        textwrap.fill(check.rule, _WIDTH),
        textwrap.fill(check.why, _WIDTH),
        _references(check) if stated is None else _quotations(stated),
        *(f"Wrong:\n{_indented(example)}" for example in check.wrong),
        *(f"Right:\n{_indented(example)}" for example in check.right),
        *(f"Wrong, and known not to be found:\n{_indented(example)}" for example in check.misses),
        f"To silence it, write a line like this into .reviewer/ignore:\n    {_entry(check)}",
    ]
    return "\n\n".join(parts) + "\n"


def _severity(check: Check) -> str:
    kernels = "every kernel" if check.kernels is Kernels.ALL else "PREEMPT_RT kernels"
    return f"{check.severity.value} on {kernels}"


def _entry(check: Check) -> str:
    return f"{check.id} drivers/misc/bell.c bell_probe() -- Why it is right there"


def _references(check: Check) -> str:
    if not check.sources:
        return _NOT_STATED
    places = dict.fromkeys(f"  {_place(source)}" for source in check.sources)
    return "\n".join(("Stated in:", *places, "", "In a kernel tree, or with --repo DIR, the sentences are quoted."))


def _place(source: Source) -> str:
    return f"{source.path}{f', {source.section}' if source.section else ''}"


def _quotations(stated: Stated) -> str:
    if not stated.places:
        return _NOT_STATED
    found = [citation for _, citation in stated.places if citation is not None]
    missing = dict.fromkeys(f"  {_place(source)}" for source, citation in stated.places if citation is None)
    lines = [f"Stated in {clean_line(stated.commit)[:_SHORT]}:"] if found else []
    for citation in found:
        quote = f"“{clean_line(citation.quote)}”"
        lines += textwrap.wrap(
            quote,
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        section = f", {clean_line(citation.section)}" if citation.section else ""
        lines.append(f"    {clean_path(citation.path)}:{citation.line}{section}")
    if missing:
        lines += [f"Not in {clean_line(stated.commit)[:_SHORT]}:", *missing]
    return "\n".join(lines)


def _indented(example: str) -> str:
    return textwrap.indent(_dedented(example), "    ")


def _dedented(example: str) -> str:
    return textwrap.dedent(example).strip("\n")


# Markdown


def as_markdown(check: Check) -> str:
    """The page of a check as Markdown."""
    parts = [
        f"# {check.id}",
        _wrapped(f"**{marked(check.rule)}**"),
        _wrapped(marked(check.why)),
        f"Severity: {marked(_severity(check))}.",
        "## Where the kernel says so",
        *_markdown_references(check),
        "## Wrong",
        "Each marked line is found.",
        *map(_fenced, check.wrong),
        "## Right",
        *map(_fenced, check.right),
        "## Known misses",
        *(map(_fenced, check.misses) if check.misses else ("None is written down.",)),
        "## How to silence it",
        "A line in `.reviewer/ignore` of the tree or in your own ignore file, see README:",
        f"```ignore\n{_entry(check)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def index_as_markdown(checks: Iterable[Check]) -> str:
    """The table of the pages, by area."""
    parts = [
        "# Checks",
        "Made by `reviewer rules --markdown docs` from the files in `checks/`; change those and run it again.",
    ]
    for area, members in groupby(sorted(checks, key=lambda check: (check.area, check.id)), lambda check: check.area):
        rows = [f"| [{check.id}]({check.id}.md) | {marked(check.rule)} | {_severity(check)} |" for check in members]
        parts += [f"## {_AREAS[area]}", "\n".join(("| check | rule | severity |", "|---|---|---|", *rows))]
    return "\n\n".join(parts) + "\n"


def catalogue_as_markdown(rules: Sequence[Rule], checks: Iterable[Check]) -> str:
    """The table of the kernel's rules: the checks for each, and what they leave."""
    covered = sum(bool(rule.checks) for rule in rules)
    parts = [
        "# Rules",
        "Made by `reviewer rules --markdown docs` from `checks/catalogue.toml`; change that and run it again.",
        f"Of {len(rules)} rules {covered} have checks. "
        "The last column says what those do not find, or why there are none.",
    ]
    for area, members in groupby(rules, lambda rule: rule.area):
        rows = [
            f"| {rule.id} | {marked(rule.title)} | {links} | {marked(rule.gap)} |"
            for rule in members
            for links in (" ".join(map(_linked, rule.checks)) or "none",)
        ]
        parts += [
            f"## {_AREAS[area]}",
            "\n".join(("| rule | in short | checks | not found |", "|---|---|---|---|", *rows)),
        ]
    named = {check for rule in rules for check in rule.checks}
    beyond = [f"- {_linked(check.id)}: {marked(check.rule)}" for check in checks if check.id not in named]
    if beyond:
        parts += ["## Checks beyond these rules", "\n".join(beyond)]
    return "\n\n".join(parts) + "\n"


def _linked(check_id: str) -> str:
    return f"[{check_id}](checks/{check_id}.md)"


def _markdown_references(check: Check) -> Sequence[str]:
    if not check.sources:
        return (_NOT_STATED,)
    rows = (
        f"- `{source.path}`{f', {marked(source.section)}' if source.section else ''}: look for {_code(source.anchor)}"
        for source in check.sources
    )
    return (
        "\n".join(rows),
        f"`reviewer rules {check.id} --repo DIR` quotes the sentences as the tree in DIR has them.",
    )


def _fenced(example: str) -> str:
    return f"```c\n{_dedented(example)}\n```"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 110, break_long_words=False, break_on_hyphens=False)


def marked(text: str) -> str:
    """Prose with its C words as code, which Markdown would else take for emphasis or HTML."""
    return " ".join(_marked_word(word) for word in text.split())


def _marked_word(word: str) -> str:
    core = word.strip(".,;:")
    return word.replace(core, f"`{core}`", 1) if _CODE.search(core) else word


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"
