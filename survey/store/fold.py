"""What is current, derived from what happened by a pure function of the *set* of revisions.

Order of arrival, clocks and row numbers play no part, so that every store that holds the same revisions derives the
same rows, byte for byte.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from survey.store.header import CONTACT, CONTENT_KINDS, DECISION_KINDS, ERASED, ISSUED, Header


class Revision(NamedTuple):
    """One input of the fold: a header, and its ``document`` where the subject has one and it is here."""

    header: Header
    document: Mapping[str, Any] | None = None


class Interview(NamedTuple):
    """An interview as it stands. ``head`` is empty when there are several ``heads`` (a conflict)."""

    interview: str
    unit: str
    questionnaire_hash: str
    state: str
    head: str
    heads: tuple[str, ...]
    kind: str
    decisions: tuple[str, ...]
    opposed: bool
    actor: str
    device: str
    time: str
    unknown_parents: tuple[str, ...]


class Document(NamedTuple):
    """A unit, round, questionnaire, person, device or visit as it stands.

    With several ``heads`` the one that most revisions led to is shown until a person issues the next.
    """

    subject_type: str
    subject: str
    state: str
    head: str
    heads: tuple[str, ...]
    round: str
    unit: str
    assignee: str


class Feed(NamedTuple):
    """What is held of one feed: how many revisions, which numbers, and the last one's id. ``forked`` are the numbers
    that are held twice, or that the entry held next does not continue: a disk was cloned."""

    revisions: int = 0
    held: tuple[tuple[int, int], ...] = ()
    forked: tuple[int, ...] = ()
    head: str = ""


@dataclass
class State:
    """Everything derived from a set of revisions."""

    interviews: dict[str, Interview] = field(default_factory=dict)
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    erased: set[tuple[str, str]] = field(default_factory=set)
    erased_contact: set[tuple[str, str]] = field(default_factory=set)
    feeds: dict[tuple[str, str], Feed] = field(default_factory=dict)


def fold(revisions: Iterable[Revision]) -> State:
    """The whole derived state of a set of revisions (each id once)."""
    state = State()
    subjects: dict[tuple[str, str], list[Revision]] = defaultdict(list)
    feeds: dict[tuple[str, str], list[Header]] = defaultdict(list)
    for revision in revisions:
        header = revision.header
        subjects[header.subject_type, header.subject].append(revision)
        feeds[header.device, header.epoch].append(header)
    for (subject_type, subject), own in subjects.items():
        if is_erased(own):
            state.erased.add((subject_type, subject))
        if is_contact_erased(own):
            state.erased_contact.add((subject_type, subject))
        if subject_type == "interview":
            state.interviews[subject] = fold_interview(subject, own)
        else:
            state.documents[subject_type, subject] = fold_document(subject_type, subject, own)
    for name, headers in feeds.items():
        links = [(header.seq, header.id, header.prev) for header in headers]
        state.feeds[name] = extend_feed(Feed(), [link[:2] for link in links], breaks(links))
    return state


def is_erased(revisions: Iterable[Revision]) -> bool:
    """Whether one subject's revisions contain its erasure."""
    return any(revision.header.kind == ERASED and revision.header.target != CONTACT for revision in revisions)


def is_contact_erased(revisions: Iterable[Revision]) -> bool:
    """Whether one subject's revisions contain the erasure of its contact data alone."""
    return any(revision.header.kind == ERASED and revision.header.target == CONTACT for revision in revisions)


def fold_interview(interview: str, revisions: Iterable[Revision]) -> Interview:
    """One interview's state from all its revisions."""
    revisions = list(revisions)
    headers = [revision.header for revision in revisions]
    if len(headers) == 1 and headers[0].kind in CONTENT_KINDS:
        # What follows, for the many of which one content is all there is.
        return _alone(interview, headers[0])
    content = {header.id: header for header in headers if header.kind in CONTENT_KINDS}
    heads = _heads(content)
    named = {parent for header in content.values() for parent in header.parents}
    if len(heads) == 1:
        standing = _standing(heads[0], headers)
        kinds = {header.kind for header in standing}
        state = kinds.pop() if len(kinds) == 1 else ("partial" if content[heads[0]].kind == "partial" else "sealed")
        # ``kinds`` lost its only member above: what is left in it are decisions that contradict each other.
        opposed = bool(kinds)
    else:
        standing, opposed, state = [], False, "conflict"
    if is_erased(revisions):
        state = "erased"
    elif not heads:
        # Decisions that came before the content they decide on.
        state = "partial"
    shown = content[heads[0]] if heads else None
    return Interview(
        interview,
        shown.target if shown else "",
        shown.questionnaire_hash if shown else "",
        state,
        heads[0] if len(heads) == 1 else "",
        heads,
        shown.kind if shown else "",
        tuple(sorted(header.id for header in standing)),
        opposed,
        shown.actor if shown else "",
        shown.device if shown else "",
        shown.time if shown else "",
        tuple(sorted(named - content.keys())),
    )


def _alone(interview: str, header: Header) -> Interview:
    return Interview(
        interview,
        header.target,
        header.questionnaire_hash,
        "partial" if header.kind == "partial" else "sealed",
        header.id,
        (header.id,),
        header.kind,
        (),
        False,
        header.actor,
        header.device,
        header.time,
        tuple(sorted(set(header.parents))),
    )


def fold_document(subject_type: str, subject: str, revisions: Iterable[Revision]) -> Document:
    """One document's state from all its revisions."""
    revisions = list(revisions)
    issued = {revision.header.id: revision for revision in revisions if revision.header.kind == ISSUED}
    headers = {id: revision.header for id, revision in issued.items()}
    heads = _heads(headers)
    head = max(heads, key=lambda id: (_depth(id, headers), id), default="")
    document = (issued[head].document if head else None) or {}
    return Document(
        subject_type,
        subject,
        "erased" if is_erased(revisions) else "current",
        head,
        heads,
        _text(document.get("round")),
        _text(document.get("unit")),
        _text(document.get("assignee")),
    )


def breaks(links: Iterable[tuple[int, str, str]]) -> set[int]:
    """The numbers whose entry is not the one that an entry with the next number names as its ``prev``, where both are
    held. ``links`` are (seq, id, prev)."""
    ids: dict[int, set[str]] = defaultdict(set)
    named: dict[int, set[str]] = defaultdict(set)
    for seq, id, prev in links:
        ids[seq].add(id)
        named[seq - 1].add(prev)
    return {seq for seq in ids.keys() & named.keys() if not named[seq] <= ids[seq]}


def extend_feed(feed: Feed, entries: Iterable[tuple[int, str]], broken: Iterable[int] = ()) -> Feed:
    """``feed`` with further (seq, id) entries, and the :func:`breaks` that they made or are part of; the result depends
    on the set of entries alone."""
    held, forked = list(feed.held), {*feed.forked, *broken}
    count, head, last = feed.revisions, feed.head, feed.held[-1][1] if feed.held else 0
    for seq, id in sorted(entries):
        count += 1
        if held and held[-1][1] == seq - 1:
            held[-1] = (held[-1][0], seq)
        elif not _add(held, seq):
            forked.add(seq)
        if seq > last or (seq == last and id < head):
            last, head = seq, id
    return Feed(count, tuple(held), tuple(sorted(forked)), head)


def _add(held: list[tuple[int, int]], seq: int) -> bool:
    """Adds a number to sorted ranges; False when it was there."""
    place = len(held)
    while place and held[place - 1][0] > seq:
        place -= 1
    first = last = seq
    if place and held[place - 1][1] >= seq - 1:
        if held[place - 1][1] >= seq:
            return False
        place -= 1
        first = held.pop(place)[0]
    if place < len(held) and held[place][0] == seq + 1:
        last = held.pop(place)[1]
    held.insert(place, (first, last))
    return True


def _heads(content: Mapping[str, Header]) -> tuple[str, ...]:
    """The contents that no other content builds on, sorted."""
    built_on = {parent for header in content.values() for parent in header.parents}
    return tuple(sorted(content.keys() - built_on))


def _standing(head: str, headers: Iterable[Header]) -> list[Header]:
    """The decisions on ``head`` that no other decision on it replaces. Comments decide nothing."""
    decisions = [header for header in headers if header.kind in DECISION_KINDS and header.target == head]
    replaced = {parent for header in decisions for parent in header.parents}
    return [header for header in decisions if header.kind != "commented" and header.id not in replaced]


def _depth(id: str, headers: Mapping[str, Header]) -> int:
    """How many revisions led to ``id``, itself included."""
    seen: set[str] = set()
    stack = [id]
    while stack:
        current = stack.pop()
        if current in headers and current not in seen:
            seen.add(current)
            stack.extend(headers[current].parents)
    return len(seen)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
