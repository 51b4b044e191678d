# SPDX-License-Identifier: GPL-2.0-or-later
"""The one exception tree. Each message names what was tried, what happened and what to do next."""

from __future__ import annotations

from typing import Final

NO_GIT: Final = "tried to run git: it is not installed or not on PATH; install git 2.39 or newer"
"""The message for whoever needs git and finds none."""


class ReviewerError(Exception):
    """The program could not do its job: exit status 3."""

    exit_code = 3


class UsageError(ReviewerError):
    """The command line or the configuration makes no sense: exit status 2."""

    exit_code = 2


class FetchError(ReviewerError):
    """The thread could not be had: the server is down, the message is unknown, the file is not mail."""


class NotFoundError(FetchError):
    """The server answered, and it has no such message."""


class SeriesError(ReviewerError):
    """The thread holds nothing that can be reviewed in the way that was asked for."""


class RepositoryError(ReviewerError):
    """The git repository cannot be used, or git refused an operation on it."""


class CheckError(ReviewerError):
    """A check or a table under ``checks/`` is broken; nothing is reviewed with half of the checks."""


class DraftError(ReviewerError):
    """A reply cannot be written as mail, for instance because a header of the patch holds a line break."""


class CacheError(ReviewerError):
    """The cache cannot be read or written. What it holds can be had again; ``damaged`` says that it should be."""

    def __init__(self, message: str, *, damaged: bool = False) -> None:
        super().__init__(message)
        self.damaged = damaged
