# SPDX-License-Identifier: GPL-2.0-or-later
"""Finding a sentence in a kernel document or source file: where a few words stand, and under which heading.

Documents are reStructuredText as the kernel writes it, source files are C in the kernel's coding style (function bodies
open and close with a brace in the first column), anything else is taken as paragraphs. Positions are offsets into the
text, lines are 1-based.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from reviewer.sentences import (
    MAX_LINES,
    Line,
    comment_blocks,
    document_blocks,
    joined,
    number_at,
    pick,
    sentence_spans,
    text_indent,
    window,
)

# A place where text may be broken: white space, or a line break with its comment leader and continuation backslash.
# Possessive throughout: a file full of blanks must not cost time.
_LEADER = r"[ \t]*+(?:\*(?![*/\w])|//|\#(?=\s))?[ \t]*+"
_GAP = rf"(?:[ \t]*+\\?\r?\n{_LEADER}|[ \t]++)++"
_WRAP = rf"(?:[ \t]*+\\?\r?\n{_LEADER})*+"

_HEADING = re.compile(
    r"^(?:(?P<over>([!-/:-@\[-`{-~])\2{2,})[ \t]*\n)?(?P<title>[^\n]*\S)[ \t]*\n"
    r"(?P<under>([!-/:-@\[-`{-~])\5{2,})[ \t]*$",
    re.M,
)
_UNDERLINE = re.compile(r"([!-/:-@\[-`{-~])\1{2,}")
_LITERAL_DIRECTIVE = re.compile(r"\s*\.\. (?:code-block|code|sourcecode|parsed-literal)::")
_KERNEL_DOC_NAME = re.compile(
    r"(?:(?:struct|union|enum|typedef|define|macro|function)\s+)?(?P<name>[A-Za-z_]\w*)\s*(?:\([^)\n]*\))?\s*(?P<mark>--?|:)(?:\s|$)"
)
_NOT_A_NAME = frozenset({"if", "while", "for", "switch", "return", "sizeof", "typeof", "__printf", "__attribute__"})
_ATTRIBUTES = frozenset({"__section", "__aligned", "__alloc_size", "__cfi_sealed", "__nocfi", "__must_hold"})


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a text: its first and last line, and its words with white space folded and comment leaders gone."""

    first: int
    last: int
    text: str


class Text:
    """One file of the tree, as text. ``path`` decides how it is read."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self._text = data.decode("utf-8", errors="replace")

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self._text))]

    @property
    def is_document(self) -> bool:
        """Whether the file is reStructuredText (or plain text with its headings)."""
        return self.path.endswith((".rst", ".txt"))

    @property
    def is_c(self) -> bool:
        """Whether the file is C or assembly, with C comments."""
        return self.path.endswith((".c", ".h", ".S"))

    def find(self, anchor: str) -> Iterator[tuple[int, int]]:
        """Start and end offset of each place where ``anchor`` stands, white space and comment leaders aside."""
        words = [re.escape(word).replace(r"\-", rf"\-{_WRAP}") for word in anchor.split()]
        if not words:
            return
        for match in re.finditer(_GAP.join(words), self._text):
            yield match.span()

    def line_at(self, position: int) -> int:
        """The 1-based number of the line that holds an offset."""
        return bisect_right(self._starts, position)

    def _line(self, number: int) -> str:
        end = self._starts[number] if number < len(self._starts) else len(self._text)
        return self._text[self._starts[number - 1] : end].rstrip()

    def section_at(self, position: int) -> str:
        """The heading above an offset of a document; for C what the words belong to.

        For C that is a kernel-doc name, ``DOC: title``, ``comment above X``, ``in X`` for a function, ``struct X``,
        ``macro X`` or ``file scope``.
        """
        if self.is_document:
            index = bisect_right(self._heading_starts, position) - 1
            return self._headings[index][1] if index >= 0 else ""
        return self._c_section(position) if self.is_c else "file scope"

    def sections(self) -> frozenset[str]:
        """The headings of a document."""
        return frozenset(title for _, title in self._headings)

    @cached_property
    def _headings(self) -> list[tuple[int, str]]:
        found = []
        for match in _HEADING.finditer(self._text):
            over, title, under = match.group("over", "title", "under")
            if over is None:
                before = self._text[: match.start()].rstrip(" \t").rsplit("\n", 2)[-2:]
                preceded = match.start() > 0 and before[0].strip() and not before[0].lstrip().startswith("..")
                if title[0].isspace() or preceded or len(under) < min(len(title.strip()), 4):
                    continue
            if not any(letter.isalnum() for letter in title):
                continue
            found.append((match.start("title"), title.strip()))
        return found

    @cached_property
    def _heading_starts(self) -> list[int]:
        return [start for start, _ in self._headings]

    # --- C -----------------------------------------------------------------------------------------------------

    def _comment_around(self, position: int) -> tuple[int, int] | None:
        """Offsets of the ``/* */`` comment, or the run of ``//`` lines, around an offset."""
        start = self._text.rfind("/*", 0, position + 2)
        if start >= 0:
            end = self._text.find("*/", start + 2)
            if end < 0 or end + 2 > position:
                return start, len(self._text) if end < 0 else end + 2
        number = self.line_at(position)
        if not self._line(number).lstrip().startswith("//"):
            return None
        first = last = number
        while first > 1 and self._line(first - 1).lstrip().startswith("//"):
            first -= 1
        while last < len(self._starts) and self._line(last + 1).lstrip().startswith("//"):
            last += 1
        return self._starts[first - 1], self._starts[last - 1] + len(self._line(last))

    def _c_section(self, position: int) -> str:
        comment = self._comment_around(position)
        start = comment[0] if comment else position
        container = self._container(start)
        if container:
            return container
        macro = self._macro(start)
        if macro:
            return macro
        if comment is None:
            return "file scope"
        return self._comment_name(comment) or self._described(comment[1])

    def _macro(self, position: int) -> str:
        number = self.line_at(position)
        while number > 1 and self._line(number - 1).endswith("\\"):
            number -= 1
        match = re.match(r"\s*#\s*define\s+(\w+)", self._line(number))
        return f"macro {match.group(1)}" if match else ""

    def _container(self, position: int) -> str:
        """The function or type whose body holds an offset, by the braces in the first column."""
        end = self._starts[self.line_at(position) - 1]
        closing = max(self._text.rfind("\n}", 0, end), 0 if self._text.startswith("}") else -1)
        opening = -1
        for match in re.finditer(r"^(?:\{|(?![#/ \t*}])[^\n;]*\{)[ \t]*$", self._text[closing + 1 : end], re.M):
            opening = closing + 1 + match.start()
        if opening < 0:
            return ""
        header = self._header(opening)
        if re.search(r"=\s*\{?\s*$", header):
            return ""
        kind = re.match(r"(?:typedef\s+)?(struct|union|enum)\s+(\w+)[^(]*\{?\s*$", header)
        if kind:
            return f"{kind.group(1)} {kind.group(2)}"
        name = _declared(header)
        return f"in {name}" if name else ""

    def _header(self, opening: int) -> str:
        """The declaration in front of an opening brace: lines back to a blank, a finished statement or a comment."""
        number = self.line_at(opening)
        lines = [self._line(number)]
        while number > 1:
            number -= 1
            line = self._line(number)
            if not line.strip() or line.endswith((";", "}", "*/", ":", "\\")) or line.startswith("#"):
                break
            lines.insert(0, line)
        return " ".join(lines)

    def _comment_name(self, comment: tuple[int, int]) -> str:
        for line in self._comment_lines(comment):
            if not line.text:
                continue
            if line.text.startswith("DOC:"):
                return line.text
            match = _KERNEL_DOC_NAME.match(line.text)
            kernel_doc = self._text.startswith("/**", comment[0])
            return match.group("name") if match and (kernel_doc or match.group("mark") != ":") else ""
        return ""

    def _described(self, position: int) -> str:
        """``comment above X`` for the declaration that follows an offset, else ``file scope``."""
        rest = self._text[position : position + 4000]
        while True:
            rest = rest.lstrip()
            if rest.startswith("/*") and not rest.startswith("/**") and "*/" in rest:
                rest = rest[rest.index("*/") + 2 :]
                continue
            break
        define = re.match(r"#\s*define\s+(\w+)", rest)
        if define:
            return f"comment above {define.group(1)}"
        if rest.startswith(("#", "/")) or re.match(r"(?:struct|union|enum)\s+\w+\s*;", rest):
            return "file scope"
        name = _declared(re.split(r"[;{=]", rest, maxsplit=1)[0])
        return f"comment above {name}" if name else "file scope"

    def _comment_lines(self, comment: tuple[int, int]) -> list[Line]:
        first = self.line_at(comment[0])
        lines = []
        for offset, raw in enumerate(self._text[comment[0] : comment[1]].split("\n")):
            text = raw.expandtabs()
            if text.rstrip().endswith("*/"):
                text = text.rstrip()[:-2].rstrip()
            text = re.sub(r"^\s*(?:/\*\*?(?!\w)|\*(?![*/\w])|\*$|//+)", "", text)
            if "\\" in text:
                text = text.rstrip().removesuffix("\\")
            lines.append(Line(first + offset, len(text) - len(text.lstrip()), text.strip()))
        return lines

    # --- sentences ---------------------------------------------------------------------------------------------

    def passage(self, anchor: str, start: int, end: int) -> Passage | None:
        """The sentence around the words at ``start`` to ``end``, at most five lines; None where they span two pieces.

        In a comment it is the comment's sentence, in code the statement, in a literal block of a document the line.
        """
        block = self._block(start, end)
        if not block or self.line_at(end - 1) > block[-1].number:
            return None
        text, places = joined(block)
        pattern = r"\s+".join(re.escape(word).replace(r"\-", r"\-\s?") for word in anchor.split())
        hits = list(re.finditer(pattern, text))
        if not hits:
            return None
        wanted = self.line_at(start)
        hit = min(hits, key=lambda match: abs(number_at(places, match.start()) - wanted))
        spans = sentence_spans(text)
        begin = max((a for a, _ in spans if a <= hit.start()), default=0)
        stop = min((b for _, b in spans if b >= hit.end()), default=len(text))
        first, last = number_at(places, begin), number_at(places, stop - 1)
        if last - first >= MAX_LINES:
            begin, stop = window(places, (begin, stop), hit.span())
            first, last = number_at(places, begin), number_at(places, stop - 1)
        return Passage(first, last, " ".join(text[begin:stop].split()))

    def _block(self, start: int, end: int) -> list[Line]:
        """The lines of the paragraph, list item, comment paragraph or statement that holds an offset."""
        number = self.line_at(start)
        if self.is_c:
            comment = self._comment_around(start)
            if comment is None:
                return self._statement(number, self.line_at(end - 1))
            return pick(comment_blocks(self._comment_lines(comment)), number)
        first, last = self._paragraph(number)
        lines = [self._document_line(n) for n in range(first, last + 1)]
        lines = [line for line in lines if not _UNDERLINE.fullmatch(line.text) or line.number == number]
        if self.is_document and self._is_literal(first, lines[0].indent):
            comment = self._comment_around(start)
            if comment and self.line_at(comment[0]) >= first and self.line_at(comment[1] - 1) <= last:
                return pick(comment_blocks(self._comment_lines(comment)), number)
            return [line for line in lines if line.number == number]
        return pick(document_blocks(lines), number)

    def _document_line(self, number: int) -> Line:
        text = self._line(number).expandtabs()
        return Line(number, len(text) - len(text.lstrip()), text.strip())

    def _paragraph(self, number: int) -> tuple[int, int]:
        first = last = number
        while first > 1 and self._line(first - 1).strip():
            first -= 1
        while last < len(self._starts) and self._line(last + 1).strip():
            last += 1
        return first, last

    def _is_literal(self, first: int, indent: int) -> bool:
        """Whether the paragraph at a line is inside a ``::`` or code block: what introduces it stands less indented."""
        if indent == 0:
            return False
        number = first - 1
        while number >= 1:
            line = self._document_line(number)
            if line.text and line.indent < indent:
                code = _LITERAL_DIRECTIVE.match(line.text)
                if code or line.text.endswith("::"):
                    return True
                indent = text_indent(line)
                if line.indent == 0 or indent == 0:
                    return False
                indent = line.indent
            number -= 1
        return False

    def _statement(self, first: int, last: int) -> list[Line]:
        """The statement of C code on given lines: back to and on to a line that ends one."""
        ends = (";", "{", "}", ":", "*/")
        while first > 1 and last - first < MAX_LINES - 1:
            before = self._line(first - 1).rstrip("\\ \t")
            if not before.strip() or before.endswith(ends) or before.lstrip().startswith(("#", "//")):
                break
            first -= 1
        while last < len(self._starts) and last - first < MAX_LINES - 1:
            here = self._line(last).rstrip("\\ \t")
            if here.endswith(ends) or not self._line(last + 1).strip():
                break
            last += 1
        lines = [self._document_line(n) for n in range(first, last + 1)]
        return [Line(line.number, line.indent, line.text.removesuffix("\\").rstrip()) for line in lines]


def _declared(header: str) -> str:
    """The name that a C declaration introduces: what stands in front of the parameter list, else the last word."""
    for match in re.finditer(r"(\w+)\s*\(", header):
        if match.group(1) not in _NOT_A_NAME | _ATTRIBUTES:
            return match.group(1)
    aggregate = re.match(r"\s*(?:typedef\s+)?(?:struct|union|enum)\s+(\w+)\s*$", header)
    if aggregate:
        return aggregate.group(1)
    words = re.findall(r"[A-Za-z_]\w*", header.split("[", 1)[0])
    return words[-1] if words else ""
