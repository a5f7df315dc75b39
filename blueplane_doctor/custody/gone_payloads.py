"""Pending entries whose message has left the stream: what they were for can be read nowhere."""

from blueplane_doctor.connection.base import Command
from blueplane_doctor.custody.held import PendingByGroup
from blueplane_doctor.custody.judge import CustodyJudge
from blueplane_doctor.custody.ledger import ChainBreak, Ledger
from blueplane_doctor.custody.states import PAYLOAD_GONE, PendingEntry
from blueplane_doctor.sources.dead_letters import DeadLetterReader
from blueplane_doctor.sources.entry_ids import EntryId, id_text
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.text.times import iso_of_milliseconds

_ASKED_AT_ONCE = 200
"""Commands of one round trip."""


class GonePayloads:
    """Counts them in a ledger."""

    def __init__(
        self, redis: RedisSource, queue: str, judge: CustodyJudge, dead_letters: DeadLetterReader, ledger: Ledger
    ) -> None:
        self._redis = redis
        self._queue = queue
        self._writers = judge.writers
        self._dead_letters = dead_letters
        self._ledger = ledger

    def count(self, pending: PendingByGroup, here: frozenset[EntryId] = frozenset()) -> None:
        """Count these pending entries, but for those whose message is `here`. Raises SourceError.

        A message counts once, whoever holds it.
        """
        groups: dict[EntryId, list[str]] = {}
        gone: list[tuple[str, PendingEntry]] = []
        for name, entries in pending.items():
            missing = [identity for identity in entries if identity not in here]
            for identity in self._still_pending(name, missing):
                if identity not in groups:
                    gone.append((name, entries[identity]))
                groups.setdefault(identity, []).append(name)
        self._ledger.held.lose(gone)
        for identity, names in sorted(groups.items()):
            self._ledger.payload_gone += 1
            self._ledger.payload_gone_of_one += self._is_done_elsewhere(identity, names)
            if self._ledger.keeps_more_breaks:
                self._ledger.breaks.append(self._break(identity, names))
            self._ledger.note_break(identity[0])

    def _is_done_elsewhere(self, identity: EntryId, holders: list[str]) -> bool:
        """Whether a writer group that does not hold it was given it. Whose it was, its entry no longer tells."""
        others = [group for name, group in self._writers.items() if name not in holders]
        return any(identity <= group.last_delivered for group in others)

    def _break(self, identity: EntryId, groups: list[str]) -> ChainBreak:
        text = id_text(identity)
        reason = "trimmed or deleted while it was pending"
        if self._dead_letters.index.names(text.encode(), None):
            reason += "; a dead letter names it"
        return ChainBreak(
            kind=PAYLOAD_GONE,
            id=text,
            event_id=None,
            enqueued_at=iso_of_milliseconds(identity[0]),
            route=None,
            group=", ".join(groups),
            event_type="unknown",
            reason=reason,
        )

    def _still_pending(self, name: str, identities: list[EntryId]) -> list[EntryId]:
        """Those that are pending even now. Others were acknowledged first, and trimmed while the doctor read."""
        still: list[EntryId] = []
        for start in range(0, len(identities), _ASKED_AT_ONCE):
            part = identities[start : start + _ASKED_AT_ONCE]
            texts = [id_text(identity) for identity in part]
            commands: list[Command] = []
            for text in texts:
                commands.append(("XPENDING", self._queue, name, text, text, 1))
            for identity, reply in zip(part, self._redis.ask_all(commands), strict=True):
                if reply:
                    still.append(identity)
        return still
