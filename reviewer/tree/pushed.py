# SPDX-License-Identifier: GPL-2.0-or-later
"""The commits that a push brings to a remote: what githooks(5) tells a pre-push hook on its standard input."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from reviewer.errors import RepositoryError
from reviewer.tree.repository import Repository

_LINE: Final = re.compile(r"(?P<local>\S+) (?P<new>[0-9a-f]{40,64}) (?P<remote>\S+) (?P<old>[0-9a-f]{40,64})")


@dataclass(frozen=True, slots=True)
class Push:
    """New commits, by what tells git log of them. The oldest, ``left_out`` in number, are one too many for a hook."""

    ends: tuple[str, ...]
    left_out: int = 0


def new_commits(repository: Repository, told: str, most: int) -> Push:
    """What the refs that are to be pushed have and no remote has, the newest ``most`` of it.

    ``told`` are the lines that git writes to the hook, ``LOCAL-REF OID REMOTE-REF OID``; a deleted ref has zeros for
    its first id and brings nothing, nor does a tag of something other than a commit. A remote is known to have what
    its refs in ``refs/remotes`` reach, and what the pushed refs have been. RepositoryError for lines of
    another form.
    """
    tips: list[str] = []
    known: list[str] = []
    for line in told.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise RepositoryError(f"{line!r} is not a line that git gives a pre-push hook; see githooks(5)")
        if match["new"].strip("0") and repository.knows(match["new"]):
            tips.append(repository.resolve(match["new"]))
        if match["old"].strip("0") and repository.knows(match["old"]):
            known.append(f"^{repository.resolve(match['old'])}")
    if not tips:
        return Push(())
    ends = (*tips, *known, "--not", "--remotes")
    counted = repository.objects.runner.run(
        "rev-list", "--count", "--max-parents=1", *ends, what="counting the commits"
    )
    return Push((f"--max-count={most}", *ends), max(int(counted.stdout) - most, 0))
