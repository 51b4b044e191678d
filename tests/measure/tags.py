# SPDX-License-Identifier: GPL-2.0-or-later
"""What universal ctags takes for functions, compared with what the parser does.

ctags does not preprocess either and is wrong at times; where the text shows why the two differ, the reason is counted.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reviewer.source.brackets import closing
from reviewer.source.parse import ParsedFile, parse
from reviewer.source.preprocess import blank_comments_and_strings

Tag = tuple[str, int]

_OPTIONS: Final = (
    "--options=NONE --languages=C --langmap=C:.c --c-kinds=f --fields=n --excmd=number --sort=no -f - -L -"
).split()
_MADE: Final = "the name never stands before a bracket: a macro makes it"
_HEADER: Final = 500
_HEADER_LINES: Final = 5
# Attributes and directives; what else stands between begins something new.
_BODY: Final = re.compile(
    rb"(?:\s++|^[ \t]*+#[ \t]*+el(?:.|\n)*?^[ \t]*+#[ \t]*+endif.*$|^[ \t]*+#.*$"
    rb"|__\w++(?:[ \t]*+\([^()]*\))?+|noinline\w*+)*+\{",
    re.MULTILINE,
)


@dataclass(slots=True)
class Comparison:
    """``lost`` are functions that only ctags sees, ``extra`` those that only the parser sees, both unexplained."""

    lost: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Comparison) -> None:
        """Take ``other`` in."""
        self.lost += other.lost
        self.extra += other.extra
        self.reasons.update(other.reasons)


def functions_of_ctags(ctags: str, paths: Sequence[Path]) -> dict[str, tuple[Tag, ...]]:
    """Name and 1-based line of the functions that ctags finds, by file. Raises OSError, CalledProcessError."""
    if not paths:
        return {}
    done = subprocess.run(
        [ctags, *_OPTIONS],
        input="".join(f"{path}\n" for path in paths).encode(),
        check=True,
        capture_output=True,
    )
    found: dict[str, list[Tag]] = {}
    for line in done.stdout.decode("latin-1").splitlines():
        if line.startswith("!"):
            continue
        name, path, number = line.split("\t")[:3]
        found.setdefault(path, []).append((name, int(number.removesuffix(';"'))))
    return {path: tuple(tags) for path, tags in found.items()}


def _before_bracket(text: bytes) -> Counter[str]:
    return Counter(name.decode("latin-1") for name in re.findall(rb"\b([A-Za-z_]\w*)\s*\(", text))


def compare(parsed: ParsedFile, text: bytes, tags: Iterable[Tag]) -> Comparison:
    """Compare the functions of one file, by name."""
    compared = Comparison()
    ours = {extent.name for extent in parsed.extents}
    theirs = dict(tags)
    if ours == theirs.keys():
        return compared
    plain = blank_comments_and_strings(text)
    named = _before_bracket(plain)
    for name, line in theirs.items():
        if name not in ours:
            reason = _why_lost(parsed, plain, name, line) if name in named else _MADE
            if reason is None:
                compared.lost.append(f"{parsed.path}:{line}: {name}")
            else:
                compared.reasons["only ctags: " + reason] += 1
    for extent in parsed.extents:
        if extent.name not in theirs:
            reason = _why_extra(plain, extent.name, extent.line) if extent.name in named else _MADE
            if reason is None:
                compared.extra.append(f"{parsed.path}:{extent.line}: {extent.name}")
            else:
                compared.reasons["only the parser: " + reason] += 1
    return compared


def _names_here(parsed: ParsedFile, line: int) -> set[str]:
    return {extent.name for extent in parsed.extents if extent.line <= line <= extent.line + _HEADER_LINES}


def _why_lost(parsed: ParsedFile, plain: bytes, name: str, line: int) -> str | None:
    if _has_initialiser(plain, name, line):
        return "an initialiser follows its bracket: a macro call that defines a variable"
    if not _has_body(plain, name, line):
        return "no body follows its bracket: a macro call before something else"
    if not parsed.is_dead(line):
        return "a macro makes the header: the parser names it otherwise" if _names_here(parsed, line) else None
    if _names_here(parse(parsed.path, plain, frozenset((line,))), line):
        return "in an arm of #if that is read when a patch changes it"
    return None


def _why_extra(plain: bytes, name: str, line: int) -> str | None:
    if _header(plain, name, line) is None:
        return _MADE
    if _has_body(plain, name, line):
        return "a bracket and a body follow its name all the same"
    return None


def _header(plain: bytes, name: str, line: int) -> re.Match[bytes] | None:
    start = 0
    for _ in range(line - 1):
        start = plain.find(b"\n", start) + 1
    return re.compile(rb"\b" + name.encode("latin-1") + rb"[ \t\n]*(?=\()").search(
        plain, start, min(start + _HEADER, plain.find(b"{", start) % len(plain))
    )


def _has_initialiser(plain: bytes, name: str, line: int) -> bool:
    match = _header(plain, name, line)
    close = closing(plain, match.end()) if match is not None else -1
    return close > 0 and re.compile(rb"\s*\{\s*\.\w+\s*=").match(plain, close) is not None


def _has_body(plain: bytes, name: str, line: int) -> bool:
    """Whether ``name (...) {`` stands at the 1-based ``line`` or soon after; words may stand between."""
    match = _header(plain, name, line)
    close = closing(plain, match.end()) if match is not None else -1
    return close > 0 and _BODY.match(plain, close) is not None
