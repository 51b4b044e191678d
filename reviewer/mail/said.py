# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a point was made already: by a reply in the thread, or by the author below the ``---`` of the patch."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from reviewer.mail.exchanges import exchanges, place_of
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
_REASSURES = re.compile(
    r"(?<![\w-])(?:safe|fine|harmless|okay|deliberate\w*|intentional\w*|on purpose|not an? (?:problem|issue)"
    r"|no problem)\b"
)
_DENIES = re.compile(r"(?:\b(?:not|never|neither|nor|no longer|hardly)|n't)\s+(?:\w+\s+)?(?:safe|fine|harmless|okay)\b")
_DIFFSTAT = re.compile(r"^ .*\|\s+(?:\d+|Bin)|^ \d+ files? changed")
# A comment is about the lines right above it, and says what it is about at its beginning.
_NEAR = 12
_BEGINNING = 6


def said_in_reply(
    finding: Finding, line: str, replies: Iterable[Message], *, around: Collection[str] = ()
) -> Message | None:
    """The reply that quotes this line of the diff and then speaks of the call, the function or the rule.

    A reply that quotes a line from ``around`` it makes the point too, where it names the lock and speaks of the rule.
    """
    for reply in replies:
        for exchange in exchanges(reply.body):
            quoted, comment = exchange.quoted[-_NEAR:], "\n".join(exchange.comment[:_BEGINNING]).lower()
            if _speaks_of(finding, comment) and place_of(quoted, line) is not None:
                return reply
            nearby = _names_lock(finding, comment) and _speaks_of_rule(finding, comment)
            if nearby and any(place_of(quoted, one) is not None for one in around):
                return reply
    return None


def answered_by_author(finding: Finding, message: Message) -> bool:
    """Whether the notes between ``---`` and the diff argue about the call or function and the rule."""
    for paragraph in re.split(r"\n\s*\n", _notes(message.body)):
        text = paragraph.lower()
        named = any(_has_word(text, name) for name in _names(finding))
        if named and _ARGUES.search(paragraph) and _speaks_of_rule(finding, text):
            return True
    return False


def explained_by_author(finding: Finding, description: str) -> bool:
    """Whether a sentence of the commit message says that just this is meant or harmless.

    A commit message tells what was wrong, too, in the same words: it has to name the thing, the rule and say so.
    """
    for text in re.split(r"(?<=[.!?;])\s+|\n\s*\n", description.lower()):
        named = any(_has_word(text, name) for name in _names(finding) | _objects(finding))
        reassures = _REASSURES.search(text) and not _DENIES.search(text)
        if named and reassures and _speaks_of_rule(finding, text):
            return True
    return False


def _speaks_of(finding: Finding, comment: str) -> bool:
    return any(_has_word(comment, name) for name in _names(finding)) or _speaks_of_rule(finding, comment)


def _speaks_of_rule(finding: Finding, text: str) -> bool:
    return any(stem in text for stem in _key_words(finding.check))


def _names_lock(finding: Finding, comment: str) -> bool:
    return any(_has_word(comment, name) for name in _objects(finding))


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _objects(finding: Finding) -> frozenset[str]:
    """What a finding names besides functions, types and constants: ``vmcore_mutex``, ``bell->lock``; lower case."""
    texts = [finding.message, *(step.text for step in finding.witness)]
    words = [word for text in texts for word in re.findall(r"[A-Za-z_][\w.>-]*\w(?!\w|\s*\()", text)]
    named = {word for word in words if re.search(r"_|->|\w\.\w", word) and not word.isupper()}
    return frozenset(
        word.lower()
        for word in named
        if not word.endswith("_t") and (words.count(word) > 1 or any(f"&{word}" in text for text in texts))
    )


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


def names_subject_of(finding: Finding, text: str) -> bool:
    """Whether a text in lower case speaks of what the check's rule is about: the first telling word of its name."""
    words = [word for word in finding.check.split("-")[1:] if word not in _IDLE and len(word) > 2]
    return any(stem in text for word in words[:1] for stem in _STEMS.get(word, (word,)))


def _notes(body: str) -> str:
    """What the author wrote between ``---`` and the diff, without the diffstat."""
    match = re.search(r"^---[ \t]*\n(.*?)(?=^diff --git |^--- \S|^Index: |\Z)", body, re.M | re.S)
    if not match:
        return ""
    return "\n".join(line for line in match.group(1).split("\n") if not _DIFFSTAT.match(line))
