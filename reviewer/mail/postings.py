# SPDX-License-Identifier: GPL-2.0-or-later
"""Which mails of a thread were sent together as one revision of a series.

b4 sorts by revision alone and gives each number one place, so a second ``[PATCH]`` in the same thread pushes patches
of the first off their places, and two series of one mailbox become one. Here mails belong together if they hang
under the same mail and count to the same total.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from reviewer.mail.interdiff import content_id
from reviewer.mail.thread import RawMessage, Thread

_CHANGE_ID = re.compile(r"^change-id:[ \t]+(\S+)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Posting:
    """One sending of one revision. ``order`` is the place of its first mail in the thread.

    ``carried`` are the numbers of patches taken over from the revision before, where only some were sent again.
    """

    revision: int
    total: int
    patches: Mapping[int, RawMessage]
    cover: RawMessage | None
    order: int
    component: int
    carried: tuple[int, ...] = ()

    @property
    def members(self) -> tuple[RawMessage, ...]:
        """Cover letter and patches, in order."""
        covers = (self.cover,) if self.cover else ()
        return (*covers, *(self.patches[number] for number in sorted(self.patches)))

    @property
    def first(self) -> RawMessage:
        """The mail that stands for the whole: the cover letter, else the first patch there is."""
        return self.members[0]

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of which there is no patch."""
        return tuple(number for number in range(1, self.total + 1) if number not in self.patches)

    @property
    def title(self) -> str:
        """The title of the series; covers are sent without a subject, too."""
        return next((message.title for message in self.members if message.title), "")

    @property
    def sender(self) -> str:
        """Address of who sent it, lower case."""
        sent = next((patch.sender for patch in self.members if patch.sender), None)
        return sent.email.lower() if sent else ""

    @property
    def is_resend(self) -> bool:
        """Whether a subject says that this was sent before."""
        words = {word.lower() for message in self.members for word in message.prefixes}
        return bool(words & {"resend", "repost"})

    @cached_property
    def change_id(self) -> str | None:
        """What b4 and other tools keep the same in all revisions of a series."""
        about = (message.message.body for message in (self.cover, self.patches.get(1)) if message is not None)
        return next((found[1] for found in map(_CHANGE_ID.search, about) if found), None)

    @cached_property
    def titles(self) -> frozenset[str]:
        """The titles of its patches, lower case."""
        return frozenset(message.title.lower() for message in self.patches.values() if message.title)

    @cached_property
    def contents(self) -> frozenset[str]:
        """The ``content_id`` of each patch."""
        return frozenset(content_id(message.raw) for message in self.patches.values())


def components(thread: Thread) -> dict[int, int]:
    """For each message (by its place) the place of the first one that it is connected with by references."""
    leader = list(range(len(thread.messages)))

    def find(at: int) -> int:
        while leader[at] != at:
            leader[at] = leader[leader[at]]
            at = leader[at]
        return at

    owner: dict[str, int] = {}
    for place, message in enumerate(thread.messages):
        for one in (message.message_id, *message.parents):
            if one:
                other = find(owner.setdefault(one, place))
                mine = find(place)
                leader[max(other, mine)] = min(other, mine)
    return {place: find(place) for place in range(len(thread.messages))}


def postings_of(thread: Thread) -> tuple[Posting, ...]:
    """Every revision that was sent in this thread, in the order of the thread."""
    patches = [message for message in thread.messages if message.is_patch or message.is_cover]
    if any(message.is_marked for message in patches):  # then what is not marked is a bot's word, not a patch
        patches = [message for message in patches if message.is_marked]
    loose = [message for message in patches if not message.numbered]
    if thread.ordered and len(loose) > 1 and not _is_one_patch(loose):
        return _as_given(patches)
    place = {id(message): at for at, message in enumerate(thread.messages)}
    connected = components(thread)
    groups: dict[object, list[Posting]] = {}
    for message in patches:
        root = _root(thread, message) if message.numbered else message
        single = _single(message, root, place[id(message)], connected[place[id(message)]])
        key: object = (id(root), single.total) if message.numbered else id(message)
        _put(groups.setdefault(key, []), single)
    merged: list[Posting] = []
    for posting in sorted((one for group in groups.values() for one in group), key=lambda one: one.order):
        _put(merged, posting, strangers=True)
    full = [one for one in merged if one.patches or one.total]
    whole: list[Posting] = []
    for one in sorted(full, key=lambda posting: posting.revision):
        whole.append(_reconstituted(thread, one, whole))
    return tuple(sorted(whole, key=lambda posting: posting.order))


def _single(message: RawMessage, root: RawMessage, order: int, component: int) -> Posting:
    cover = root if root is not message and not root.is_patch else None
    # Authors forget the version in some of the subjects; the mail that a patch was sent under then has it.
    named = next((one for one in (message, root) if one.revision_given), message)
    if message.is_cover:
        return Posting(named.revision, message.total, {}, message, order, component)
    total = message.total if message.numbered else 1
    return Posting(named.revision, total, {message.number: message}, cover, order, component)


def _root(thread: Thread, message: RawMessage) -> RawMessage:
    """The mail that a numbered patch was sent under: its cover letter, the first patch, or itself."""
    at = message
    for above in list(thread.ancestors(message))[1:]:
        kin = above.numbered and (above.is_patch or above.is_cover) and above.total == at.total
        if kin and above.number < at.number and _same_revision(thread, above, at):
            at = above
            continue
        naked = not above.numbered and not above.has_diff and not above.reply
        if at.number and naked and (above.has_diffstat or _starts_thread_of(above, message)):
            return above
        break
    return at


def _same_revision(thread: Thread, above: RawMessage, at: RawMessage) -> bool:
    if above.revision == at.revision or not at.revision_given:
        return True
    if above.revision_given:
        return False
    # "[PATCH v2 1/3]" under "[PATCH 0/3]": a forgotten version, unless the cover letter has patches like itself.
    return not any(
        other.is_patch and other.total == above.total and not other.revision_given and thread.parent(other) is above
        for other in thread.messages
    )


def _starts_thread_of(above: RawMessage, message: RawMessage) -> bool:
    same = above.sender is not None and message.sender is not None and above.sender.email == message.sender.email
    return not above.parents and same


def _put(group: list[Posting], one: Posting, *, strangers: bool = False) -> None:
    """Add a posting to the first of the group that it completes, else as another one."""
    for at, other in enumerate(group if one.total > 1 or not strangers else ()):
        if _completes(other, one, strangers):
            group[at] = replace(
                other,
                patches={**other.patches, **one.patches},
                cover=other.cover or one.cover,
                order=min(other.order, one.order),
            )
            return
    group.append(one)


def _completes(one: Posting, other: Posting, strangers: bool) -> bool:
    if (one.total, one.revision) != (other.total, other.revision) or set(one.patches) & set(other.patches):
        return False
    if one.cover and other.cover and one.cover is not other.cover:
        return False
    if not strangers:
        return True
    mailed = one.first.message_id and other.first.message_id
    loose = not any(message.parents for posting in (one, other) for message in posting.members)
    return (one.sender == other.sender or not mailed) and (one.component == other.component or loose)


def related(one: Posting, other: Posting) -> bool:
    """Whether two postings are revisions of one series, as far as sender, titles, patches and thread tell."""
    if one.change_id and other.change_id:
        return one.change_id == other.change_id
    same_title = bool(one.title) and one.title.lower() == other.title.lower()
    if one.component == other.component:
        return one.sender == other.sender or same_title
    if one.sender != other.sender:
        return False
    if same_title:
        return True
    # Series that build upon each other are sent with patches in common, too, but not as revisions.
    again = one.is_resend or other.is_resend or one.revision != other.revision
    return again and (_mostly(one.titles, other.titles) or _mostly(one.contents, other.contents))


def _mostly(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether the smaller of two sets is in the other one for the most part."""
    return bool(some and others) and 2 * len(some & others) > min(len(some), len(others))


def revisions_of(start: Posting, all_of_them: Sequence[Posting]) -> list[Posting]:
    """All postings of the series that ``start`` is one of: what is related to it, directly or by way of others."""
    found = [start]
    for known in found:
        found += [one for one in all_of_them if all(one is not other for other in found) and related(known, one)]
    return [one for one in all_of_them if any(one is other for other in found)]


def _is_one_patch(loose: Sequence[RawMessage]) -> bool:
    """Whether patches without a number are revisions of one, or one sent again, rather than a series."""
    titles = [message.title.lower() for message in loose]
    return len({message.revision for message in loose}) > 1 or len(set(titles)) < len(titles)


def _as_given(patches: Iterable[RawMessage]) -> tuple[Posting, ...]:
    """Patch files without numbers are one series in the order in which they were named."""
    chosen = [message for message in patches if not message.is_cover]
    cover = next((message for message in patches if message.is_cover), None)
    numbered = dict(enumerate(chosen, 1))
    revision = max(message.revision for message in chosen)
    return (Posting(revision, len(numbered), numbered, cover, 0, 0),)


def _reconstituted(thread: Thread, posting: Posting, all_of_them: list[Posting]) -> Posting:
    """A revision of which only some patches were sent, each as an answer to its predecessor, filled up from there.

    The rule is b4's for a partial re-roll.
    """
    if posting.revision < 2 or posting.cover or not posting.missing:
        return posting
    earlier = [
        one
        for one in all_of_them
        if one.revision == posting.revision - 1 and one.total == posting.total and one.component == posting.component
    ]
    for before in earlier:
        answers = all(
            number in before.patches and before.patches[number] in list(thread.ancestors(patch))[1:]
            for number, patch in posting.patches.items()
        )
        if answers:
            carried = tuple(sorted(set(before.patches) - set(posting.patches)))
            return replace(posting, patches={**before.patches, **posting.patches}, cover=before.cover, carried=carried)
    return posting
