# SPDX-License-Identifier: GPL-2.0-or-later
"""What a follower of values along the paths of a function looks like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reviewer.context.facts import Facts
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.source.cfg import AnyNode, Edge, Function

if TYPE_CHECKING:
    from reviewer.context.flow import Flow

Path = tuple[State, Facts]
"""Where a path stands: the context, and what is known besides."""


class Watcher:
    """Sees every node of ``flow`` before and after it takes effect; keeps what it learns in the facts of the path."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._api = flow.api

    @staticmethod
    def matter(function: Function, api: Api) -> bool:
        """Whether there is anything to watch in ``function``."""
        raise NotImplementedError

    def before(self, node: AnyNode, path: Path) -> None:
        """``node`` is about to be evaluated."""

    def conditions(self, edges: Iterable[Edge], path: Path) -> None:
        """A branch is decided upon."""

    def after(self, node: AnyNode, path: Path) -> None:
        """``node`` has been evaluated on this path."""
