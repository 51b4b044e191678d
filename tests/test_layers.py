# SPDX-License-Identifier: GPL-2.0-or-later
"""Imports run downwards only, and what is imported is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "reviewer"

# The rooms, from the top down. A module may import its own room and the rooms below; rooms on one line do not know
# each other, except as ALLOWED says.
ORDER = (
    ("cli", "__main__"),
    ("commands",),
    ("pipeline",),
    ("mail", "report", "compare", "citation", "registry"),
    ("tree", "check"),
    ("context",),
    ("source",),
    ("splat",),
    ("model", "errors", "config", "__init__", "_bundled", "demo_data"),
)
# Never, although it would be downwards: mail, tree, source and report do not know each other.
STRANGERS = {"mail", "tree", "source", "report"}
# Modules at the top of the package that belong to a room.
HELPERS = {
    "affected": "compare",
    "annotate": "compare",
    "audit": "compare",
    "auditing": "pipeline",
    "blocks": "citation",
    "cache": "pipeline",
    "catalogue": "check",
    "digest": "pipeline",
    "excerpts": "pipeline",
    "explained": "citation",
    "indexing": "pipeline",
    "judging": "pipeline",
    "situation": "pipeline",
    "wording": "errors",
    "workers": "pipeline",
    "changes": "compare",
    "claims": "pipeline",
    "defects": "pipeline",
    "declared": "compare",
    "finding": "compare",
    "customary": "compare",
    "forbidden": "compare",
    "granted": "compare",
    "fragment": "compare",
    "ignore": "pipeline",
    "hasty": "compare",
    "health": "pipeline",
    "hooked": "__main__",
    "judge": "compare",
    "leaked": "compare",
    "matching": "compare",
    "nameindex": "pipeline",
    "passages": "citation",
    "pinned": "compare",
    "precedent": "pipeline",
    "required": "compare",
    "revisions": "pipeline",
    "selection": "errors",
    "sentences": "citation",
    "sides": "compare",
    "silencing": "pipeline",
    "threadsplats": "pipeline",
    "tomltable": "errors",
    "untraced": "compare",
}
# Within one line: the ground stands on the model, and the command line turns errors into a report.
ALLOWED = {("errors", "model"), ("config", "model"), ("config", "errors"), ("config", "__init__"), ("__main__", "cli")}
# The child process alone imports b4, and what b4 itself is made of.
B4_CHILD = {"mail/b4_child.py", "mail/b4_messages.py"}
B4_OWN = {"b4", "patatt", "liblore", "requests"}

DISTRIBUTIONS = {"git": "gitpython", "tree_sitter": "tree-sitter", "tree_sitter_c": "tree-sitter-c"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "demo_data" not in path.parts or path.stem == "__init__")


def room(parts: tuple[str, ...]) -> str:
    """The room of a dotted name below ``reviewer``."""
    first = parts[0] if parts else "__init__"
    return HELPERS.get(first, first)


def imported(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line and dotted name of everything a module imports, wherever in the module the import stands."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert node.module is not None
            for alias in node.names:
                yield node.lineno, (*node.module.split("."), alias.name)


def level(name: str) -> int:
    for number, names in enumerate(ORDER):
        if name in names:
            return number
    pytest.fail(f"reviewer/{name} is in no room: say in ORDER or HELPERS where it belongs")


def test_imports_run_downwards() -> None:
    wrong = []
    for path in modules():
        here = path.relative_to(PACKAGE).with_suffix("").parts
        source = room(here)
        for line, name in imported(path):
            if name[0] != "reviewer":
                continue
            target = room(name[1:]) if len(name) > 1 else "__init__"
            if target.startswith("__version__"):
                target = "__init__"
            if source == target or (source, target) in ALLOWED:
                continue
            if level(target) <= level(source) or {source, target} <= STRANGERS:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {source} imports {target}")
    assert not wrong


def test_checks_import_only_the_words_of_checks() -> None:
    wrong = []
    for path in sorted((ROOT / "checks").glob("*.py")):
        for line, name in imported(path):
            allowed = name[0] in sys.stdlib_module_names or name[:2] in {("reviewer", "check"), ("reviewer", "model")}
            if not allowed:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {'.'.join(name)}")
    assert not wrong


def test_only_the_child_process_imports_b4() -> None:
    who = {str(path.relative_to(PACKAGE)) for path in modules() for _, name in imported(path) if name[0] in B4_OWN}
    assert who <= B4_CHILD


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[><=~! ]", requirement)[0] for requirement in project["dependencies"]}
    used = set()
    for path in [*modules(), *sorted((ROOT / "checks").glob("*.py"))]:
        for _, name in imported(path):
            if name[0] not in sys.stdlib_module_names and name[0] != "reviewer":
                used.add("b4" if name[0] in B4_OWN else DISTRIBUTIONS.get(name[0], name[0]))
    assert used == declared


def test_modules_are_short() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in modules()}
    assert {str(path): length for path, length in lengths.items() if length > 600} == {}


def test_first_line_names_the_licence() -> None:
    files = [*modules(), *(ROOT / "checks").glob("*.py"), *(ROOT / "tests").rglob("*.py")]
    missing = [str(path) for path in files if "SPDX-License-Identifier: GPL-2.0-or-later" not in path.read_text()[:200]]
    assert missing == []
