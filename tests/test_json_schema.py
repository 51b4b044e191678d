# SPDX-License-Identifier: GPL-2.0-or-later
"""The schema of ``--format json``: what is printed fits it, and it names every key that is printed."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reviewer.commands.demo import make_example
from reviewer.model import Address, Audit, IgnoreEntry, Place, Problem, Raised, Silenced, Suppression, Where
from reviewer.report.data import audit_to_json, failure, to_json
from tests.conftest import ROOT
from tests.test_cli import reviewer
from tests.test_report import COMMIT, FINDING, REVIEW, with_finding

SCHEMA = json.loads((ROOT / "reviewer/report/report.schema.json").read_text("utf-8"))
ENTRY = IgnoreEntry(".reviewer/ignore", 3, "lock-*", "drivers/", "bell_*", "2030-12-31", "Known since v6.1")
SUPPRESSION = Suppression((Silenced(1, FINDING, ENTRY),), (ENTRY,), (dataclasses.replace(ENTRY, until=""),))


@pytest.fixture(scope="module")
def mistakes() -> Callable[[str, Any], list[str]]:
    """Tells what is wrong with a report by one definition of the schema, where every key is to be known."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed; pip install -e '.[dev]'")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    strict = copy.deepcopy(SCHEMA)
    for part in _objects(strict):
        part.setdefault("additionalProperties", False)

    def tell(kind: str, report: Any) -> list[str]:
        open_errors = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(report))
        chosen = {**strict, "anyOf": [{"$ref": f"#/$defs/{kind}"}]}
        found = jsonschema.Draft202012Validator(chosen).iter_errors(report)
        leaves = [leaf for error in found for leaf in _leaves(error)]
        return [f"{leaf.json_path}: {leaf.message}" for leaf in leaves] or [error.message for error in open_errors]

    return tell


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "properties" in value and isinstance(value.get("type", "object"), str | list):
            yield value
        for inside in value.values():
            yield from _objects(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _objects(inside)


def _leaves(error: Any) -> Iterator[Any]:
    if not error.context:
        yield error
    for inside in error.context:
        yield from _leaves(inside)


def test_reports_fit(mistakes: Callable[[str, Any], list[str]]) -> None:
    silenced = dataclasses.replace(REVIEW, suppression=SUPPRESSION, notes=("A note.",))
    for review in (
        REVIEW,
        silenced,
        with_finding(raised=Raised(Address("", "max@example.net"), "a@b", Where.NOTES, author=True)),
        with_finding(cause=Place("kernel/a.c", 7), fixed_later=2, arch=None),
        failure([Problem("fetch", "", "the server is down")]),
    ):
        for shown in (False, True):
            assert mistakes("review", json.loads(to_json(review, show_silenced=shown))) == []
    audit = Audit(COMMIT, 1, 1, (FINDING,), (Problem("analyse", "a.c", "too deep"),), SUPPRESSION)
    assert mistakes("audit", json.loads(audit_to_json(audit, show_silenced=True))) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda report: report.pop("errors"), "'errors' is a required property"),
        (lambda report: report["patches"][0]["findings"][0].update(severity="fatal"), "'fatal' is not one of"),
        (lambda report: report["patches"][0]["findings"][0].update(line="64"), "'64' is not of type 'integer'"),
        (lambda report: report["patches"][0].update(colour="red"), "'colour' was unexpected"),
        (lambda report: report.update(version=2), "1 was expected"),
    ],
)
def test_what_does_not_fit_is_refused(
    mistakes: Callable[[str, Any], list[str]], change: Callable[[Any], object], told: str
) -> None:
    report = json.loads(to_json(REVIEW))
    change(report)
    assert any(told in each for each in mistakes("review", report))


def test_what_the_program_prints_fits(mistakes: Callable[[str, Any], list[str]], tmp_path: Path) -> None:
    tree, mail = make_example(tmp_path)
    printed: dict[str, tuple[str | Path, ...]] = {
        "review": ("review", mail, "--repo", tree),
        "audit": ("check", "--all", "drivers", "--repo", tree),
        "context": ("context", "drivers/misc/doorbell.c:64", "--repo", tree),
        "splats": ("splat", *sorted((ROOT / "tests" / "splats").glob("*.txt")), "--repo", tree),
    }
    for kind, words in printed.items():
        done = reviewer(*words, "--format", "json")
        assert done.returncode in {0, 1}, done.stderr
        assert mistakes(kind, json.loads(done.stdout)) == [], kind
