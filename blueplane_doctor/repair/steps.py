"""What is done with items of a plan: each step of Redis delivers several messages, or does one other thing."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.examination import Examination
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.batches import Delivery, Numbered, steps_of
from blueplane_doctor.repair.following import Follower
from blueplane_doctor.repair.grouping import group_step
from blueplane_doctor.repair.journal import REFUSED, JournalEntry
from blueplane_doctor.repair.locking import LOCK_MS
from blueplane_doctor.repair.plan import Action, Fields, Item, Plan, RowKey, Source, marked
from blueplane_doctor.repair.replies import checked, checked_moves
from blueplane_doctor.repair.saved_messages import SavedMessages
from blueplane_doctor.repair.scripts import Move
from blueplane_doctor.repair.verifying import count_rows, has_row, rows_seen
from blueplane_doctor.sources.letter_errors import SET_ASIDE_FIELD
from blueplane_doctor.sources.trace_tables import RowFinder
from blueplane_doctor.text.times import from_milliseconds

DELIVERED = "delivered"
SET_ASIDE = "set aside"
ACKNOWLEDGED = "acknowledged"
REMOVED = "removed"
GROUPED = "put in place"
_READER_SECONDS = 0.002
"""Pause for groups that have to read up to the end of the stream; with all tries that is some seconds."""
_ALONE_SECONDS = 5.0
"""A writer reads once a second, and writes in milliseconds."""
_MOST_UNWRITTEN = 3
"""After so many in a row it is not these messages that hold up the writer."""
_NEWEST_LETTERS = 100
"""Where a letter of this plan is looked for: hardly any others come while it is applied."""
_TRIES = 1_000
"""Each takes a fraction of a millisecond, and fails where a message came in just then."""


class Steps:
    """What is done with single items."""

    def __init__(
        self,
        plan: Plan,
        examination: Examination,
        writing: Connection,
        token: str,
        follower: Follower,
        saved: SavedMessages,
        taken: frozenset[str],
    ) -> None:
        """`taken`: IDs of the events that were taken out of the spool."""
        self._plan = plan
        self._taken = taken
        self._rows = RowFinder(examination.database)
        self._now_ms = examination.server_info().now_ms
        self._writing = writing
        self._token = token
        self._follower = follower
        self._saved = saved
        self._unwritten_in_a_row = 0
        """Messages that were delivered alone, the last ones, and whose rows did not come."""
        self._left_alone: set[str] = set()
        """Origins of the items that were refused."""
        self._copies: Counter[RowKey] = Counter()
        """Copies of this plan, by the keys of their rows."""
        for item in plan.items:
            if item.origin in follower.copies:
                self._copies.update(item.keys)

    def keep_lock(self) -> None:
        """Hold the lock for longer, while rows are waited for. Raises SourceError."""
        self._writing.ask_one(*scripts.hold(self._plan.queue, self._token, LOCK_MS))

    def wait_for(self, item: Item) -> None:
        """Wait for the row of a message that was delivered again before and not written.

        Alone in its batch it holds up no other, and shows whether it is the one that cannot be written. Raises
        SourceError.
        """
        seen = rows_seen(self._rows, [item], _ALONE_SECONDS, self.keep_lock)
        self._unwritten_in_a_row = 0 if seen else self._unwritten_in_a_row + 1

    def do(self, batch: Sequence[Numbered]) -> Iterator[list[JournalEntry]]:
        """Do items that go together; gives what was done as soon as it is done, to be written down.

        Raises SourceError, and RepairRefused when the lock is lost.
        """
        items = dict(batch)
        for entries in self._do(batch):
            for entry in entries:
                if entry.done == REFUSED:
                    self._left_alone.add(items[entry.number].origin)
            yield entries

    def _do(self, batch: Sequence[Numbered]) -> Iterator[list[JournalEntry]]:
        deliveries = []
        saved = self._saved.fields_of(number for number, _ in batch)
        for number, item in batch:
            copy_id = self._follower.copies.get(item.origin)
            if item.source is Source.NONE:
                yield [do_group(self._plan, self._writing, self._token, number, item)]
                continue
            if item.action is Action.DELIVER and copy_id:
                yield [JournalEntry(number, DELIVERED, copy_id)]
                continue
            fields = saved.get(number)
            reason = self._why_not(item, fields)
            if reason:
                yield [JournalEntry(number, REFUSED, reason=reason)]
            elif item.action is Action.DELIVER:
                deliveries.append(Delivery(number, item, fields or []))
            elif item.action is Action.SET_ASIDE and item.written_as in self._left_alone:
                yield [JournalEntry(number, REFUSED, reason=f"{item.reason}, which was not delivered")]
            elif item.action is Action.SET_ASIDE:
                yield [self._set_aside(number, item, fields or [])]
            else:
                yield [self._acknowledge(number, item)]
        for step in steps_of(deliveries):
            yield from self._deliver(step)

    def _why_not(self, item: Item, fields: Fields | None) -> str:
        """Why an item is left alone before anything else is looked at; empty where nothing speaks against it."""
        if item.source is Source.SPOOL and item.id not in self._taken:
            return "it left the spool since the plan was made: a hook delivered it, or another repair took it"
        if item.action is Action.ACKNOWLEDGE:
            return ""  # needs no message
        if fields is None:
            return "it left the stream before it could be saved"
        if len(fields) > scripts.MOST_FIELDS:
            return f"it has more than {scripts.MOST_FIELDS:,} fields, which one step cannot add; it is saved only"
        if item.action is Action.DELIVER and item.origins and self._unwritten_in_a_row >= _MOST_UNWRITTEN:
            return "the writer wrote none of the last messages that it was given alone"
        return ""

    def _deliver(self, step: list[Delivery]) -> Iterator[list[JournalEntry]]:
        """Deliver these messages in one step of Redis."""
        past = step[0].past  # one that has any goes alone
        left = step
        for _ in range(_TRIES):
            decided, left = self._looked_at(left)
            yield decided
            if not left:
                return
            moves = [_copy_of(one) for one in left]
            results = self._move(moves, guarded=True, past=past)
            if isinstance(results, list):
                yield self._delivered(left, results)
                return
            if results == scripts.NEWER:
                self._follower.catch_up()
            else:
                time.sleep(_READER_SECONDS)
        reason = "messages came in faster than they could be looked at"
        if past:
            reason = "the groups that follow sessions are behind: they would begin or end this session again"
        entries = []
        for one in left:
            entries.append(JournalEntry(one.number, REFUSED, reason=reason))
        yield entries

    def _looked_at(self, deliveries: Sequence[Delivery]) -> tuple[list[JournalEntry], list[Delivery]]:
        """What became of messages that need no delivery any more, and the others."""
        keys: list[RowKey] = []
        for one in deliveries:
            keys += one.item.keys
        rows = count_rows(self._rows, keys)
        decided = []
        left = []
        for one in deliveries:
            # Of a repair from another home, which was held up until its lock ended.
            copy_id = self._follower.copies.get(one.item.origin)
            if self._is_written(one.item, rows):
                decided.append(self._acknowledge(one.number, one.item))
            elif copy_id:
                decided.append(JournalEntry(one.number, DELIVERED, copy_id))
            elif self._follower.other_of(one.item):
                reason = "a message that came since the plan was made has its key"
                decided.append(JournalEntry(one.number, REFUSED, reason=reason))
            else:
                left.append(one)
        return decided, left

    def _is_written(self, item: Item, rows: Mapping[RowKey, int]) -> bool:
        """Whether a row is there that is not that of a copy: of keys that are not unique, each copy may have one."""
        return any(rows[key] and (key.is_unique or rows[key] > self._copies[key]) for key in item.keys)

    def _delivered(self, deliveries: Sequence[Delivery], copies: Sequence[str | None]) -> list[JournalEntry]:
        """What a step did with each message."""
        entries = []
        for one, copy_id in zip(deliveries, copies, strict=True):
            if copy_id is None:
                entries.append(_moved(one.number))
                continue
            self._follower.added(copy_id)
            self._copies.update(one.item.keys)
            entries.append(JournalEntry(one.number, DELIVERED, copy_id))
        return entries

    def _set_aside(self, number: int, item: Item, fields: Fields) -> JournalEntry:
        """Among the dead letters, unless another message of the same key was written.

        Where that one is only delivered until now, this one would be lost for as long as no row is there.
        """
        add_to = ""
        letter: Fields = []
        if self._plan.dead_letters and (item.written_as or not item.is_written):
            add_to = self._plan.dead_letters
            letter = _letter(self._plan, item, fields, self._now_ms)
        letter_id = self._move_one(Move(item.id, item.holdings, letter, item.group), add_to)
        if letter_id is None:
            return _moved(number)
        return JournalEntry(number, SET_ASIDE, letter_id)

    def remove_needless_letter(self, item: Item, letter_id: str) -> None:
        """Remove the dead letter of a message that was set aside, once the other one of its key has its row.

        `letter_id` is empty where the answer to that step never came. Raises SourceError and RepairRefused.
        """
        unique_keys = []
        for key in item.keys:
            if key.is_unique:
                unique_keys.append(key)
        if not self._plan.dead_letters or not has_row(self._rows, unique_keys):
            return
        letter_id = letter_id or self._letters_of_plan.get(item.id, "")
        if letter_id:
            command = scripts.remove(
                self._plan.queue, self._token, LOCK_MS, letters=self._plan.dead_letters, identity=letter_id
            )
            checked(self._writing.ask_one(*command))

    @cached_property
    def _letters_of_plan(self) -> dict[str, str]:
        """The newest dead letters that this plan wrote: the ID of each by that of its message.

        The journal lacks those whose answer never came. Read once: what is written from then on has its answer.
        """
        newest = ("XREVRANGE", self._plan.dead_letters, "+", "-", "COUNT", _NEWEST_LETTERS)
        letters = {}
        for identity, flat_fields in self._writing.ask_one(*newest):
            fields = dict(zip(flat_fields[::2], flat_fields[1::2], strict=False))
            if fields.get(SET_ASIDE_FIELD) == self._plan.id.encode():
                letters[str(fields.get(b"original_entry_id", b""), "ascii", "replace")] = str(identity, "ascii")
        return letters

    def _acknowledge(self, number: int, item: Item) -> JournalEntry:
        if not item.holdings:
            return JournalEntry(number, REFUSED, reason="it is written already")
        if item.is_written and item.keys and not has_row(self._rows, item.keys):
            return JournalEntry(number, REFUSED, reason="its row is gone")
        if self._move_one(Move(item.id, item.holdings, group=item.group)) is None:
            return _moved(number)
        return JournalEntry(number, ACKNOWLEDGED)

    def _move_one(self, move: Move, add_to: str = "") -> str | None:
        """The ID of what was added, or nothing; None where the original was left alone."""
        results = self._move([move], add_to=add_to)
        assert isinstance(results, list), "what comes meanwhile, and who has read how far, does not matter here"
        return results[0]

    def _move(
        self, moves: Sequence[Move], *, guarded: bool = False, add_to: str = "", past: tuple[str, ...] = ()
    ) -> int | list[str | None]:
        looked_to = self._follower.looked_to if guarded else None
        command = scripts.move(
            self._plan.queue, self._token, LOCK_MS, moves, looked_to=looked_to, add_to=add_to, past=past
        )
        return checked_moves(self._writing.ask_one(*command), len(moves))

    def remove(self, number: int, item: Item) -> JournalEntry:
        """Remove a dead letter whose row is there. Raises SourceError and RepairRefused."""
        if not has_row(self._rows, item.keys):
            return JournalEntry(number, REFUSED, reason="its row is not there, so its dead letter stays")
        command = scripts.remove(self._plan.queue, self._token, LOCK_MS, letters=item.stream, identity=item.id)
        checked(self._writing.ask_one(*command))
        return JournalEntry(number, REMOVED)


def do_group(plan: Plan, writing: Connection, token: str, number: int, item: Item) -> JournalEntry:
    """Make or move a group. Raises SourceError, and RepairRefused when the lock is lost."""
    if checked(writing.ask_one(*group_step(plan.queue, token, LOCK_MS, item))) != scripts.DONE:
        return JournalEntry(number, REFUSED, reason="it was made, removed or read from since the plan was made")
    return JournalEntry(number, GROUPED)


def _copy_of(one: Delivery) -> Move:
    return Move(one.item.id, one.item.holdings, marked(one.fields, one.item.origin), one.item.group)


def _moved(number: int) -> JournalEntry:
    return JournalEntry(number, REFUSED, reason="its writer acknowledged it or tried it again since the plan was made")


def _letter(plan: Plan, item: Item, fields: Fields, now_ms: int) -> Fields:
    """A dead letter as the Cursor consumer writes one: the message's own fields, and where it comes from."""
    return [
        *fields,
        (b"original_entry_id", item.id.encode()),
        (b"moved_to_dlq_at", from_milliseconds(now_ms).isoformat().encode()),
        (b"stream", plan.queue.encode()),
        (b"consumer_group", item.group.encode()),
        (SET_ASIDE_FIELD, plan.id.encode()),
    ]
