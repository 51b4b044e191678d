# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines behind a report's header, read one after the other into the record."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from reviewer.splat import phrases
from reviewer.splat.grammar import PLACE, frame_of, is_cut, lock_of, named, symbol_of
from reviewer.splat.kinds import HEADERS
from reviewer.splat.records import Frame, HeldLocks, Link, Lock, Role, ScenarioStep, Splat, Task, Trace

_MOST: Final = 400  # of anything that a report lists
_WARNINGS: Final = tuple(header.pattern for header in HEADERS if header.kind == "kernel-warning")

_Matched = re.Match[str]


class Body:
    """Collects what the lines of one report say. ``found`` are facts from its header."""

    def __init__(self, splat: Splat, found: dict[str, str]) -> None:
        self._splat = splat
        self._facts: dict[str, str] = dict(found)
        self._chain: list[tuple[int, Lock, list[Frame]]] = []
        self._held: list[tuple[Task, int, list[Lock]]] = []
        self._traces: list[tuple[str, list[Frame]]] = []
        self._roles: list[Role] = []
        self._scenario: list[ScenarioStep] = []
        self._exists: list[str] = []
        self._holding: list[Lock] = []
        self._frames: list[Frame] = []
        self._expects = ""
        self._column = 0
        self._interrupted = False

    # --- which lines are whole -------------------------------------------------------------------------------------

    def knows(self, text: str) -> bool:
        """Whether ``text`` is a line of a report, and whole."""
        if is_cut(text):
            return False
        if any(pattern.match(text) for pattern, _ in _RULES):
            return True
        return lock_of(text) is not None or frame_of(text) is not None or PLACE.match(text) is not None

    def read(self, text: str, indent: int) -> None:
        """Take one line. ``indent`` tells the columns of a scenario apart."""
        for pattern, take in _RULES:
            match = pattern.match(text)
            if match and take(self, match, indent):
                return
        lock = lock_of(text)
        if lock is not None:
            self._take_lock(lock)
            return
        frame = frame_of(text)
        if frame is not None:
            self._take_frame(frame)
            return
        place = PLACE.match(text)
        if place and self._frames and not self._frames[-1].path:
            self._frames[-1] = replace(
                self._frames[-1], path=place["path"], line=int(place["line"]), inline=place["inline"] is not None
            )
            return
        if self._expects == "not held":
            self._roles.append(Role("not held", named(text)))
            self._expects = ""
        elif self._expects == "chain" and " --> " in text:
            self._exists += [name for name in text.split(" --> ") if name][: _MOST - len(self._exists)]
        elif (cut := phrases.CPU_CUT.match(text)) is not None:
            self._set_task(cut)

    # --- what a line is worth --------------------------------------------------------------------------------------

    def _take_lock(self, lock: Lock) -> None:
        expects, self._expects = self._expects, ""
        if expects == "wanted":
            self._splat = replace(self._splat, wanted=lock)
        elif expects == "holding":
            self._holding.append(lock)
        elif expects.startswith("role ") and len(self._roles) < _MOST:
            self._roles.append(Role(expects.removeprefix("role "), lock))

    def _take_frame(self, frame: Frame) -> None:
        wanted = self._splat.wanted
        if self._expects == "release" and wanted is not None:
            self._splat = replace(self._splat, wanted=replace(wanted, at=frame))
            self._expects = ""
            return
        if len(self._frames) < _MOST:
            self._frames.append(frame)

    def _open(self, title: str) -> None:
        if self._traces and not self._traces[-1][1]:
            title = self._traces.pop()[0]
        self._frames = []
        if len(self._traces) < _MOST:
            self._traces.append((title, self._frames))

    def _set_task(self, match: _Matched) -> None:
        groups = match.groupdict()
        if groups.get("comm") and groups.get("pid") and self._splat.task is None:
            self._splat = replace(self._splat, task=Task(groups["comm"].strip(), int(groups["pid"])))
        if groups.get("cpu") and self._splat.cpu is None:
            self._splat = replace(self._splat, cpu=int(groups["cpu"]))
        if groups.get("release") and not self._splat.release:
            self._splat = replace(self._splat, release=groups["release"])
        if groups.get("taint") and not self._splat.taint:
            taint = " ".join(groups["taint"].removeprefix("Tainted:").split())
            self._splat = replace(self._splat, taint="" if taint == "Not tainted" else taint)

    def _asks(self, match: _Matched, _indent: int) -> bool:
        self._set_task(match)
        self._expects = "wanted"
        return True

    def _holds(self, match: _Matched, _indent: int) -> bool:
        self._keep(match)
        if "comparison" not in match.groupdict():
            self._expects = "holding"
        return True

    def _role(self, match: _Matched, _indent: int) -> bool:
        self._expects = f"role {match['role']}"
        return True

    def _releases(self, match: _Matched, _indent: int) -> bool:
        self._set_task(match)
        self._splat = replace(self._splat, wanted=named(match["lock"]))
        self._expects = "release"
        return True

    def _not_held(self, _match: _Matched, _indent: int) -> bool:
        self._expects = "not held"
        return True

    def _held_by(self, match: _Matched, _indent: int) -> bool:
        if len(self._held) < _MOST:
            self._held.append((Task(match["comm"].strip(), int(match["pid"])), int(match["count"]), []))
        return True

    def _none_held(self, match: _Matched, _indent: int) -> bool:
        if len(self._held) < _MOST:
            self._held.append((Task(match["comm"].strip(), int(match["pid"])), 0, []))
        return True

    def _held_lock(self, match: _Matched, _indent: int) -> bool:
        lock = lock_of(match["lock"])
        if lock is None or not self._held:
            return False
        if len(self._held[-1][2]) < _MOST:
            self._held[-1][2].append(lock)
        return True

    def _link(self, match: _Matched, _indent: int) -> bool:
        lock = lock_of(match["lock"])
        if lock is None:
            return False
        self._frames = []
        if len(self._chain) < _MOST:
            self._chain.append((int(match["number"]), lock, self._frames))
        return True

    def _chain_exists(self, _match: _Matched, _indent: int) -> bool:
        self._expects = "chain"
        return True

    def _columns(self, match: _Matched, indent: int) -> bool:
        self._expects = ""
        self._column = indent + len("CPU0") + len(match["gap"]) if match["gap"] else 0
        self._interrupted = False
        return True

    def _step(self, match: _Matched, indent: int) -> bool:
        right = self._column > 0 and indent > self._column // 2
        where = "CPU1" if right else "Interrupt" if self._interrupted else "CPU0"
        if len(self._scenario) < _MOST:
            self._scenario.append(ScenarioStep(where, match["action"]))
        return True

    def _interrupt(self, _match: _Matched, _indent: int) -> bool:
        self._interrupted = True
        return True

    def _title(self, match: _Matched, _indent: int) -> bool:
        self._expects = ""
        self._open(match["title"])
        return True

    def _task_trace(self, match: _Matched, _indent: int) -> bool:
        self._open(f"task {match['comm']} in state {match['state']}")
        return True

    def _keep(self, match: _Matched) -> None:
        for name, value in match.groupdict().items():
            if (
                value is not None
                and name not in ("comm", "pid", "cpu", "release", "taint")
                and len(self._facts) < _MOST
            ):
                self._facts.setdefault(name, value.strip())

    def _fact(self, match: _Matched, _indent: int) -> bool:
        self._set_task(match)
        self._keep(match)
        return True

    def _about(self, match: _Matched, _indent: int) -> bool:
        self._set_task(match)
        return True

    def _warning(self, match: _Matched, _indent: int) -> bool:
        """The place of a WARNING whose message was the header."""
        if not self._splat.path:
            self._splat = replace(self._splat, path=match["path"], number=int(match["line"]))
            self._facts.setdefault("function", match["function"])
        self._set_task(match)
        return True

    def _suspicious(self, match: _Matched, _indent: int) -> bool:
        if self._splat.kind != "rcu-suspicious" or self._splat.path:
            return False
        self._splat = replace(self._splat, path=match["path"], number=int(match["line"]))
        self._facts.setdefault("message", match["message"])
        return True

    def _smatch(self, match: _Matched, _indent: int) -> bool:
        if self._splat.kind != "smatch-atomic":
            return False
        if not self._traces or match["called"] is None:
            self._open("call tree")
        if match["remark"]:
            self._facts.setdefault("atomic_by", f"{match['function']}() {match['remark']}")
        self._take_frame(Frame(match["function"]))
        return True

    def _off(self, _match: _Matched, _indent: int) -> bool:
        self._splat = replace(self._splat, lockdep_off=True)
        return True

    # --- the record ------------------------------------------------------------------------------------------------

    def finished(self) -> Splat:
        """The report as read."""
        caller = self._facts.get("caller")
        frame = symbol_of(caller) if caller else None
        if frame is not None and not self._traces:
            self._traces.append(("caller", [frame]))
        splat = replace(
            self._splat,
            chain=tuple(Link(number, lock, tuple(frames)) for number, lock, frames in self._chain),
            held=tuple(HeldLocks(task, count, tuple(locks)) for task, count, locks in self._held),
            # Smatch tells a path from its outermost function on, the kernel from the innermost.
            traces=tuple(
                Trace(title, tuple(reversed(frames)) if self._splat.kind == "smatch-atomic" else tuple(frames))
                for title, frames in self._traces
                if frames
            ),
            roles=tuple(self._roles),
            scenario=tuple(self._scenario),
            exists=tuple(self._exists),
            holding=tuple(self._holding),
            facts=tuple(sorted(self._facts.items())),
        )
        return replace(splat, truncated=_truncated(splat))


_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[Body, _Matched, int], bool]], ...]] = (
    *((pattern, Body._asks) for pattern in phrases.WANTS),
    *((pattern, Body._holds) for pattern in phrases.HOLDS),
    *((pattern, Body._role) for pattern in phrases.ROLES),
    (phrases.RELEASES, Body._releases),
    (phrases.NOT_HELD, Body._not_held),
    (phrases.HELD, Body._held_by),
    (phrases.NONE_HELD, Body._none_held),
    (phrases.HELD_LOCK, Body._held_lock),
    (phrases.LINK, Body._link),
    (phrases.EXISTS, Body._chain_exists),
    (phrases.COLUMNS, Body._columns),
    (phrases.STEP, Body._step),
    (phrases.INTERRUPT, Body._interrupt),
    *((pattern, Body._title) for pattern in phrases.TITLES),
    (phrases.TASK_TRACE, Body._task_trace),
    *((pattern, Body._about) for pattern in (*phrases.CPU_LINES, phrases.IDENT)),
    *((pattern, Body._fact) for pattern in phrases.FACTS),
    *((pattern, Body._warning) for pattern in _WARNINGS),
    (phrases.LOCKDEP_OFF, Body._off),
    (phrases.SUSPICIOUS, Body._suspicious),
    (phrases.SMATCH_CALL, Body._smatch),
)


def _truncated(splat: Splat) -> bool:
    """Whether something is missing that the report announces or that its kind always has."""
    if any(len(block.locks) < block.count for block in splat.held):
        return True
    if splat.kind == "lockdep-circular":
        return not splat.chain or min(link.number for link in splat.chain) > 0
    return splat.kind.startswith("lockdep-") and splat.kind != "lockdep-limits" and not splat.traces
