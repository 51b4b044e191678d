# SPDX-License-Identifier: GPL-2.0-or-later
"""From files and folders of a commit to an ``Audit``: what is wrong in them as they stand."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from reviewer.audit import Auditor
from reviewer.cache import Cache, today
from reviewer.check import Check
from reviewer.citation import Citer
from reviewer.config import Options, data_dir
from reviewer.context.load import tables_digest
from reviewer.digest import program_digest
from reviewer.errors import RepositoryError, UsageError
from reviewer.judging import prepared
from reviewer.model import Audit, Finding
from reviewer.pipeline import Tell, cited, is_grave, nobody
from reviewer.registry import load_api
from reviewer.selection import wants_path
from reviewer.silencing import suppressor_for
from reviewer.source.files import C_SUFFIXES
from reviewer.source.program import Program
from reviewer.source.store import Store
from reviewer.tree.blobs import Snapshot
from reviewer.tree.patchtext import is_text
from reviewer.tree.repository import Repository
from reviewer.wording import counted, did_you_mean

_MOST_NAMED = 5  # paths in a message


def audit_tree(
    revision: str,
    paths: Sequence[str],
    repository: Repository,
    checks: Sequence[Check],
    options: Options,
    tell: Tell = nobody,
) -> Audit:
    """What the checks say of the files and folders ``paths`` as they stand in ``revision``, whoever wrote it.

    RepositoryError names a path that the revision does not have, UsageError one of which ``within`` leaves nothing.
    """
    commit = repository.resolve(revision)
    files = repository.snapshot(repository.tree_of(commit), commit)
    wanted, left_out = _below(paths, revision, files, options)
    code = [path for path in wanted if path.endswith(C_SUFFIXES) and is_text(path)]
    if not code:
        named = ", ".join(repr(path) for path in paths[:_MOST_NAMED])
        raise UsageError(f"there is no C file in {named}: name .c and .h files, or folders that have some")
    suppressor, errors, notes = suppressor_for(files, commit, wanted, repository, checks, options)
    if left_out:
        notes.append(f"--paths or git config reviewer.paths leaves out {counted(left_out, 'file')} of those named.")

    def watch(done: int, total: int) -> None:
        tell(f"Auditing file {done + 1} of {total}")

    def audited(store: Store) -> tuple[Auditor, tuple[Finding, ...]]:
        folder = data_dir("checks")
        digest = program_digest([folder, *options.checks_dirs])
        program, rules = Program(files, store), tables_digest(folder)
        auditor = Auditor(program, checks, load_api(folder), rules, program_digest=digest, day=today())
        return auditor, auditor.findings(code, watch)

    def shown(finding: Finding) -> bool:
        return is_grave(finding, options) and wants_path(options.within, finding.path)

    citer = Citer(files, commit)
    with Cache(options) as cache, prepared():
        cache.note_use(repository, files.tree)
        auditor, found = cache.use(audited)
        told = suppressor.without_silenced(cited(finding, checks, citer) for finding in found)
    suppression = suppressor.suppression(wanted, [check.id for check in checks])
    hidden = tuple(one for one in suppression.silenced if shown(one.finding))
    return Audit(
        commit,
        auditor.files,
        auditor.functions,
        tuple(finding for finding in told if shown(finding)),
        (*errors, *auditor.problems),
        replace(suppression, silenced=hidden),
        tuple(notes),
    )


def _meant(path: str, files: Snapshot) -> str:
    """``; did you mean X?``: where the tree has something of that name now, or else what is called nearly so there."""
    folder, name = posixpath.split(path)
    moved = set[str]()
    for known in files.paths():
        parts = known.split("/")
        if name in parts:
            moved.add("/".join(parts[: parts.index(name) + 1]))
    return did_you_mean(path, moved) or did_you_mean(path, (entry.path for entry in files.folder(folder)))


def _below(paths: Sequence[str], revision: str, files: Snapshot, options: Options) -> tuple[list[str], int]:
    """The files that ``paths`` name, sorted, and the number of those that the options leave out."""
    wanted: set[str] = set()
    left_out = 0
    for path in paths:
        plain = posixpath.normpath(path) if path else ""
        top = plain == "."
        if not plain or not (top or files.exists(plain)):
            raise RepositoryError(
                f"looked for {path!r} in {revision}: no such file or folder; name it relative to the current directory "
                f"or to the top of the tree{_meant(plain, files)}"
            )
        below = [plain] if files.blob_id(plain) else sorted(files.paths("" if top else plain, C_SUFFIXES))
        kept = [path for path in below if wants_path(options.within, path)]
        left_out += len(below) - len(kept)
        if below and not kept:
            raise UsageError(f"all of {path!r} is left out by --paths or git config reviewer.paths; add it there")
        wanted.update(kept)
    return sorted(wanted), left_out
