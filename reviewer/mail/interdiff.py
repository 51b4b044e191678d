# SPDX-License-Identifier: GPL-2.0-or-later
"""What two revisions of a series change differently, function by function, told from their diffs alone.

Only the lines of code that a patch adds and removes count: context and line numbers also differ where the base does.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reviewer.mail.quote import Hunk, decoded, hunks_of
from reviewer.model import FunctionChange, Patch, PatchChange

# As git finds the line for a hunk's header: one that begins with a name.
_STARTS = re.compile(r"[A-Za-z_]")
_CALL = re.compile(r"(\w+)\s*\((?:\s*(\w+))?(?!.*;\s*$)")
_TYPE = re.compile(r"((?:struct|union|enum)\s+\w+)\s*\{?\s*$")
_LABEL = re.compile(r"\w+:(?!:)")
_ENDS = re.compile(r"[})]")
_REMARK = re.compile(r"[+-]\s*(?:/?\*(?![A-Za-z_(])|//)")
_HALF = 2
_MOST_LINES = 20_000  # of a series, and
_MOST_PATCHES = 200  # beyond which nobody wants to be told what changed
_MOST_ALIGNED = 1500  # lines of a function; longer ones are compared without regard to their order


@dataclass(frozen=True, slots=True)
class Changed:
    """A line that a patch adds or removes, with its sign, and where; ``bare`` is the line without white space.

    ``function`` is empty outside of functions and where it is not known. ``at`` is the number of the line in the file
    that has it.
    """

    path: str
    function: str
    line: str
    bare: str
    patch: int = 0
    at: int = 0


def changed_lines(diff: bytes, number: int = 0) -> tuple[Changed, ...]:
    """The lines that the diff of patch ``number`` adds and removes, in order, without empty ones and lone braces."""
    return tuple(changed for hunk in hunks_of(diff) for changed in _of_hunk(hunk, number))


def _of_hunk(hunk: Hunk, number: int) -> Iterator[Changed]:
    path = hunk.new_path or hunk.old_path or ""
    function = _named(decoded(hunk.header).rpartition("@@")[2].strip()) if path.endswith((".c", ".h", ".S")) else None
    for line in hunk.lines:
        text = decoded(line.text)
        code = text[1:]
        if function is not None and _STARTS.match(code) and not _LABEL.match(code):
            function = _named(code)
        if line.changed and re.search(r"\w", code):
            at = line.new or line.old or 0
            yield Changed(path, function or "", text, "".join(text.split()), number, at)
        if function is not None and _ENDS.match(code):
            function = ""


def _named(line: str) -> str:
    """The function or type that a line at the left edge begins; empty for other lines there."""
    if line.startswith("typedef "):
        return ""
    found = _CALL.search(line)
    if found:
        # DEFINE_SOMETHING(name, ...) defines what its first argument says.
        return found[2] if found[1].isupper() and found[2] else found[1]
    kind = _TYPE.match(line)
    return kind[1] if kind else ""


def content_id(diff: bytes) -> str:
    """The same for two mails or diffs that change the same lines of the same files, as git-patch-id(1) means it."""
    return _digest(changed_lines(diff))


def _digest(lines: Sequence[Changed]) -> str:
    digest = hashlib.sha256()
    for changed in lines:
        digest.update(f"{changed.path}\0{changed.bare}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def interdiff(
    before: Sequence[Patch], now: Sequence[Patch], changes: Sequence[PatchChange]
) -> tuple[FunctionChange, ...]:
    """By file and function, what one series changes otherwise than another, in the order of the files.

    A patch that only one of the two has, as ``changes`` tells, is no difference: it is new or gone as a whole, and
    lines may have moved into it or out of it.
    """
    pairs = [(one.before, one.now) for one in changes if one.before is not None and one.now is not None]
    old, gone = _by_function(before, {number for number, _ in pairs})
    new, added = _by_function(now, {number for _, number in pairs})
    found = []
    for place in dict.fromkeys((*new, *old)):
        lines = tuple(_difference(old.get(place, []), new.get(place, []), gone, added))
        if lines:
            found.append(FunctionChange(*place, lines))
    return tuple(sorted(found, key=lambda one: one.path))


_Lines = dict[tuple[str, str], list[Changed]]


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """Lines of other patches: by path, function and text, and without regard to the function."""

    exact: frozenset[tuple[str, str, str]]
    anywhere: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, lines: Iterable[Changed]) -> _Elsewhere:
        known = list(lines)
        exact = frozenset((one.path, one.function, one.bare) for one in known)
        return cls(exact, frozenset((one.path, one.bare) for one in known))

    def has(self, line: Changed) -> bool:
        """Whether one of them says the same in the same function, as far as the functions are known."""
        if not line.function:
            return (line.path, line.bare) in self.anywhere
        return any((line.path, function, line.bare) in self.exact for function in (line.function, ""))


def _by_function(patches: Sequence[Patch], paired: Collection[int]) -> tuple[_Lines, _Elsewhere]:
    """What the ``paired`` patches change as a whole, by path and function, and the lines of the others.

    A line that a later patch removes again was not added.
    """
    places: _Lines = {}
    added: dict[tuple[str, str], list[Changed]] = {}
    again: set[int] = set()
    stands: dict[int, int] = {}
    lines: list[Changed] = []
    for patch in patches:
        here = changed_lines(patch.diff, patch.number)[: _MOST_LINES - len(lines)]
        lines += here
        for changed in here if patch.number in paired else ():
            key = (changed.path, changed.bare[1:])
            if changed.line.startswith("+"):
                added.setdefault(key, []).append(changed)
            elif (earlier := _removed(changed, added.get(key, ()), stands)) is not None:
                added[key].remove(earlier)
                again.add(id(earlier))
                continue
            places.setdefault((changed.path, changed.function), []).append(changed)
        _move(stands, (one for some in added.values() for one in some), patch)
    others = _Elsewhere.of(changed for changed in lines if changed.patch not in paired)
    return {place: [one for one in some if id(one) not in again] for place, some in places.items()}, others


def _move(stands: dict[int, int], added: Iterable[Changed], patch: Patch) -> None:
    """Note by identity where each line that was added stands after ``patch``."""
    hunks: dict[str, list[list[tuple[int | None, int | None]]]] = {}
    for hunk in hunks_of(patch.diff):
        numbers = [(line.old, line.new) for line in hunk.lines]
        hunks.setdefault(hunk.new_path or hunk.old_path or "", []).append(numbers)
    for one in added:
        if one.patch == patch.number:
            stands[id(one)] = one.at
            continue
        at = moved = stands[id(one)]
        for numbers in hunks.get(one.path, ()):
            kept = [new for old, new in numbers if old == at and new is not None]
            if kept:
                moved = kept[0]
                break
            if max((old for old, _ in numbers if old is not None), default=0) < at:
                moved += sum((old is None) - (new is None) for old, new in numbers)
        stands[id(one)] = moved


def _removed(removed: Changed, added: Sequence[Changed], stands: Mapping[int, int]) -> Changed | None:
    """The line of an earlier patch that ``removed`` takes away: it stands there, or at least in that function."""
    earlier = [one for one in added if one.patch != removed.patch]
    there = [one for one in earlier if stands[id(one)] == removed.at]
    fitting = there or [
        one for one in earlier if one.function == removed.function or not (one.function and removed.function)
    ]
    return min(
        fitting, key=lambda one: (one.function != removed.function, abs(stands[id(one)] - removed.at)), default=None
    )


def _difference(old: Sequence[Changed], new: Sequence[Changed], gone: _Elsewhere, added: _Elsewhere) -> Iterator[str]:
    """The lines by which the results differ: what is added no longer is gone, what is removed no longer is back."""
    texts = [one.bare for one in old], [one.bare for one in new]
    blocks = [("replace", 0, len(old), 0, len(new))]
    if max(len(old), len(new)) <= _MOST_ALIGNED:
        blocks = list(difflib.SequenceMatcher(None, *texts, autojunk=False).get_opcodes())
    blocks = [block for block in blocks if block[0] != "equal"]
    # Removed by both, though not in the same place among the lines that they change: that is no difference.
    twice = Counter(text for _, first, last, _, _ in blocks for text in texts[0][first:last] if text[0] == "-")
    twice &= Counter(text for *_, start, end in blocks for text in texts[1][start:end] if text[0] == "-")
    sides = ((old, added, twice.copy(), {"+": "-", "-": "+"}), (new, gone, twice, {"+": "+", "-": "-"}))
    for _, *at in blocks:
        moved = set(texts[0][at[0] : at[1]]) & set(texts[1][at[2] : at[3]])
        for (lines, elsewhere, both, signs), start, end in zip(sides, at[::2], at[1::2], strict=True):
            for one in lines[start:end]:
                if both[one.bare]:
                    both[one.bare] -= 1
                elif one.bare not in moved and not elsewhere.has(one) and not _REMARK.match(one.line):
                    yield signs[one.line[0]] + one.line[1:]


def patch_changes(before: Sequence[Patch], now: Sequence[Patch]) -> tuple[PatchChange, ...]:
    """What became of each patch: found again by its content, its subject, or by being much like it."""
    old, new = ({patch.number: _Seen.of(patch) for patch in some[:_MOST_PATCHES]} for some in (before, now))
    pairs: dict[int, int] = {}
    for alike in (_Seen.same_content, _Seen.same_subject, _Seen.is_like):
        for number, patch in new.items():
            free = [one for one in old if one not in pairs.values()]
            found = next((one for one in free if alike(patch, old[one])), None)
            if number not in pairs and found is not None:
                pairs[number] = found
    told = [
        PatchChange(
            pairs.get(patch.number),
            patch.number,
            patch.subject,
            patch.number in pairs and old[pairs[patch.number]].content == new[patch.number].content,
        )
        for patch in now
    ]
    gone = [PatchChange(patch.number, None, patch.subject) for patch in before if patch.number not in pairs.values()]
    return (*told, *gone)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is compared of a patch."""

    subject: str
    content: str
    lines: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, patch: Patch) -> _Seen:
        lines = changed_lines(patch.diff)
        return cls(patch.subject.lower(), _digest(lines), frozenset((one.path, one.bare) for one in lines))

    def same_content(self, other: _Seen) -> bool:
        return self.content == other.content

    def same_subject(self, other: _Seen) -> bool:
        return self.subject == other.subject

    def is_like(self, other: _Seen) -> bool:
        return _HALF * len(self.lines & other.lines) > max(len(self.lines), len(other.lines))
