# SPDX-License-Identifier: GPL-2.0-or-later
"""The commits of a range as patches that are applied already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reviewer.errors import RepositoryError
from reviewer.model import Applied, AppliedPatch, Base, Patch, Trailer
from reviewer.tree.patchtext import changed_files
from reviewer.tree.promisor import complete
from reviewer.tree.repository import Repository
from reviewer.tree.runner import Process, Runner

_LARGEST = 64 << 20  # bytes of one commit's diff; an import of a whole kernel is over 1 GB and no patch

_AT_ONCE = 256  # commits for one process; their ids fit into the pipe
_FIELDS = 6
_DIFF = ("-p", "-M", "-l1000", "--full-index", "--binary", "--no-color", "-U3", "--src-prefix=a/", "--dst-prefix=b/")
_PLAIN = ("--no-ext-diff", "--no-textconv")
_FORMAT = "tformat:%H%x00%T%x00%P%x00%s%x00%b%x00%(trailers:only=true,unfold=true)"


@dataclass(frozen=True, slots=True)
class _Commit:
    oid: str
    tree: str
    parent: str | None
    subject: str
    description: str
    trailers: tuple[Trailer, ...]


def commits_of(repository: Repository, revisions: str) -> tuple[Base, tuple[AppliedPatch, ...]]:
    """The commits that ``git format-patch REVISIONS`` would write, oldest first, and what the first one stands on.

    So ``A..B`` is what B has and A has not, ``A..`` the same up to HEAD, ``A...B`` what only one of the two has,
    ``A^!`` the commit A alone, and a single revision A means ``A..HEAD``. Merges are left out, as format-patch leaves
    them out. Trees are the commits' own, so nothing is applied. A range without commits gives no patches.

    Raises RepositoryError for revisions that git does not know, and for a commit whose parent is not in a shallow
    clone: what such a commit changes cannot be told.
    """
    return commits_between(repository, _ends(repository, revisions), f"'{revisions}'")


def commits_between(repository: Repository, ends: Sequence[str], called: str) -> tuple[Base, tuple[AppliedPatch, ...]]:
    """The same for commits told to git log by their ids, with a ``^`` in front of those to leave out.

    ``called`` is what messages call them.
    """
    objects = repository.objects
    commits = _commits(objects.runner, ends)
    _refuse_cut_off(repository, commits)
    if not commits:
        newest = next((end for end in ends if not end.startswith(("^", "-"))), None) or repository.resolve("HEAD")
        return Base(newest, f"There is no commit in {called} other than merges."), ()
    trees = _trees(repository, commits)
    complete(objects, [commit.oid for commit in commits], trees.values())
    empty = objects.runner.run("hash-object", "-t", "tree", "--stdin").stdout.decode("ascii").strip()
    diffs = _diffs(objects.runner, [commit.oid for commit in commits])
    patches = []
    for number, (commit, diff) in enumerate(zip(commits, diffs, strict=True), 1):
        before = empty if commit.parent is None else trees[commit.parent]
        patch = Patch(number, commit.subject, diff, commit.description, commit=commit.oid, trailers=commit.trailers)
        paths = tuple((file.old, file.new) for file in changed_files(diff))
        patches.append(AppliedPatch(patch, Applied.YES, before, commit.tree, paths))
    return _base(commits[0], called), tuple(patches)


def newest_called(repository: Repository, subject: str, most: int) -> str | None:
    """The newest of the last ``most`` commits of HEAD, other than merges, that has this subject; None if none has."""
    told = repository.objects.runner.run(
        *("log", "-z", f"--max-count={most}", "--max-parents=1", "--no-show-signature", "--encoding=UTF-8"),
        *("--format=tformat:%H %s", "HEAD", "--"),
        check=False,
    )
    wanted = " ".join(subject.split())
    for line in told.stdout.decode("utf-8", "replace").split("\0"):
        commit, _, called = line.partition(" ")
        if wanted and " ".join(called.split()) == wanted:
            return commit
    return None


def diff_of_trees(runner: Runner, before: str, after: str) -> bytes:
    """The diff between two trees, in the form of those of commits; RepositoryError if it is no patch any more."""
    diff = runner.run("diff-tree", "-r", *_DIFF, *_PLAIN, before, after, "--").stdout
    if len(diff) > _LARGEST:
        raise RepositoryError(f"more than {_LARGEST >> 20} MB are changed; that is no patch to review")
    return diff


def _base(first: _Commit, called: str) -> Base:
    if first.parent is None:
        return Base(first.oid, f"The first commit of {called} has no parent, so it stands for its own base.")
    return Base(first.parent, f"It is the parent of the first commit of {called}.")


def _ends(repository: Repository, revisions: str) -> tuple[str, ...]:
    """The range as ids, those to leave out with a ``^`` in front."""
    if not revisions or revisions.startswith("-") or re.search(r"[\0\r\n]", revisions):
        raise RepositoryError(f"{revisions!r} is not a range of commits; write for instance origin/master..HEAD")
    if repository.knows(revisions):
        return ("^" + repository.resolve(revisions), repository.resolve("HEAD"))
    done = repository.runner.run("rev-parse", "--revs-only", "--end-of-options", revisions, check=False)
    ends = tuple(re.findall(r"^\^?[0-9a-f]{40,64}$", done.stdout.decode("ascii", "replace"), re.MULTILINE))
    if done.status != 0 or not ends:
        # one of the two sides is the reason; resolving it says so in words
        for side in re.split(r"\.{2,3}", revisions):
            if side:
                repository.resolve(side.removeprefix("^"))
        raise RepositoryError(f"{revisions!r} is not a range of commits in {repository.git_dir}; see gitrevisions(7)")
    return ends if any(end.startswith("^") for end in ends) or "^" in revisions else ("^" + ends[0], ends[0])


def _commits(runner: Runner, ends: Sequence[str]) -> list[_Commit]:
    options = ("--reverse", "--max-parents=1", "--no-notes", "--no-show-signature", "--encoding=UTF-8")
    listed = runner.run(
        *("-c", "trailer.separators=:", "log", "-z", "--no-color", *options, f"--format={_FORMAT}", *ends, "--"),
        what="reading the commits of the range",
    ).stdout
    fields = listed.decode("utf-8", "replace").split("\0")
    return [_commit(fields[at : at + _FIELDS]) for at in range(0, len(fields) - 1, _FIELDS)]


def _commit(fields: Sequence[str]) -> _Commit:
    oid, tree, parent, subject, body, trailers = fields
    pairs = (line.partition(":") for line in trailers.splitlines())
    known = tuple(Trailer(name.strip(), value.strip()) for name, colon, value in pairs if colon)
    return _Commit(oid, tree, parent or None, subject, body.rstrip("\n"), known)


def _refuse_cut_off(repository: Repository, commits: Sequence[_Commit]) -> None:
    """git shows a commit at the edge of a shallow clone as if it had no parent and brought the whole tree."""
    edge = repository.edge()
    for commit in commits:
        if commit.oid in edge:
            raise RepositoryError(
                f"the parent of commit {commit.oid} ({commit.subject}) is not in this shallow clone, so what it changes"
                " cannot be told; `git fetch --deepen=1` brings it"
            )


def _trees(repository: Repository, commits: Sequence[_Commit]) -> Mapping[str, str]:
    """The trees of all parents by commit id."""
    trees = {commit.oid: commit.tree for commit in commits}
    for commit in commits:
        if commit.parent is not None and commit.parent not in trees:
            trees[commit.parent] = repository.tree_of(commit.parent)
    return trees


def _diffs(runner: Runner, oids: Sequence[str]) -> Iterator[bytes]:
    """The diff of each commit against its parent."""
    for some in (oids[at : at + _AT_ONCE] for at in range(0, len(oids), _AT_ONCE)):
        process = runner.start("diff-tree", "--stdin", "--always", "-r", "--root", *_DIFF, *_PLAIN)
        try:
            process.stdin.write("".join(f"{oid}\n" for oid in some).encode())
            process.stdin.close()
            yield from _split(process, some)
        finally:
            process.stop()


def _split(process: Process, oids: Sequence[str]) -> Iterator[bytes]:
    """The diffs in the output of git diff-tree, which puts each commit's id on a line of its own before the diff.

    No line of a diff can look like that: inside hunks each begins with one of `` +-\\``, and a line of a binary patch
    is 5n + 1 characters long.
    """
    following = iter(oids)
    current, awaited = "", next(following, "")
    lines: list[bytes] = []
    size = 0
    for line in process.stdout:
        if awaited and line == f"{awaited}\n".encode():
            if current:
                yield b"".join(lines)
            current, awaited = awaited, next(following, "")
            lines, size = [], 0
            continue
        lines.append(line)
        size += len(line)
        if size > _LARGEST:
            raise RepositoryError(
                f"commit {current} changes more than {_LARGEST >> 20} MB; that is no patch to review, leave it out of"
                " the range"
            )
    if awaited:
        said = process.stderr.read().decode("utf-8", "backslashreplace").strip()
        raise RepositoryError(f"git diff-tree stopped before commit {awaited}: {said}")
    yield b"".join(lines)
