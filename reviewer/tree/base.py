# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commit a series is judged on, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reviewer.model import Base, Patch, Series
from reviewer.tree.patchtext import changed_files
from reviewer.tree.promisor import complete
from reviewer.tree.repository import Repository

_SEARCHED = 500  # newest commits of each branch that are looked through for prerequisites: about two seconds
_SEARCHED_PARTIAL = 50  # in a partial clone each of them may have to be fetched
_VERSION = re.compile(r"(?:linux-|stable-|v)?(\d+\.\d+)(?:\.y|\.\d+)?")
_OID = re.compile(r"[0-9a-f]{12,64}")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


@dataclass(frozen=True, slots=True)
class _Tip:
    """A branch or tag to try. ``by_version``: the subjects name it by its kernel version, so that it is meant."""

    name: str
    commit: str
    by_version: bool


def choose_base(repository: Repository, series: Series, wanted: str | None, branches: Sequence[str]) -> Base:
    """The commit to apply a series to, and a sentence for the user that says why.

    In this order: ``wanted`` (``--base``); the commit in which all prerequisites of the series are there, searched by
    patch-id; the ``base-commit`` of the series; the newest of the branches that the subjects name (``[PATCH 6.1]``) or
    that are configured (``branches``) in which each file has the blob id on the patches' ``index`` lines; a branch
    that the subjects name by kernel version; HEAD. Branches that are not in the repository are passed over. Raises
    RepositoryError if ``wanted`` is unknown or if there is no commit at all.
    """
    if wanted is not None:
        return Base(repository.resolve(wanted), f"You named it: --base {wanted}.")
    head = _Tip("HEAD", repository.resolve("HEAD"), by_version=False)
    tips = [*_named_by_subject(repository, series), *_configured(repository, branches)]
    given = _base_commit(repository, series)
    found = _with_prerequisites(repository, series, given, [*tips, head])
    if found is not None:
        return found
    if given is not None:
        return Base(given, f"The series names it as its base-commit.{_lacking(series)}")
    blobs = dict(_first_blobs(series.patches))
    chosen = _by_content(repository, tips, blobs) or _at_head(repository, head, blobs, len(tips))
    if series.base_commit:
        gone = f"The base-commit of the series, {series.base_commit[:12]}, is not in this repository. "
        return Base(chosen.commit, gone + chosen.reason)
    return chosen


def _base_commit(repository: Repository, series: Series) -> str | None:
    name = series.base_commit
    return repository.resolve(name) if name and _OID.fullmatch(name) and repository.knows(name) else None


# Branches and their content


def _by_content(repository: Repository, tips: Sequence[_Tip], blobs: Mapping[str, str]) -> Base | None:
    measured = [(tip, _fitting(repository, tip, blobs)) for tip in tips]
    fits = [tip for tip, fitting in measured if blobs and fitting == len(blobs)]
    if fits:
        best = max(fits, key=lambda tip: _date(repository, tip))
        return Base(best.commit, f"{best.name} is the newest branch tried in which {_all_files(blobs)}.")
    by_version = [(tip, fitting) for tip, fitting in measured if tip.by_version]
    if by_version:
        best, fitting = max(by_version, key=lambda one: (one[1], _date(repository, one[0])))
        return Base(best.commit, f"The subject asks for {best.name}.{_some_files(fitting, blobs)}")
    return None


def _at_head(repository: Repository, head: _Tip, blobs: Mapping[str, str], tried: int) -> Base:
    fitting = _fitting(repository, head, blobs)
    if blobs and fitting == len(blobs):
        return Base(head.commit, f"HEAD was taken: in it {_all_files(blobs)}.")
    others = " and no branch that was tried fits" if tried else ""
    reason = f"HEAD was taken, as the series names no base that is here{others}.{_some_files(fitting, blobs)}"
    return Base(head.commit, reason)


def _all_files(blobs: Mapping[str, str]) -> str:
    which = "the file that the series changes is" if len(blobs) == 1 else "the files that the series changes are"
    return f"{which} what the patches start from"


def _some_files(fitting: int, blobs: Mapping[str, str]) -> str:
    if not blobs or fitting == len(blobs):
        return ""
    if len(blobs) == 1:
        return " In it the file that the series changes is not what the patches start from."
    if not fitting:
        return f" In it none of the {len(blobs)} changed files is what the patches start from."
    return f" In it {len(blobs) - fitting} of the {len(blobs)} changed files differ from what the patches start from."


def _first_blobs(patches: Iterable[Patch]) -> Iterator[tuple[str, str]]:
    """(path, abbreviated blob id) of each file as the series finds it: later patches start from earlier ones."""
    seen: set[str] = set()
    for patch in patches:
        for file in changed_files(patch.diff):
            if file.old is not None and file.old not in seen and file.old_oid.strip("0"):
                yield file.old, file.old_oid
            seen.update(path for path in (file.old, file.new) if path is not None)


def _fitting(repository: Repository, tip: _Tip, blobs: Mapping[str, str]) -> int:
    """How many of the files have the content they are to have."""
    files = repository.snapshot(repository.tree_of(tip.commit), tip.commit)
    entries = ((files.entry(path), oid) for path, oid in blobs.items())
    return sum(entry is not None and entry.oid.startswith(oid) for entry, oid in entries)


def _date(repository: Repository, tip: _Tip) -> int:
    told = repository.runner.run("show", "--no-patch", "--no-show-signature", "--format=%ct", tip.commit, "--").stdout
    return int(told)


def _configured(repository: Repository, branches: Iterable[str]) -> Iterator[_Tip]:
    return (_Tip(name, repository.resolve(name), by_version=False) for name in branches if repository.knows(name))


def _named_by_subject(repository: Repository, series: Series) -> Iterator[_Tip]:
    """The branches and tags that words like ``6.1``, ``6.1.y`` or ``net-next`` in the subjects' brackets can mean."""
    words = [word for word in series.branches if _PLAIN.fullmatch(word) and ".." not in word]
    if not words:
        return
    listed = repository.runner.run(
        "for-each-ref", "--sort=-version:refname", "--format=%(refname)", "refs/heads", "refs/remotes", "refs/tags"
    ).stdout
    refs = listed.decode("utf-8", "surrogateescape").splitlines()
    for word in words:
        version = _VERSION.fullmatch(word)
        patterns = _version_refs(version.group(1)) if version else _branch_refs(word)
        for pattern in patterns:
            found = [ref for ref in refs if re.fullmatch(pattern, ref) and repository.knows(ref)]
            if version:
                found = found[:1]
            for ref in found:
                short = re.sub(r"^refs/(heads|remotes|tags)/", "", ref)
                yield _Tip(short, repository.resolve(ref), by_version=version is not None)
            if found:
                break


def _version_refs(version: str) -> tuple[str, ...]:
    """Names of a stable branch, then of its tags, best first; tags come newest first, -rc ones only if alone."""
    number = re.escape(version)
    stable = rf"(?:(?:linux|stable|v)-)?{number}\.y"
    return (
        rf"refs/heads/(?:.*/)?{stable}",
        rf"refs/remotes/(?:.*/)?{stable}",
        rf"refs/tags/v{number}(?:\.\d+)?",
        rf"refs/tags/v{number}-rc\d+",
    )


def _branch_refs(word: str) -> tuple[str, ...]:
    name = re.escape(word)
    return (rf"refs/heads/{name}", rf"refs/remotes/[^/]+/{name}", rf"refs/remotes/{name}/(?:HEAD|master|main)")


# Prerequisites


def _with_prerequisites(repository: Repository, series: Series, given: str | None, tips: Sequence[_Tip]) -> Base | None:
    """The newest of the prerequisite patches' commits, if a branch has all of them within its newest commits."""
    wanted = set(_prerequisites(series))
    if not wanted:
        return None
    bound = _SEARCHED_PARTIAL if repository.partial else _SEARCHED
    for tip in tips:
        since = (f"^{given}",) if given is not None else ()
        listed = repository.runner.run(
            "rev-list", "--topo-order", "--max-parents=1", f"--max-count={bound}", tip.commit, *since, "--"
        ).stdout.decode("ascii")
        ids = _patch_ids(repository, listed)
        newest_first = [oid for oid in listed.split() if ids.get(oid) in wanted]
        if {ids[oid] for oid in newest_first} == wanted:
            what = "the prerequisite patch" if len(wanted) == 1 else f"all {len(wanted)} prerequisite patches"
            return Base(newest_first[0], f"It is the commit in {tip.name} that completes {what} of the series.")
    return None


def _prerequisites(series: Series) -> Iterator[str]:
    for prerequisite in series.prerequisites:
        oid = prerequisite.rpartition(":")[2].lower()
        if prerequisite.startswith("patch-id:") and _OID.fullmatch(oid):
            yield oid


def _lacking(series: Series) -> str:
    count = len(set(_prerequisites(series)))
    if not count:
        return ""
    which = "Its prerequisite patch was not" if count == 1 else f"Not all of its {count} prerequisite patches were"
    return f" {which} found on top of it."


def _patch_ids(repository: Repository, oids: str) -> dict[str, str]:
    """Patch-id of each commit, as git-format-patch(1) computes those of prerequisites; root commits are left out."""
    objects = repository.objects
    # the trees of parents are those of other commits in the list, but for the last
    complete(objects, oids.split(), (repository.tree_of(oid) for oid in oids.split()))
    runner = objects.runner
    form = ("-p", "-r", "--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/")
    diffs = runner.run("diff-tree", "--stdin", *form, stdin=oids.encode()).stdout
    lines = runner.run("patch-id", "--stable", stdin=diffs).stdout.decode("ascii").splitlines()
    return {commit: patch_id for patch_id, commit in (line.split(" ") for line in lines)}
