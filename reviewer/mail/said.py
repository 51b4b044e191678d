# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a point was made already: by a reply in the thread, or by the author below the ``---`` of the patch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reviewer.model import Finding, Message

# What people write when they mean a word of a check's name.
_STEMS = {
    "alloc": ("alloc", "gfp"),
    "free": ("free",),
    "gfp": ("gfp",),
    "blocking": ("gfp", "sleep", "can block", "may block", "blocking"),
    "atomic": ("atomic", "sleep"),
    "sleep": ("sleep", "schedul", "can block", "may block", "blocking"),
    "drop": ("drop", "releas", "unlocked"),
    "retake": ("retak", "reacquir", "re-acquir", "relock"),
    "recheck": ("recheck", "re-check", "stale", "lookup", "duplicate", "race"),
    "raw": ("raw",),
    "spinlock": ("spinlock", "spin_lock", "spin lock"),
    "hardirq": ("irq", "interrupt"),
    "irq": ("irq", "interrupt"),
    "irqs": ("irq", "interrupt"),
    "preempt": ("preempt",),
    "reader": ("read-side", "read side", "reader"),
    "rcu": ("rcu",),
    "srcu": ("srcu",),
    "eqs": ("eqs", "quiescent", "watching"),
    "imbalance": ("imbalance", "unbalance", "leak", "unlock"),
    "unlock": ("unlock", "leak"),
    "order": ("order", "abba", "inversion", "deadlock"),
}
_IDLE = frozenset({"in", "under", "no", "not", "of", "the", "and", "to", "lock", "rt", "kvm", "entry", "enabled", "on"})
# Words that argue. A changelog says that something changed; an answer says why it may be so.
_ARGUES = re.compile(
    r"\b(?:because|since|safe|fine|okay|ok|never|always|cannot|can't|guarantee\w*|deliberate\w*|intentional\w*"
    r"|not a problem|no problem|harmless|aware)\b",
    re.I,
)
_DIFFSTAT = re.compile(r"^ .*\|\s+(?:\d+|Bin)|^ \d+ files? changed")
_TRIVIAL = 8
# A comment is about the lines right above it, and says what it is about at its beginning.
_NEAR = 12
_BEGINNING = 6


def said_in_reply(finding: Finding, line: str, replies: Iterable[Message]) -> bool:
    """Whether a reply quotes this line of the diff and then speaks of the call, the function or the rule."""
    wanted = _bare(line)
    if len(wanted) < _TRIVIAL:
        return False
    for reply in replies:
        for quoted, comment in _exchanges(reply.body):
            if any(_bare(one) == wanted for one in quoted) and _speaks_of(finding, comment):
                return True
    return False


def answered_by_author(finding: Finding, message: Message) -> bool:
    """Whether the notes between ``---`` and the diff argue about the call or function and the rule."""
    for paragraph in re.split(r"\n\s*\n", _notes(message.body)):
        text = paragraph.lower()
        named = any(re.search(rf"\b{re.escape(name)}\b", text) for name in _names(finding))
        if named and _ARGUES.search(paragraph) and any(stem in text for stem in _key_words(finding.check)):
            return True
    return False


def _bare(line: str) -> str:
    """A line of a diff without its sign and white space, so that mailers that mangle blanks do not matter."""
    return "".join(line.lstrip("+-").split())


def _exchanges(body: str) -> Iterator[tuple[list[str], str]]:
    """The last quoted lines above a comment and the beginning of the comment, for each comment of a reply."""
    quoted: list[str] = []
    comment: list[str] = []
    for line in [*body.split("\n"), "--"]:
        ends = line.rstrip() == "--"
        if (line.startswith(">") or ends) and comment:
            yield quoted[-_NEAR:], "\n".join(comment[:_BEGINNING])
            quoted, comment = [], []
        if ends:
            return
        if line.startswith(">"):
            quoted.append(re.sub(r"^(?:>[ ]?)+", "", line))
        elif line.strip() and quoted:
            comment.append(line)


def _speaks_of(finding: Finding, comment: str) -> bool:
    text = comment.lower()
    if any(re.search(rf"\b{re.escape(name)}\b", text) for name in _names(finding)):
        return True
    return any(stem in text for stem in _key_words(finding.check))


def _names(finding: Finding) -> frozenset[str]:
    return frozenset(name.lower() for name in (finding.function, callee(finding)) if len(name) > 2)


def callee(finding: Finding) -> str:
    """The call that a finding is about: of the last step of its chain, else the first one that the question names."""
    texts = [finding.witness[-1].text] if finding.witness else []
    for text in (*texts, finding.question, finding.message):
        match = re.search(r"([A-Za-z_]\w*)\s*\(", text)
        if match:
            return match.group(1)
    return ""


def _key_words(check: str) -> frozenset[str]:
    """What a comment about a check's rule would contain, in lower case."""
    words = [word for word in check.split("-")[1:] if word not in _IDLE and len(word) > 2]
    return frozenset(stem for word in words for stem in _STEMS.get(word, (word,)))


def _notes(body: str) -> str:
    """What the author wrote between ``---`` and the diff, without the diffstat."""
    match = re.search(r"^---[ \t]*\n(.*?)(?=^diff --git |^--- \S|^Index: |\Z)", body, re.M | re.S)
    if not match:
        return ""
    return "\n".join(line for line in match.group(1).split("\n") if not _DIFFSTAT.match(line))
