# SPDX-License-Identifier: GPL-2.0-or-later
"""A splat as data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from reviewer.splat.account import Explained


def splat_data(one: Explained) -> dict[str, Any]:
    """A splat as JSON objects and lists; ``splat`` holds the report's own words."""
    splat = asdict(one.splat)
    splat["facts"] = dict(one.splat.facts)
    return {
        "splat": splat,
        "repeats": one.repeats,
        "touched": [{"subject": subject, "names": list(names)} for subject, names in one.touched],
        "changes": None if one.changes is None else [asdict(change) for change in one.changes],
        "claimed": one.claimed,
        "title": one.account.title,
        "account": [
            {"heading": section.heading, "lines": list(section.lines), "drawn": section.drawn}
            for section in one.account.sections
        ],
        "circle": [asdict(arc) for arc in one.account.circle],
        "citation": asdict(one.citation) if one.citation is not None else None,
        "named": [asdict(step) for step in one.named],
        "functions": [asdict(place) for place in one.places],
        "several": [{"name": name, "places": [asdict(step) for step in steps]} for name, steps in one.several],
        "not_found": list(one.unknown),
    }
