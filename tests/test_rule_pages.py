# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages about checks: at a terminal with the rule as the tree states it, and as Markdown that is kept true."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from reviewer.catalogue import load_catalogue
from reviewer.check import Check
from reviewer.cli import main
from reviewer.commands.rules import write_pages
from reviewer.config import data_dir
from reviewer.errors import CheckError
from reviewer.ignore import is_for, parse
from reviewer.registry import load_checks
from reviewer.report.pages import as_markdown, marked
from tests import repos
from tests.conftest import ROOT

ID = "rt-alloc-under-raw-spinlock"
DOCUMENT = "Documentation/locking/locktypes.rst"
STATED = "raw_spinlock_t on RT\n--------------------\n\n{} critical section must avoid allocating memory.\n"
CHECKS = load_checks([data_dir("checks")])


def page(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["rules", *words]) == 0
    return capsys.readouterr().out


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    where = tmp_path / "kernel"
    repos.make(where, {DOCUMENT: "Locks\n=====\n\n" + STATED.format("An old")})
    repos.make(where, {DOCUMENT: "Locks\n=====\n\n\n" + STATED.format("A \x1b[2Jnew")})
    return where


def test_the_page_quotes_the_tree_with_path_line_and_commit(
    kernel: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = page(capsys, ID, "--repo", str(kernel))
    head = repos.git(kernel, "rev-parse", "HEAD")
    assert f"Stated in {head[:12]}:\n  “A [2Jnew critical section must avoid allocating memory.”\n" in said
    assert f"    {DOCUMENT}:8, raw_spinlock_t on RT\n" in said
    missing = said.partition(f"Not in {head[:12]}:\n")[2].partition("\n\n")[0]
    assert "  include/linux/gfp_types.h, DOC: Useful GFP flag combinations" in missing.splitlines()
    old = page(capsys, ID, "--repo", str(kernel), "--base", "HEAD~1")
    assert "“An old critical section" in old
    assert f"{DOCUMENT}:7" in old
    monkeypatch.chdir(kernel)
    assert page(capsys, ID) == said


def test_the_page_has_all_that_the_check_says(capsys: pytest.CaptureFixture[str]) -> None:
    check = next(check for check in CHECKS if check.misses)
    said = page(capsys, check.id)
    words = " ".join(said.split())
    assert check.rule in words
    assert check.why in words
    for example in (*check.wrong, *check.right, *check.misses):
        assert " ".join(example.split()) in words
    assert said.count("Wrong, and known not to be found:") == len(check.misses)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_line_that_silences_it_does(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    shown = page(capsys, check.id).rstrip().splitlines()[-1].strip()
    (entry,), wrong = parse(shown.encode(), "ignore")
    assert (wrong, entry.check, is_for(entry, "drivers/misc/bell.c")) == ((), check.id, True)
    assert f"```ignore\n{shown}\n```" in as_markdown(check)


def test_without_a_kernel_tree_the_places_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    repos.make(other, {"README": "No kernel.\n"})
    empty = tmp_path / "empty"
    empty.mkdir()
    repos.git(empty, "init", "--quiet")
    for folder in (tmp_path, other, empty):
        monkeypatch.chdir(folder)
        said = page(capsys, ID)
        assert f"Stated in:\n  {DOCUMENT}, raw_spinlock_t on RT\n" in said
        assert "“" not in said


def test_a_tree_that_was_asked_for_and_cannot_be_read_is_an_error(
    kernel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", ID, "--repo", str(tmp_path)]) == 3
    assert main(["rules", ID, "--repo", str(kernel), "--base", "nonsense"]) == 3
    assert "'nonsense' names no commit" in capsys.readouterr().err


def test_the_pages_in_docs_are_those_that_the_command_writes(tmp_path: Path) -> None:
    write_pages(CHECKS, tmp_path)
    made = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*.md")}
    kept = {path.relative_to(ROOT / "docs"): path.read_text() for path in (ROOT / "docs").rglob("*.md")}
    outdated = sorted(str(name) for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))
    assert outdated == [], "run `reviewer rules --markdown docs`, and remove pages of checks that are gone"


def test_the_command_writes_the_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert page(capsys, "--markdown", str(tmp_path), "--checks", "rt-alloc-*") == ""
    assert sorted(path.name for path in (tmp_path / "checks").iterdir()) == [
        "README.md",
        "rt-alloc-in-hardirq.md",
        "rt-alloc-preempt-irq-off.md",
        f"{ID}.md",
    ]
    assert main(["rules", ID, "--markdown", str(tmp_path)]) == 2


def test_every_link_of_the_index_leads_to_a_page_and_every_page_is_linked() -> None:
    folder = ROOT / "docs" / "checks"
    linked = set(re.findall(r"\]\(([^)]+)\)", (folder / "README.md").read_text()))
    assert linked == {path.name for path in folder.iterdir()} - {"README.md"}


RULES = load_catalogue(data_dir("checks"))


def test_every_rule_of_the_catalogue_is_in_the_table(shared: Path) -> None:
    yaml = pytest.importorskip("yaml")
    loaded: dict[str, Any] = yaml.safe_load((shared / "rules" / "catalogue.yaml").read_text())
    assert {rule["id"]: rule["area"] for rule in loaded["rules"]} == {rule.id: rule.area for rule in RULES}


def test_the_table_names_checks_that_exist_and_the_page_names_them_all() -> None:
    assert {name for rule in RULES for name in rule.checks} <= {check.id for check in CHECKS}
    text = (ROOT / "docs" / "rules.md").read_text()
    linked = re.findall(r"\]\(([^)]+)\)", text)
    assert {check.id for check in CHECKS} == {Path(link).stem for link in linked}
    assert all((ROOT / "docs" / link).is_file() for link in linked)
    assert f"Of {len(RULES)} rules {sum(bool(rule.checks) for rule in RULES)} have checks." in text


def test_every_rule_is_a_row_with_a_title_of_its_own_and_a_sentence() -> None:
    assert len({rule.title for rule in RULES}) == len(RULES)
    assert [rule.id for rule in RULES if rule.gap and not rule.gap.endswith(".")] == []
    rows = re.findall(r"^\| ([a-z-]+) \| .+ \| .+ \| .* \|$", (ROOT / "docs" / "rules.md").read_text(), re.MULTILINE)
    assert [row for row in rows if row != "rule"] == [rule.id for rule in RULES]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[rt]\nrt-x = { title = "X" }', "rt-x has neither checks nor a gap"),
        ('[rt]\nrt-x = { title = "X", gap = "Y.", why = "Z" }', "unknown field `why`"),
        ("[rt]\nrt-x = { gap = 1 }", "cannot read the table"),
        ("[rt", "cannot read the table"),
    ],
)
def test_a_catalogue_that_is_broken_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CheckError, match=r"catalogue\.toml"):
        load_catalogue(tmp_path)
    (tmp_path / "catalogue.toml").write_text(text)
    with pytest.raises(CheckError, match=said):
        load_catalogue(tmp_path)


def test_c_words_in_prose_are_code() -> None:
    text = "Not __this_cpu_*(), kvm->srcu or (*fn)(): PREEMPT_RT's spinlock_t."
    assert marked(text) == "Not `__this_cpu_*()`, `kvm->srcu` or `(*fn)()`: PREEMPT_RT's `spinlock_t`."
    assert all("*" not in re.sub(r"`[^`]*`", "", marked(f"{check.rule} {check.why}")) for check in CHECKS)


def test_examples_stand_in_the_pages_as_they_are_written() -> None:
    check = CHECKS[0]
    blocks = re.findall(r"^```c\n(.*?)\n```$", as_markdown(check), re.MULTILINE | re.DOTALL)
    examples = (*check.wrong, *check.right, *check.misses)
    assert blocks == [textwrap.dedent(example).strip("\n") for example in examples]
