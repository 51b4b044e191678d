# SPDX-License-Identifier: GPL-2.0-or-later
"""Load checks and tables by path. One that fails to load stops the run."""

from __future__ import annotations

import fnmatch
import importlib.util
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from reviewer.check import Check
from reviewer.context.load import load_tables
from reviewer.context.tables import Api
from reviewer.errors import CheckError, UsageError
from reviewer.selection import wants, words
from reviewer.wording import did_you_mean

AREAS = frozenset(("rt", "rcu", "srcu", "kvm", "entry", "locking"))


def load_checks(folders: Sequence[Path], globs: str = "*", areas: Sequence[str] = ()) -> tuple[Check, ...]:
    """Every check in ``folders`` whose id and area are wanted, by id; ``selection`` says how the two are read.

    Raises CheckError for a file that is no check, UsageError where no check is left or an area is unknown.
    """
    checks: dict[str, Check] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            if path.name == "__init__.py":
                continue
            check = _load(path)
            if check.id in checks:
                raise CheckError(
                    f"the check {check.id} is defined twice, the second time in {path}; rename one of them"
                )
            checks[check.id] = check
    if not checks:
        raise CheckError(f"no checks in {', '.join(map(str, folders))}; reinstall the program")
    named = _chosen(checks, globs)
    if not named:
        raise UsageError(f"{globs!r} leaves out every check; `reviewer rules` lists them")
    _refuse_unknown(areas)
    chosen = tuple(check for check in named if wants(areas, check.area.__eq__))
    if not chosen:
        raise UsageError(
            f"the checks that match {globs!r} are all of areas that are switched off ({' '.join(areas)}); "
            "see --areas and git config reviewer.areas"
        )
    return chosen


def _chosen(checks: Mapping[str, Check], globs: str) -> tuple[Check, ...]:
    for _, word in words([globs]):
        if not fnmatch.filter(checks, word):
            raise UsageError(f"no check matches {word!r}; `reviewer rules` lists them{did_you_mean(word, checks)}")
    return tuple(
        check for check_id, check in sorted(checks.items()) if wants([globs], partial(fnmatch.fnmatchcase, check_id))
    )


def _refuse_unknown(areas: Sequence[str]) -> None:
    for _, word in words(areas):
        if word not in AREAS:
            raise UsageError(f"no area of checks is called {word!r}; there are {', '.join(sorted(AREAS))}")


def _load(path: Path) -> Check:
    spec = importlib.util.spec_from_file_location(f"reviewer_check_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CheckError(f"cannot load the check {path}; is it readable?")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # any mistake in a check file has to name that file
        raise CheckError(f"the check {path} does not load: {error!r}; mend it or remove it from the folder") from error
    check = getattr(module, "CHECK", None)
    if not isinstance(check, Check):
        raise CheckError(f"{path} defines no CHECK; every file beside the tables is one check")
    if check.id != path.stem.replace("_", "-"):
        raise CheckError(f"the check in {path} calls itself {check.id}; its id is to be its file's name")
    if check.area not in AREAS or not check.events or not check.wrong or not check.right:
        raise CheckError(f"the check {path} lacks an area, events or examples")
    return check


def load_api(folder: Path) -> Api:
    """The tables beside the checks."""
    return load_tables(folder)
