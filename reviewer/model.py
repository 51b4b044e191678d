# SPDX-License-Identifier: GPL-2.0-or-later
"""What the steps of a review hand to each other: frozen dataclasses without behaviour.

Lines are 1-based. Message-ids carry no angle brackets. Paths are relative to the top of the kernel tree, with ``/``.
Object ids are full hexadecimal git object names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Change(StrEnum):
    """How a finding relates to the patch it was found in."""

    INTRODUCED = "introduced"
    EXPOSED = "exposed"
    FIXED = "fixed"
    PRE_EXISTING = "pre-existing"


class Severity(StrEnum):
    """How sure and how bad: a bug, a question to the author, a matter of style."""

    BUG = "bug"
    QUESTION = "question"
    NIT = "nit"


class Kernels(StrEnum):
    """The kernels on which a finding holds."""

    ALL = "all"
    PREEMPT_RT = "PREEMPT_RT"


class Applied(StrEnum):
    """Whether a patch could be applied to the base."""

    YES = "yes"
    THREE_WAY = "three-way"
    NO = "no"


class FailureKind(StrEnum):
    """Why git refused a patch."""

    MISSING_FILE = "does not exist"
    CONTEXT = "context differs"
    CORRUPT = "corrupt"
    ALREADY_APPLIED = "already applied"


class ThreadKind(StrEnum):
    """What a mail thread turned out to hold."""

    SERIES = "series"
    PULL_REQUEST = "pull request"
    DISCUSSION = "discussion"


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox: display name (may be empty) and address."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Trailer:
    """One ``Name: value`` line of a commit message or reply."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Message:
    """One mail of a thread.

    ``author`` is the person who wrote it: for relayed mail the one named by ``X-Original-From`` or by the From line of
    the body. ``date`` is the Date header as it stands in the mail. ``body`` is decoded text with LF line ends.
    """

    message_id: str
    subject: str
    author: Address
    date: str
    body: str
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    trailers: tuple[Trailer, ...] = ()


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch of a series, from mail (``message``) or from a commit (``commit``).

    ``subject`` is the commit's subject, without ``[PATCH ...]``. ``diff`` is the patch text from the first
    ``diff --git`` (or ``---``) line on, in the bytes that git is to apply.
    """

    number: int
    subject: str
    diff: bytes
    description: str = ""
    message: Message | None = None
    commit: str | None = None
    trailers: tuple[Trailer, ...] = ()
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Attestation:
    """What b4 said about a patch's signatures, shown and never required."""

    number: int
    passing: bool
    summary: str


@dataclass(frozen=True, slots=True)
class Series:
    """The patches of one revision, with what belongs to them in the thread.

    ``missing`` holds the numbers between 1 and ``total`` for which no patch was found. ``newer`` is the highest later
    revision seen in the thread, with the message-id of one of its mails. ``notes`` are true sentences about the
    thread that the user should read (incomplete, a pull request, a diff in a reply). ``earlier`` are the revisions that
    were sent before and are at hand, oldest first, each with the replies to it alone; the same revision where this one
    was sent again.
    """

    kind: ThreadKind
    message_id: str | None
    subject: str
    revision: int
    author: Address | None
    patches: tuple[Patch, ...]
    total: int = 0
    cover: Message | None = None
    replies: tuple[Message, ...] = ()
    missing: tuple[int, ...] = ()
    newer: tuple[int, str] | None = None
    base_commit: str | None = None
    change_id: str | None = None
    prerequisites: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    notes: tuple[str, ...] = ()
    earlier: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class Base:
    """The commit that a series is judged on, and why it was chosen. ``commit`` is never abbreviated."""

    commit: str
    reason: str


@dataclass(frozen=True, slots=True)
class ApplyFailure:
    """The first place at which a patch did not apply; ``line`` is None where git names none."""

    kind: FailureKind
    path: str
    line: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class AppliedPatch:
    """One patch and the trees before and after it.

    Where ``applied`` is NO, ``after`` equals ``before`` and ``failures`` says why.
    ``paths`` are the (old path, new path) pairs the patch touches; None stands for a created or deleted side.
    """

    patch: Patch
    applied: Applied
    before: str
    after: str
    paths: tuple[tuple[str | None, str | None], ...]
    failures: tuple[ApplyFailure, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One frame of a call chain: what happens at ``path:line`` inside ``function``."""

    path: str
    line: int
    function: str
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A rule in the kernel's own words: ``quote`` is the sentence as it stands in ``commit``, white space folded.

    ``line`` is where the quotation begins. ``anchor`` are the words in it that state the rule, for a reader who has
    room for a part of the sentence only.
    """

    path: str
    section: str
    line: int
    quote: str
    commit: str
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the kernel states a rule: a short ``anchor`` inside ``path``, preferably in ``section``.

    ``section`` is the heading of a document, or for C the kernel-doc name, ``comment above X``, ``in function X`` or
    ``file scope``; empty means any.
    """

    path: str
    anchor: str
    section: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    path: str
    line: int


class Where(StrEnum):
    """Where a point was made or answered before."""

    REPLY = "reply"
    NOTES = "notes"
    COMMIT_MESSAGE = "commit message"


@dataclass(frozen=True, slots=True)
class Raised:
    """That a point was made already: who wrote so, in which mail. ``author`` says that it is the patch's author."""

    by: Address
    message_id: str
    where: Where
    author: bool


@dataclass(frozen=True, slots=True)
class Precedent:
    """A commit of the user's history: its full id and its subject."""

    commit: str
    subject: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check has to say about a patch.

    ``line`` is one of the post-image (of the pre-image where ``change`` is FIXED). ``cause`` is the line of the patch
    that brought an exposed finding. ``witness`` leads from the outermost known frame to the offending call.
    ``message`` is one sentence for reports. ``question`` is the sentence a reviewer would write under the line;
    ``consequence`` says what is known to break where the tree states no rule. ``context_frames`` is how many leading
    frames of ``witness`` are callers. ``before`` says what was so before the patch, where that matters to the author.
    ``other_places`` is from how many other places the same line is reached in a context that is wrong for it.
    ``identities`` tell for each of these places what another version of the file has in common with this one: check,
    path, function, subject, offending call, text of its line.
    ``sources`` are where the kernel states this very thing, before those of the check.
    ``raised`` is set where somebody made the point, or the author answered it, before. ``since`` is the first of the
    earlier revisions in a row, up to this one, that have it; None where the one before has not or is not at hand.
    ``claim`` is what the patch says that it fixes where this is just that, and still there; else empty.
    ``precedent`` is an earlier commit that fixed the same kind of defect nearby.
    """

    check: str
    area: str
    severity: Severity
    kernels: Kernels
    change: Change
    path: str
    line: int
    function: str
    message: str
    question: str = ""
    consequence: str = ""
    before: str = ""
    arch: str | None = None
    config: tuple[str, ...] = ()
    fixed_later: int | None = None
    cause: Place | None = None
    witness: tuple[Step, ...] = ()
    context_frames: int = 0
    interleaving: tuple[tuple[str, str], ...] = ()
    citations: tuple[Citation, ...] = ()
    other_places: int = 0
    identities: tuple[tuple[str, ...], ...] = ()
    sources: tuple[Source, ...] = ()
    raised: Raised | None = None
    since: int | None = None
    claim: str = ""
    precedent: Precedent | None = None


class World(StrEnum):
    """The kernels on which a context is as it is said to be: PREEMPT_RT or not."""

    BOTH = "all"
    RT = "PREEMPT_RT"
    NOT_RT = "not PREEMPT_RT"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One word of the context of a line: the short name of a held lock, ``irq-``, ``pre-``, ``rcu``, ``EQS``.

    ``meaning`` says it in full. Without ``always`` it is so on some of the ways to the line, or not for certain.
    """

    text: str
    meaning: str
    world: World = World.BOTH
    always: bool = True


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a hunk. ``kind`` is a space, ``+``, ``-``, or ``\\`` for a remark of git.

    ``old`` and ``new`` are its lines in the two trees, None where it is in one alone. ``marks`` are the context in
    which it runs, for a removed line that before the patch; ``known`` is false where there is none to tell. ``was`` are
    the marks that the line had before the patch, None where they are the same.
    """

    kind: str
    old: int | None
    new: int | None
    text: str
    known: bool = False
    marks: tuple[Mark, ...] = ()
    was: tuple[Mark, ...] | None = None


@dataclass(frozen=True, slots=True)
class DiffHunk:
    """A hunk with its ``@@`` line."""

    head: str
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True)
class DiffFile:
    """The changes of a patch to one file: git's lines above the hunks, and the hunks. ``path`` is the new one."""

    path: str
    head: tuple[str, ...]
    hunks: tuple[DiffHunk, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """Something wrong with a ``trailer`` of a patch, as it stands in the message, and the rule about such trailers."""

    trailer: str
    message: str
    severity: Severity
    citation: Citation | None = None


@dataclass(frozen=True, slots=True)
class LockOrder:
    """A function that the patch shows takes ``taken`` while ``held`` is held: there ``path:line`` calls what takes it.

    ``brought`` tells that a line added by the patch takes one of the two.
    """

    held: str
    taken: str
    function: str
    path: str
    line: int
    brought: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of a file as they stand in the tree after a patch, or before it with ``old``, around ``line``.

    ``first`` is the number of the first of ``rows``.
    """

    path: str
    line: int
    old: bool
    first: int
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatchReview:
    """What was found in one patch. ``reason`` says why it was not applied, or that three-way was needed.

    ``shifts`` tells for each hunk of the diff, in order, how far its lines stand in the pre-image and the post-image
    from where the diff says: patches apply at offsets, and the lines of findings are those of the tree.
    ``diff`` is the patch with the context of each line, where that was asked for, ``orders`` the orders in which the
    functions in it take locks; ``excerpts`` show the frames of the witnesses, where a page is made of the review.
    ``claims`` is what is wrong with its trailers. ``in_tree`` holds where it was not applied because the tree has it.
    """

    number: int
    subject: str
    message_id: str | None
    commit: str | None
    applied: Applied
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    shifts: tuple[tuple[int, int], ...] = ()
    diff: tuple[DiffFile, ...] = ()
    orders: tuple[LockOrder, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    claims: tuple[Claim, ...] = ()
    in_tree: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be done, and in which step."""

    stage: str
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class IgnoreEntry:
    """A line of an ignore file. ``until`` is an ISO date or empty, an empty ``function`` means all of the file.

    ``file`` is ``.reviewer/ignore`` for that of the tree, else the path of the user's.
    """

    file: str
    line: int
    check: str
    path: str
    function: str
    until: str
    reason: str


@dataclass(frozen=True, slots=True)
class Silenced:
    """A finding that is not told, the number of its patch (None in an audit), and the entry that silences it."""

    patch: int | None
    finding: Finding
    entry: IgnoreEntry


@dataclass(frozen=True, slots=True)
class Suppression:
    """What the ignore files did: findings ``silenced``, and entries that are ``unused`` or ``expired``."""

    silenced: tuple[Silenced, ...] = ()
    unused: tuple[IgnoreEntry, ...] = ()
    expired: tuple[IgnoreEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class PatchChange:
    """What became of a patch: its numbers in the earlier revision and now, None where it is not in one of them."""

    before: int | None
    now: int | None
    subject: str
    same: bool = False


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """How a series changes a function otherwise than the earlier revision did; an empty name is outside of functions.

    ``lines`` are those of the interdiff, with their sign.
    """

    path: str
    function: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """A review comment on a line of an earlier revision that the series still changes in the same way.

    ``before`` and ``now`` are the numbers of the patches, ``line`` is the patch's with its sign, ``text`` the beginning
    of the comment. ``answer`` is the message-id of the author's reply to it. ``function_changed`` says that the series
    changes the function otherwise than it did.
    """

    by: Address
    message_id: str
    before: int
    now: int
    path: str
    function: str
    line: str
    text: str
    answer: str | None = None
    function_changed: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """The series against an earlier revision.

    ``whole`` says that all patches of the earlier revision were there and applied, so that a finding that it does not
    have is new. ``gone`` are its findings that the series does not have any more; None where that cannot be told.
    """

    revision: int
    message_id: str | None
    whole: bool
    patches: tuple[PatchChange, ...]
    functions: tuple[FunctionChange, ...]
    remarks: tuple[Remark, ...] = ()
    gone: tuple[Finding, ...] | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """The whole answer: what ``report`` shows and ``mail.draft`` turns into mails.

    ``comparisons`` are with the earlier revisions of the series, the latest first.
    """

    series: Series | None
    base: Base | None
    patches: tuple[PatchReview, ...]
    errors: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default=())
    suppression: Suppression = Suppression()
    comparisons: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """What is found in files as they stand in ``commit``: ``files`` of them with ``functions`` functions."""

    commit: str
    files: int
    functions: int
    findings: tuple[Finding, ...]
    errors: tuple[Problem, ...] = ()
    suppression: Suppression = Suppression()
    notes: tuple[str, ...] = ()
