# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines that a reply says itself: filled paragraphs, call chains, two columns, quoted rules.

No line made here can be taken for anything but prose. b4 harvests ``Word: value`` lines from a reply, indented or not,
into the author's commit; mbox files break at ``From ``; bots obey lines that begin with ``#``; a line of dashes ends a
commit message. Lines that would look like one of these are wrapped elsewhere or altered.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from reviewer.errors import DraftError
from reviewer.model import Citation, Step

WIDTH = 75
_WIDE = 80  # for chains and columns, which are not wrapped as prose is
SIGNATURE = "-- "

_INDENT = 4
_MARK_GAP = 6
_COLUMN_GAP = 3
_MOST_FRAMES = 9
_MOST_ROWS = 8
# What b4 0.16 takes for a trailer (LoreMessage.find_trailers).
_TRAILER = re.compile(r"^\s*(\w\S+):\s+(\S.*)")
_COMMAND = re.compile(r"^(?:From |#\w|>|-{2,}|\+{2,}|diff |@@|Index:|/\w+$)")
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\(")
_CODE = re.compile(r"(?:[\w&*.\->\[\]]+\s*(?:=(?!=)|\()|(?:return|if|while|goto)\b|\w*(?:->|_)[\w.\->]*$)")
_CONJUNCTIONS = frozenset({"so", "and", "but", "or", "then", "therefore", "thus"})
_CLAUSE_END = re.compile(r"(?:[,;:]|--|-|\.)$")


def plain(text: str) -> str:
    """One line of text without control and formatting characters, white space folded."""
    kept = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)
    kept = "".join(letter for letter in kept if unicodedata.category(letter) not in ("Cf", "Cs"))
    return " ".join(kept.split())


def is_dangerous(line: str) -> bool:
    """Whether a program would take an unquoted line for a trailer, a patch, a command or the start of a mail."""
    return bool(_TRAILER.match(line) or _COMMAND.match(line))


def harmless(line: str) -> str:
    """A preformatted line, altered where it would be dangerous."""
    if _TRAILER.match(line):
        line = re.sub(r"^(\s*\w\S+):\s+", r"\1:", line)
    if _COMMAND.match(line):
        line = " " + line
    return line


def fill(text: str, *, indent: str = "", width: int = WIDTH) -> list[str]:
    """A paragraph as lines of at most ``width`` columns, wrapped so that none of them is dangerous."""
    text = plain(text)
    lines: list[str] = []
    for columns in range(width, width - 20, -1):
        lines = textwrap.wrap(
            text,
            columns,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if not any(is_dangerous(line) for line in lines):
            return lines
    return [harmless(line) for line in lines]


def sentence(text: str) -> str:
    """Text that ends as a sentence does."""
    text = plain(text)
    return text if not text or re.search(r"[.?!:][\"')\]]*$", text) else text + "."


def on_preempt_rt(question: str) -> str:
    """The question, with PREEMPT_RT named at its beginning unless its first sentence names it."""
    question = plain(question)
    first = re.split(r"(?<=[.?!])\s", question, maxsplit=1)[0]
    if "PREEMPT_RT" in first:
        return question
    word = question.split(" ", 1)[0]
    ordinary = re.fullmatch(r"[A-Z][a-z']*[,]?", word) and word != "I"
    return "On PREEMPT_RT, " + (question[:1].lower() + question[1:] if ordinary else question)


def chain(witness: Sequence[Step], most: int = _MOST_FRAMES) -> list[str]:
    """A call chain, outermost first, each call two columns further in; ``<-`` marks say where the context begins.

    A step's text is either code, which gets a line of its own, or a remark on the function or line, which becomes the
    mark. The function of a step is named unless the line above has just called it.
    """
    rows: list[tuple[int, str, str]] = []
    named: str | None = None
    depth = -1
    place: tuple[str, int] | None = None
    for step in witness:
        function = plain(step.function)
        code, mark = _parted(step, function)
        if function and function != named:
            depth += 1
            if rows and rows[-1][0] == depth and _called(rows[-1][1]) == function:
                rows[-1] = (depth, f"{function}()", rows[-1][2])
            elif rows and rows[-1][0] == depth and _names(rows[-1][1], function):
                rows[-1] = (depth, f"{rows[-1][1]} -> {function}()", rows[-1][2])
            else:
                rows.append((depth, f"{function}()", ""))
            named, place = function, None
        if code:
            rows.append((depth + 1, code, mark))
        elif mark and rows and (place is None or place == (step.path, step.line)):
            rows[-1] = (*rows[-1][:2], mark)
        elif mark:
            rows.append((depth + 1, f"({mark})", ""))
        place = (step.path, step.line)
    return _drawn(rows, most)


def _parted(step: Step, function: str) -> tuple[str, str]:
    """A step's text as code and remark."""
    text, _, mark = plain(step.text).partition("<-")
    text, mark = text.strip().rstrip(";").strip(), mark.strip()
    if _called(text) == function and re.fullmatch(r"\w+\s*\([^()]*\)", text):
        text = ""
    if text and not _CODE.match(text):
        return "", mark or text
    return text, mark


def _names(code: str, function: str) -> bool:
    """Whether ``code`` is a call through a pointer to ``function``, which is named after the member."""
    return code == f"{_called(code)}()" and function.endswith(f"_{_called(code)}")


def _called(code: str) -> str:
    match = _CALL.search(code)
    return match.group(1) if match else ""


def _drawn(rows: list[tuple[int, str, str]], most: int) -> list[str]:
    if len(rows) > most:
        rows = [*rows[: most // 2], (rows[most // 2][0], "...", ""), *rows[len(rows) - (most - most // 2 - 1) :]]
    texts = [" " * (_INDENT + 2 * min(depth, 12)) + _short(code, WIDTH - _INDENT - 24) for depth, code, _ in rows]
    column = max((len(text) for text, row in zip(texts, rows, strict=True) if row[2]), default=0)
    room = _WIDE - column - max((len(mark) for _, _, mark in rows), default=0) - len("<- ")
    gap = max(2, min(_MARK_GAP, room))
    return [
        harmless((f"{text:<{column + gap}}<- {mark}" if mark else text).rstrip())
        for text, (_, _, mark) in zip(texts, rows, strict=True)
    ]


def _short(code: str, room: int) -> str:
    """A call that fits: with its arguments left out where they are long."""
    name = _called(code)
    return code if len(code) <= room or not name else f"{name}(...)"


def columns(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Two sides that race, side by side, in the order in which they happen."""
    pairs = [(plain(left), plain(right)) for left, right in pairs][:_MOST_ROWS]
    room = _WIDE - _INDENT - _COLUMN_GAP
    left_width = min(room // 2, max((len(left) for left, _ in pairs), default=0))
    right_width = room - left_width
    lines = []
    for left, right in pairs:
        cells = textwrap.wrap(left, left_width or 1), textwrap.wrap(right, right_width)
        for at in range(max(map(len, cells))):
            first, second = (cell[at] if at < len(cell) else "" for cell in cells)
            lines.append(harmless((" " * _INDENT + f"{first:<{left_width + _COLUMN_GAP}}{second}").rstrip()))
    return lines


def citation(rule: Citation) -> list[str]:
    """Where the tree states the rule, and its sentence in quotation marks on at most two lines."""
    section = plain(rule.section)
    if rule.path.endswith((".rst", ".txt")) or section.startswith("DOC:"):
        where = f', "{section}"' if section else ""
    elif section in ("", "file scope"):
        where = ""
    else:
        where = f", {section}" + ("()" if re.fullmatch(r"(?:in )?[a-z_]\w*", section) else "")
    return [*fill(f"{plain(rule.path)}{where}:"), "", *_quoted_rule(plain(rule.quote), plain(rule.anchor))]


def _quoted_rule(text: str, anchor: str) -> list[str]:
    """The sentence on two lines: whole, else the longest run of clauses with the anchor in it that fits."""

    def lines(excerpt: str) -> list[str]:
        return fill(f'"{excerpt}"', indent="  ")

    if len(lines(text)) <= 2:
        return lines(text)
    words = text.split()
    start, end = _anchored(words, anchor.split())
    for opens, closes in (_clauses(words), (lambda _: True, lambda _: True)):
        spans = [
            (first, last)
            for first in range(start + 1)
            if first == 0 or opens(first)
            for last in range(end, len(words) + 1)
            if last == len(words) or closes(last)
        ]
        for first, last in sorted(spans, key=lambda span: span[0] - span[1]):
            excerpt = (
                ("[...] " if first else "") + " ".join(words[first:last]) + (" [...]" if last < len(words) else "")
            )
            if len(lines(excerpt)) <= 2:
                return lines(excerpt)
    return lines(text)[:2]


def _clauses(words: Sequence[str]) -> tuple[Callable[[int], bool], Callable[[int], bool]]:
    """Whether a clause may begin at a word, and whether one may end before it."""

    def ends(at: int) -> bool:
        return bool(_CLAUSE_END.search(words[at - 1]))

    def begins(at: int) -> bool:
        return ends(at) or (at > 1 and words[at - 1] in _CONJUNCTIONS and ends(at - 1))

    return begins, ends


def _anchored(words: Sequence[str], anchor: Sequence[str]) -> tuple[int, int]:
    """First and last+1 word of the anchor; the sentence's first words where it is not among them."""
    joined = " ".join(words)
    at = joined.find(" ".join(anchor)) if anchor else -1
    if at < 0:
        return 0, 1
    first = joined.count(" ", 0, at)
    return first, first + joined.count(" ", at, at + len(" ".join(anchor))) + 1


def conditions(path: str, arch: str | None, config: Sequence[str]) -> str:
    """Where a chain exists at all, as in ``on x86, with CONFIG_KVM_GUEST``; empty for everywhere."""
    words = []
    if arch and not path.startswith(f"arch/{arch}/"):
        words.append(f"on {plain(arch)}")
    names = [plain(name) for name in config]
    wanted = [name for name in names if not name.startswith("!")]
    unwanted = [name[1:] for name in names if name.startswith("!")]
    if wanted:
        words.append("with " + " and ".join(wanted))
    if unwanted:
        words.append("without " + " and ".join(unwanted))
    return ", ".join(words)


def check_body(body: str) -> None:
    """Refuse a body that a program could misread; DraftError names the line.

    Above the signature no unquoted line may look like a trailer, a patch, a command or the start of a mail, and
    nothing is quoted after the last line of prose.
    """
    text, separator, signature = body.rpartition(f"\n{SIGNATURE}\n")
    if not separator or len(signature.splitlines()) != 1:
        raise DraftError("tried to write a reply: it has no signature of one line below '-- '; this is a fault here")
    last = ""
    for line in text.split("\n"):
        _check_line(line)
        last = line or last
    if last.startswith(">"):
        raise DraftError("tried to write a reply: something is quoted after the last comment; this is a fault here")


def _check_line(line: str) -> None:
    quoted = line.startswith("> ")
    if "\r" in line or "\0" in line or len(line.encode("utf-8", "surrogateescape")) > 998:
        raise DraftError(f"tried to write a reply: mail cannot carry the line {line[:60]!r}; nothing was written")
    if not quoted and (is_dangerous(line) or line.rstrip() == "--"):
        raise DraftError(
            f"tried to write a reply: b4 or another program would act on the line {line[:60]!r}; nothing was written"
        )


def own_lines(body: str) -> Iterator[str]:
    """The lines of a body that are not quoted, down to the signature."""
    for line in body.split("\n"):
        if line == SIGNATURE:
            return
        if not line.startswith(">") and line != "[ ... ]":
            yield line
