# SPDX-License-Identifier: GPL-2.0-or-later
"""What a splat says, as records. Names, numbers and texts are the report's own; nothing is looked up or guessed.

Lines are 1-based and count in the text that was read.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """A task by its ``comm`` and pid."""

    comm: str
    pid: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One function of a call trace, ``func+0xOFFSET/0xSIZE [module] path:line [inline]``.

    ``unsure`` is the kernel's ``?``: the address lay on the stack, but is no proven caller. ``path`` and ``line`` are
    there only where somebody decoded the trace.
    """

    function: str
    offset: int | None = None
    size: int | None = None
    module: str = ""
    unsure: bool = False
    inline: bool = False
    path: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """lockdep's ``{outer:inner}`` (enum lockdep_wait_type in include/linux/lockdep_types.h)."""

    outer: int
    inner: int


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as print_lock() of kernel/locking/lockdep.c shows it.

    ``version`` and ``subclass`` are the ``#N`` and ``/N`` behind the class name. ``usage`` are the characters for
    hardirq, hardirq-read, softirq and softirq-read. ``at`` is where it was taken.
    """

    name: str
    version: int = 1
    subclass: int = 0
    usage: str = ""
    wait: Wait | None = None
    instance: str = ""
    at: Frame | None = None

    @property
    def label(self) -> str:
        """The class as lockdep writes it."""
        version = f"#{self.version}" if self.version > 1 else ""
        return f"{self.name}{version}{f'/{self.subclass}' if self.subclass else ''}"


@dataclass(frozen=True, slots=True)
class HeldLocks:
    """``count`` locks held by ``task``, as announced; ``locks`` are those that were listed."""

    task: Task
    count: int
    locks: tuple[Lock, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """``-> #number lock:`` of a dependency chain, with the trace of how the lock was taken."""

    number: int
    lock: Lock
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """A call trace under its title, innermost frame first."""

    title: str
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One line of lockdep's scenario: ``where`` is CPU0, CPU1 or Interrupt."""

    where: str
    action: str


@dataclass(frozen=True, slots=True)
class Role:
    """A lock that the report names in words of its own, for instance ``HARDIRQ-irq-safe``."""

    name: str
    lock: Lock


@dataclass(frozen=True, slots=True)
class Splat:
    """One report. ``facts`` are the values of its own lines, by a name that the kind gives them.

    ``wanted`` is the lock that the task asks for, takes or releases; ``holding`` the one it is said to hold already.
    ``path`` and ``number`` are the place that the report names. ``truncated`` tells that announced parts are missing;
    ``lockdep_off`` that lockdep had switched itself off.
    """

    kind: str
    header: str
    line: int
    message_id: str = ""
    release: str = ""
    taint: str = ""
    task: Task | None = None
    cpu: int | None = None
    path: str = ""
    number: int | None = None
    wanted: Lock | None = None
    holding: tuple[Lock, ...] = ()
    roles: tuple[Role, ...] = ()
    chain: tuple[Link, ...] = ()
    exists: tuple[str, ...] = ()
    scenario: tuple[ScenarioStep, ...] = ()
    held: tuple[HeldLocks, ...] = ()
    traces: tuple[Trace, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    truncated: bool = False
    lockdep_off: bool = False

    def fact(self, name: str) -> str:
        """A value of the report by name, empty where it does not say."""
        return next((value for key, value in self.facts if key == name), "")
