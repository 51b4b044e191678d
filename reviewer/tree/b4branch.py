# SPDX-License-Identifier: GPL-2.0-or-later
"""The branches of ``b4 review``: a series as commits, and on top a commit whose message holds what b4 knows of it.

The form is that of b4 0.16 (b4/review/_review.py, make_review_magic_json() and load_tracking()).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reviewer.errors import RepositoryError
from reviewer.tree.repository import Repository

PREFIX: Final = "b4/review/"
_MARKER: Final = "--- b4-review-tracking ---"
_OID: Final = re.compile(r"[0-9a-f]{7,64}")
_CHANGE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,200}")


@dataclass(frozen=True, slots=True)
class ReviewBranch:
    """``tip`` is the tracking commit, ``range`` are the patches below it, ``message_ids`` theirs, in b4's order."""

    tip: str
    range: str
    message_ids: tuple[str, ...]


def review_branch(repository: Repository, name: str = "HEAD") -> ReviewBranch:
    """The series whose tracking commit ``name`` is; RepositoryError if it is none, or says what cannot be."""
    tip = repository.resolve(name)
    message = repository.runner.run("log", "-1", "--format=%B", "--encoding=UTF-8", tip, "--").stdout
    _, marker, text = message.decode("utf-8", "replace").partition(_MARKER)
    if not marker:
        raise RepositoryError(
            f"looked for the data of b4 review in the last commit of {name}: there is none; check out or name a branch "
            f"that 'b4 review' has made, {PREFIX}CHANGE-ID"
        )
    series, patches = _read(name, text)
    first, base = series.get("first-patch-commit"), series.get("base-commit")
    if isinstance(first, str) and _OID.fullmatch(first):
        begin = repository.resolve(f"{first}~1")
    elif isinstance(base, str) and _OID.fullmatch(base):
        begin = repository.resolve(base)
    else:
        raise RepositoryError(f"the data of b4 review in {name} names no commit that the series stands on")
    return ReviewBranch(tip, f"{begin}..{repository.resolve(f'{tip}~1')}", tuple(map(_message_id, patches)))


def branch_of(repository: Repository, tracking: Path) -> str | None:
    """The branch of the series that b4 tells a check command of (``B4_TRACKING_FILE``); None if it is not here."""
    try:
        series, _ = _read(str(tracking), tracking.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, RepositoryError):
        return None
    change_id = series.get("change-id")
    if not isinstance(change_id, str) or not _CHANGE_ID.fullmatch(change_id):
        return None
    name = f"refs/heads/{PREFIX}{change_id}"
    return name if repository.knows(name) else None


def _read(name: str, text: str) -> tuple[dict[str, Any], list[Any]]:
    """The objects ``series`` and ``patches`` of the data, whose lines that begin with ``#`` are b4's comments."""
    try:
        data = json.loads("\n".join(line for line in text.split("\n") if not line.startswith("#")))
        series, patches = data["series"], data["patches"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RepositoryError(
            f"the data of b4 review in {name} cannot be read ({error}); this program knows the form of b4 0.16"
        ) from None
    if not isinstance(series, dict) or not isinstance(patches, list):
        raise RepositoryError(f"the data of b4 review in {name} has another form than that of b4 0.16")
    return series, patches


def _message_id(patch: Any) -> str:
    headers = patch.get("header-info") if isinstance(patch, dict) else None
    found = headers.get("msgid") if isinstance(headers, dict) else None
    return found if isinstance(found, str) else ""
