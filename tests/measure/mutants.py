# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts with one mistake put in, or with one harmless change, at a place that the text alone decides."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.measure.equivalent import runs_alone
from tests.measure.sites import RELEASES, SLEEPING_TAKES, TAKES, Site, Source, sites

_SLEEPING = frozenset(("lock-sleep-in-atomic", "lock-gfp-blocking-in-atomic", "rcu-sleep-in-reader"))
_RAW_OR_DISABLED = re.compile(
    r"raw_spin_lock(?:_irqsave|_irq|_bh)?|preempt_disable|local_irq_(?:disable|save)"
    r"|(?:scoped_)?guard(?=\s*\(\s*(?:raw_spinlock(?:_irqsave|_irq|_bh)?|preempt|irq|irqsave)\s*[,)])"
)
_BOTH_TAKES = re.compile(f"{TAKES.pattern}|{SLEEPING_TAKES.pattern}")
# Functions that are meant to return with a lock held, or to let go of one for their caller.
_WRAPPER = re.compile(r"(?:.*_)?(?:try|un|re)?lock(?:ed|ing)?(?:_.*)?|.*(?:spin|mutex)_?(?:un)?lock.*")
_ANNOTATED = re.compile(r"__(?:cond_)?(?:acquires|releases)\w*\s*\(")
_LEAVES = re.compile(r"(?:return\b|goto\s+\w+\s*;)")
_DECLARED = re.compile(
    r"^\t(?:(?:const|unsigned|struct|enum|union)\s+)*\w+\s+\**([a-z]\w{2,})(?:\s*=[^;{]*)?;", re.MULTILINE
)
_SIGNED = re.compile(r"\b(?:int|long|s32|s64|ssize_t)\b|SYSCALL_DEFINE")


@dataclass(frozen=True, slots=True)
class Mutant:
    """The text of ``path`` with a change in ``function``; ``line`` is the line of the original that was chosen."""

    path: str
    function: str
    line: int
    shown: str
    text: str


Maker = Callable[[Source, Counter[str]], Iterator[Mutant]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mutation. ``expected`` are the checks of which one must speak; empty for a harmless change."""

    name: str
    expected: frozenset[str]
    make: Maker


def _after(source: Source, site: Site, statement: str) -> Mutant:
    """``statement`` as the next thing that happens after the one at ``site``."""
    indent = re.match(r"[ \t]*", source.line(source.line_of(site.start)))
    white = (indent.group() if indent else "") + ("\t" if site.opens else "")
    if site.braceless:
        body = source.text[site.start : site.end]
        changed = f"{source.text[: site.start]}{{ {body} {statement} }}{source.text[site.end :]}"
    else:
        end = source.text.find("\n", site.end)
        rest = source.code[site.end : end]
        at = site.end if rest.strip() else end
        changed = f"{source.text[:at]}\n{white}{statement}{source.text[at:]}"
    shown = f"{' '.join(source.text[site.start : site.end].split())} -> {statement}"
    return Mutant(source.path, site.function.name, site.line, shown, changed)


def _calls(statement: str, wanted: re.Pattern[str] = TAKES, *, rt: bool = False) -> Maker:
    def make(source: Source, excluded: Counter[str]) -> Iterator[Mutant]:
        for site in sites(source, wanted, excluded):
            if site.rt is not None and site.rt is not rt:
                excluded["in an arm for the other kind of kernel (PREEMPT_RT or not)"] += 1
                continue
            header = source.header(site.function)
            if rt and (reason := runs_alone(source.path, source.code, header, site.function, site.name)):
                excluded[reason] += 1
                continue
            yield _after(source, site, statement)

    return make


def _returned(header: str, function: str) -> str:
    """A return statement that fits the type of a function and says that it failed."""
    before = header[: header.rfind(function)] if function in header else header
    if before.rstrip().endswith("*"):
        return "return NULL;"
    if re.search(r"\bvoid\b", before):
        return "return;"
    if re.search(r"\bbool\b", before):
        return "return false;"
    return "return -EINVAL;" if _SIGNED.search(before) else "return 0;"


def _wrapper(source: Source, site: Site, excluded: Counter[str]) -> bool:
    """Whether the function is one that leaves locks in another state than it found them, by its name or header."""
    if _WRAPPER.fullmatch(site.function.name):
        excluded["the function is a lock wrapper by its name"] += 1
        return True
    if _ANNOTATED.search(source.header(site.function)):
        excluded["the function is annotated to acquire or release"] += 1
        return True
    return False


def _others(source: Source, site: Site, names: re.Pattern[str]) -> list[Site]:
    """Other calls of ``names`` for the same lock in the same function."""
    return [
        other
        for other in sites(source, names, Counter())
        if other.function == site.function and other.lock == site.lock and other.start != site.start
    ]


def _given_back(source: Source, site: Site, takes: re.Pattern[str], releases: re.Pattern[str]) -> bool:
    """Whether the function lets go of the lock before it takes it: it is its caller's, and is held on return."""
    taken = [other.start for other in (*_others(source, site, takes), site) if takes.fullmatch(other.name)]
    released = [other.start for other in (*_others(source, site, releases), site) if releases.fullmatch(other.name)]
    return bool(taken and released) and min(released) < min(taken)


def _of_others(
    source: Source, site: Site, takes: re.Pattern[str], releases: re.Pattern[str], excluded: Counter[str]
) -> bool:
    """Whether the lock of a release is another function's: it is not taken here, or only taken back."""
    if not _others(source, site, takes):
        excluded["the lock is taken by the caller or a callee"] += 1
        return True
    if _given_back(source, site, takes, releases):
        excluded["the function gives its caller's lock back"] += 1
        return True
    return False


def _without_release(names: re.Pattern[str], takes: re.Pattern[str]) -> Maker:
    """Delete a release that stands before a return or goto, below the level of the function's own statements."""

    def make(source: Source, excluded: Counter[str]) -> Iterator[Mutant]:
        for site in sites(source, names, excluded):
            line = source.line(source.line_of(site.start))
            white = line[: len(line) - len(line.lstrip())]
            after = source.code[site.end :].lstrip()
            follows = source.line_of(site.end + len(source.code[site.end :]) - len(after))
            if not _LEAVES.match(after) or not source.line(follows).startswith(white + after[:4]):
                continue
            if len(white.expandtabs(8)) < 16 or site.braceless:
                continue
            if _wrapper(source, site, excluded) or _restored_by_none(source, site, excluded):
                continue
            if not _others(source, site, names):
                excluded["the only release of its lock in the function"] += 1
                continue
            if _of_others(source, site, takes, names, excluded):
                continue
            end = source.text.find("\n", site.end) + 1
            changed = source.text[: source.starts[site.line - 1]] + source.text[end:]
            shown = f"- {source.text[site.start : site.end]} before {after.splitlines()[0]}"
            yield Mutant(source.path, site.function.name, site.line, shown, changed)

    return make


def _kept_in_memory(site: Site, excluded: Counter[str]) -> bool:
    """Whether what is to be given back is no variable of the function, so that others can do it."""
    if site.name == "local_irq_save" and not site.lock.isidentifier():
        excluded["the flags are kept in memory, where others can restore them"] += 1
        return True
    return False


def _restored_by_none(source: Source, site: Site, excluded: Counter[str]) -> bool:
    """Whether interrupts are disabled there whatever the function does, so that nobody misses what it saved."""
    if site.name not in ("local_irq_save", "local_irq_restore"):
        return False
    header = source.header(site.function)
    if reason := runs_alone(source.path, source.code, header, site.function, site.name):
        excluded[reason] += 1
    return bool(reason)


def _leaves_so_already(source: Source, site: Site, releases: re.Pattern[str]) -> bool:
    """Whether a way out between the lock call and its first release leaves the lock held: one more is nothing new."""
    after = [other.start for other in _others(source, site, releases) if other.start > site.start]
    last = source.starts[site.function.end - 1]
    between = source.code[site.end : min(after, default=last)]
    if re.match(r"\s*\}?\s*else\b", between):
        return False  # what follows first is not run with the lock held
    if re.search(r"\breturn\b", between):
        return True
    for jump in re.finditer(r"\bgoto\s+(\w+)\s*;", between):
        label = re.compile(rf"^\s*{jump.group(1)}\s*:(?!:)", re.MULTILINE).search(source.code, site.end, last)
        if label is not None and not any(at > label.start() for at in after):
            return True
    return False


def _early_return(takes: re.Pattern[str], releases: re.Pattern[str]) -> Maker:
    """Return right after a lock was taken, in a function that lets go of it elsewhere."""

    def make(source: Source, excluded: Counter[str]) -> Iterator[Mutant]:
        for site in sites(source, takes, excluded):
            if "guard" in site.name or _wrapper(source, site, excluded) or _kept_in_memory(site, excluded):
                continue
            if _restored_by_none(source, site, excluded):
                continue
            if not _others(source, site, releases):
                excluded["the function has no release of the lock"] += 1
                continue
            if _given_back(source, site, takes, releases):
                excluded["the function gives its caller's lock back"] += 1
                continue
            if _leaves_so_already(source, site, releases):
                excluded["the function returns without the release on another way already"] += 1
                continue
            returns = _returned(source.header(site.function), site.function.name)
            yield _after(source, site, f"if (reviewer_probe_condition()) {returns}")

    return make


def _weakened(source: Source, excluded: Counter[str]) -> Iterator[Mutant]:
    """Let go of a lock without giving back the interrupt flags that taking it has saved."""
    for site in sites(source, _RESTORING, excluded):
        if _wrapper(source, site, excluded):
            continue
        if site.rt and not site.name.startswith("raw_"):
            excluded["in an arm for the other kind of kernel (PREEMPT_RT or not)"] += 1
            continue
        if _of_others(source, site, _SAVING, _RESTORING, excluded):
            continue
        call = source.text[site.start : site.end]
        start = site.start + call.index("(") + 1
        end = start + source.code[start : site.end].rindex(",")
        changed = f"{site.name.removesuffix('_irqrestore')}({source.text[start:end]});"
        shown = f"{' '.join(call.split())} -> {changed}"
        text = source.text[: site.start] + changed + source.text[site.end :]
        yield Mutant(source.path, site.function.name, site.line, shown, text)


def _renamed(source: Source, excluded: Counter[str]) -> Iterator[Mutant]:
    """A local variable of one function gets another name."""
    for site in sites(source, TAKES, excluded):
        body = source.body(site.function)
        names = sorted({match.group(1) for match in _DECLARED.finditer(body)})
        if not names:
            excluded["the function has no local variable to rename"] += 1
            continue
        start = source.starts[site.function.line - 1]
        name = names[site.line % len(names)]
        word = re.compile(rf"(?<![\w.#])(?<!->){name}\b(?!\s*:(?!:))")
        changed, last = [source.text[:start]], start
        for match in word.finditer(source.code, start, start + len(body)):
            changed += [source.text[last : match.start()], "reviewer_probe_renamed"]
            last = match.end()
        changed.append(source.text[last:])
        yield Mutant(source.path, site.function.name, site.line, f"{name} renamed", "".join(changed))


def _unused(source: Source, excluded: Counter[str]) -> Iterator[Mutant]:
    """A function gets a local variable that nothing uses."""
    for site in sites(source, TAKES, excluded):
        brace = source.code.find("{", source.starts[site.function.line - 1])
        changed = f"{source.text[: brace + 1]}\n\tint reviewer_probe_unused;{source.text[brace + 1 :]}"
        yield Mutant(source.path, site.function.name, site.line, "an unused variable", changed)


_RCU = re.compile("rcu_read_lock")
_RCU_RELEASES = re.compile("rcu_read_unlock")
_PREEMPT = re.compile("preempt_disable")
_PREEMPT_RELEASES = re.compile("preempt_enable(?:_no_resched)?")
_FLAGS = re.compile("local_irq_save")
_FLAGS_RELEASES = re.compile("local_irq_restore")
_SRCU = re.compile("srcu_read_lock")
_SRCU_RELEASES = re.compile("srcu_read_unlock")
_SAVING = re.compile(r"(?:(?:raw_)?spin|read|write)_lock_irqsave(?:_nested)?")
_RESTORING = re.compile(r"(?:(?:raw_)?spin|read|write)_unlock_irqrestore")
_LOCKS = re.compile(rf"(?!rcu_|preempt_|local_)(?:{_BOTH_TAKES.pattern})")
_LOCK_RELEASES = re.compile(rf"(?!rcu_)(?:{RELEASES.pattern})")
# A lock that is not let go of is also seen where it is taken again, or where something sleeps under it.
_IMBALANCE = _SLEEPING | {"lock-imbalance", "lock-recursive-class", "rcu-unlock-imbalance"}
# The next section that saves the flags shows it too, where it uses the same variable.
_IRQS_OFF = _IMBALANCE | {"lock-irqflags-overwritten"}

KINDS = (
    Kind("msleep", _SLEEPING, _calls("msleep(1);")),
    Kind("synchronize_rcu", _SLEEPING, _calls("synchronize_rcu();")),
    Kind("mutex_lock", _SLEEPING, _calls("mutex_lock(&reviewer_probe_mutex);")),
    Kind("kmalloc", _SLEEPING, _calls("reviewer_probe_pointer = kmalloc(8, GFP_KERNEL);")),
    Kind(
        "kfree-rt",
        frozenset(("rt-free-under-raw-spinlock", "rt-alloc-preempt-irq-off")),
        _calls("kfree(reviewer_probe_pointer);", _RAW_OR_DISABLED, rt=True),
    ),
    Kind(
        "spin_lock-rt",
        # In a loop the lock is taken twice, which is told first.
        frozenset(("rt-spinlock-under-raw-spinlock", "rt-spinlock-preempt-irq-off", "lock-recursive-class")),
        _calls("spin_lock(&reviewer_probe_lock);", _RAW_OR_DISABLED, rt=True),
    ),
    Kind("unlock-deleted", _IMBALANCE, _without_release(_LOCK_RELEASES, _LOCKS)),
    Kind("unlock-skipped", _IMBALANCE, _early_return(_LOCKS, _LOCK_RELEASES)),
    Kind("rcu-unlock-deleted", _IMBALANCE, _without_release(_RCU_RELEASES, _RCU)),
    Kind("rcu-unlock-skipped", _IMBALANCE, _early_return(_RCU, _RCU_RELEASES)),
    Kind("srcu-unlock-deleted", _IMBALANCE, _without_release(_SRCU_RELEASES, _SRCU)),
    Kind("srcu-unlock-skipped", _IMBALANCE, _early_return(_SRCU, _SRCU_RELEASES)),
    Kind("preempt-enable-deleted", _IMBALANCE, _without_release(_PREEMPT_RELEASES, _PREEMPT)),
    Kind("preempt-enable-skipped", _IMBALANCE, _early_return(_PREEMPT, _PREEMPT_RELEASES)),
    Kind("irq-restore-deleted", _IRQS_OFF, _without_release(_FLAGS_RELEASES, _FLAGS)),
    Kind("irq-restore-skipped", _IRQS_OFF, _early_return(_FLAGS, _FLAGS_RELEASES)),
    Kind("irqrestore-weakened", _IRQS_OFF, _weakened),
    Kind("harmless-pr_debug", frozenset(), _calls('pr_debug("x\\n");')),
    Kind("harmless-comment", frozenset(), _calls("/* Nothing happens here. */")),
    Kind("harmless-blank", frozenset(), _calls("")),
    Kind("harmless-renamed", frozenset(), _renamed),
    Kind("harmless-unused", frozenset(), _unused),
)
