# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines around the frames of witnesses, to be read beside them."""

from __future__ import annotations

from collections.abc import Iterable

from reviewer.model import Change, Excerpt, Finding
from reviewer.source.files import Files

_AROUND = 3  # lines before and after
_MOST = 200  # for one patch
_LONGEST = 400  # characters of a line


def excerpts_of(findings: Iterable[Finding], before: Files, after: Files) -> tuple[Excerpt, ...]:
    """An excerpt for each place that a witness of ``findings`` names, as far as the trees have it.

    What is fixed is shown as it stood before the patch.
    """
    wanted: dict[tuple[str, int, bool], None] = {}
    for finding in findings:
        old = finding.change is Change.FIXED
        wanted.update(((step.path, step.line, old), None) for step in finding.witness)
    files: dict[tuple[str, bool], list[bytes]] = {}
    found: list[Excerpt] = []
    for path, line, old in list(wanted)[:_MOST]:
        if (path, old) not in files:
            files[path, old] = ((before if old else after).read(path) or b"").split(b"\n")
        rows = files[path, old]
        if not 0 < line <= len(rows):
            continue
        first = max(1, line - _AROUND)
        shown = rows[first - 1 : line + _AROUND]
        texts = tuple(row.rstrip(b"\r").decode("utf-8", "replace")[:_LONGEST] for row in shown)
        found.append(Excerpt(path, line, old, first, texts))
    return tuple(found)
