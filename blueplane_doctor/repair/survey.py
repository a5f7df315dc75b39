"""What one walk through the stream tells a repair: messages that may need it, and the keys of all unfinished ones.

It takes the pages that the ledger judges anyway, so a plan costs one examination. No I/O, and no content is kept.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from blueplane_doctor.custody.copies import MARK, original_of
from blueplane_doctor.custody.held import PendingByGroup
from blueplane_doctor.custody.judge import JudgedPage
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.poison import poison_reason
from blueplane_doctor.custody.states import (
    HAS_ROW,
    LOST,
    PAYLOAD_GONE,
    SKIPPED,
    STUCK,
    STUCK_DELIVERIES,
    UNFINISHED,
    WRITTEN_NOT_ACKNOWLEDGED,
    PendingEntry,
)
from blueplane_doctor.privacy.public_text import event_type, platform
from blueplane_doctor.repair.plan import Holding, RowKey, origins_of
from blueplane_doctor.sources.entry_ids import EntryId, id_text
from blueplane_doctor.sources.trace_tables import Lookup
from blueplane_doctor.text.characters import Public

_ALWAYS = frozenset((STUCK, LOST, WRITTEN_NOT_ACKNOWLEDGED))
"""States of messages that a repair looks at, whoever holds them."""
_MOST_KEYS = 200_000
"""Keys of unfinished messages that are remembered, which bounds memory."""
_MOST_CANDIDATES = 50_000


@dataclass(frozen=True)
class Candidate:
    """A message that may need repair."""

    id: EntryId
    state: str
    group: str
    """The writer group that has to write it; empty: by design none."""
    keys: tuple[RowKey, ...]
    held: dict[str, PendingEntry]
    """Its entries in the pending entries lists of writer groups that have held it too long or too often."""
    problem: str
    """What in it makes its writer fail; empty: nothing that is known."""
    origins: tuple[str, ...]
    """Where it comes from, if it is itself a copy of an earlier repair."""
    event_type: Public
    platform: Public
    times: frozenset[int | None] = frozenset()
    """The times that its own row may have, in milliseconds since 1970; None where one cannot be told."""

    @property
    def text_id(self) -> Public:
        """Its ID as Redis writes it."""
        return id_text(self.id)

    @property
    def names(self) -> set[str]:
        """All that it may be asked for by: its ID, and the values of its keys."""
        names = {str(self.text_id)}
        for key in self.keys:
            names.update(key.values)
        return names

    def holdings(self, now_ms: int) -> tuple[Holding, ...]:
        """Its pending entries as a plan keeps them."""
        entries = []
        for group, entry in sorted(self.held.items()):
            entries.append(
                Holding(
                    group=group,
                    consumer=entry.consumer.decode("latin-1"),
                    delivered_ms=now_ms - entry.idle_ms,
                    deliveries=entry.deliveries,
                )
            )
        return tuple(entries)


@dataclass
class Survey:
    """What was seen of all messages."""

    candidates: list[Candidate] = field(default_factory=list)
    """In the order of the stream."""
    unfinished: dict[Lookup, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The IDs of unfinished messages by the keys of their rows."""
    positions: list[tuple[EntryId, int]] = field(default_factory=list)
    """Each unfinished message, and how many stand before it in the stream."""
    examined: int = 0
    copied: set[str] = field(default_factory=set)
    """The IDs of messages that an earlier repair has made a copy of, which stands for them."""
    overflow: str = ""
    """Why not everything could be remembered."""
    retrying: set[tuple[str, bytes]] = field(default_factory=set)
    """Consumers, each with its group, that try again what they hold."""

    def take(self, page: JudgedPage) -> None:
        """Look at one judged page."""
        for place, message in enumerate(page.messages):
            self._take_message(page, place, message)
        self.examined += len(page.messages)
        if any(page.pending.values()):
            self._take_gone(page)

    def _take_message(self, page: JudgedPage, place: int, message: Message) -> None:
        state = page.states[place]
        route = page.routes[place]
        if MARK in message.fields:
            self.copied.add(original_of(message))
        is_unfinished = state in UNFINISHED
        held = _held_too_long(message.id, page.pending)
        is_left_over = bool(held) and (state in HAS_ROW or state == SKIPPED)
        if not is_unfinished and not is_left_over and state not in _ALWAYS:
            return
        lookups = route.lookups(message) if route else []
        if is_unfinished:
            self.positions.append((message.id, self.examined + place))
            self._remember_keys(message.id, lookups)
        if state not in _ALWAYS and not is_left_over:
            return
        if len(self.candidates) >= _MOST_CANDIDATES:
            self.overflow = f"more than {_MOST_CANDIDATES:,} messages need repair"
            return
        for group, entry in held.items():
            if entry.deliveries >= STUCK_DELIVERIES:
                self.retrying.add((group, entry.consumer))
        self.candidates.append(_candidate(message, state, route.group if route else "", lookups, held))

    def _take_gone(self, page: JudgedPage) -> None:
        """Remember what is pending up to the end of this page and not in it: it left the stream."""
        here = {message.id for message in page.messages}
        pending: set[EntryId] = set()
        for entries in page.pending.values():
            pending.update(entries)
        for identity in sorted(pending - here):
            held = _held_too_long(identity, page.pending)
            # More of them are left to the next plan: unlike messages, they have no key that others could have.
            if held and len(self.candidates) < _MOST_CANDIDATES:
                self.candidates.append(_gone_candidate(identity, held))

    def _remember_keys(self, identity: EntryId, lookups: Iterable[Lookup]) -> None:
        if len(self.unfinished) >= _MOST_KEYS:
            self.overflow = f"more than {_MOST_KEYS:,} messages are unfinished"
            return
        for lookup in lookups:
            self.unfinished[lookup].append(id_text(identity))

    def used(self, saved: frozenset[str]) -> int:
        """Messages from the oldest unfinished one on, without those with these IDs, which a repair has saved."""
        for identity, before in self.positions:
            if id_text(identity) not in saved:
                return self.examined - before
        return 0


def _held_too_long(identity: EntryId, pending: PendingByGroup) -> dict[str, PendingEntry]:
    held = {}
    for group, entries in pending.items():
        entry = entries.get(identity)
        if entry is not None and entry.stuck:
            held[group] = entry
    return held


def _gone_candidate(identity: EntryId, held: dict[str, PendingEntry]) -> Candidate:
    """A pending entry whose message is gone; which group had to write it is not known, so the first stands for all."""
    return Candidate(
        id=identity,
        state=PAYLOAD_GONE,
        group=next(iter(held)),
        keys=(),
        held=held,
        problem="",
        origins=(),
        event_type=event_type(None),
        platform=platform(None),
    )


def _candidate(
    message: Message, state: str, group: str, lookups: list[Lookup], held: dict[str, PendingEntry]
) -> Candidate:
    return Candidate(
        id=message.id,
        state=state,
        group=group,
        keys=RowKey.all_of(lookups),
        held=held,
        problem=message.malformed() or poison_reason(message),
        origins=tuple(origins_of(list(message.fields.items()))),
        event_type=event_type(message.fields.get(b"event_type") or message.fields.get(b"hook_type")),
        platform=platform(message.fields.get(b"platform")),
        times=frozenset(message.times()),
    )
