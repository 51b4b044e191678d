# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m reviewer.hooked HOOK ARGUMENT...``: what a git hook runs.

Only findings stop git. That something could not be done does not, unless ``reviewer.hookStrict`` is set: a tool that
is out of order is to be in nobody's way.
"""

from __future__ import annotations

import sys
from typing import Final

from reviewer.cli import FAILED, INTERRUPTED, OK, USAGE, main
from reviewer.config import hooks_are_strict
from reviewer.report.data import FOUND
from reviewer.tree.hooks import BLOCK

_ITS_OWN: Final = {USAGE, FAILED}


def run(words: list[str]) -> int:
    """The status for the script in git's folder: 0 to go on, ``BLOCK`` to stop git, or that of an interrupt."""
    status = main(["hook", "run", *words[:1], "--", *words[1:]])
    if status in (OK, INTERRUPTED):
        return status
    if status != FOUND and not hooks_are_strict():
        sys.stderr.write("reviewer: the review is incomplete; git goes on, as reviewer.hookStrict is not set\n")
        return OK
    if status in _ITS_OWN:
        sys.stderr.write("reviewer: the review is incomplete, and reviewer.hookStrict stops git for that\n")
    return BLOCK


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
