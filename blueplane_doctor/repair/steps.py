"""What is done with single items of a plan, each as one step of Redis."""

import re
import time
from collections import Counter
from typing import Any

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import RepairRefused, SourceProtocolError
from blueplane_doctor.examination import Examination
from blueplane_doctor.pipeline import READER_GROUPS
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.following import Follower
from blueplane_doctor.repair.grouping import group_step
from blueplane_doctor.repair.locking import LOCK_MS
from blueplane_doctor.repair.plan import Action, Fields, Item, Plan, RowKey, Source, marked
from blueplane_doctor.repair.store import REFUSED, JournalEntry, SavedMessages
from blueplane_doctor.repair.verifying import count_rows, rows_seen
from blueplane_doctor.sources.letter_errors import SET_ASIDE_FIELD
from blueplane_doctor.sources.trace_tables import RowFinder
from blueplane_doctor.times import from_milliseconds

_ID = re.compile(rb"[0-9]{1,20}-[0-9]{1,20}")
DELIVERED = "delivered"
SET_ASIDE = "set aside"
ACKNOWLEDGED = "acknowledged"
REMOVED = "removed"
GROUPED = "put in place"
SESSION_EVENTS = (b"session_start", b"session_end")
SESSION_HOOKS = (b"SessionStart", b"SessionEnd", b"Stop")
"""Messages at which the groups that follow sessions begin or end one, or read a transcript."""
_READER_SECONDS = 0.002
"""Pause for groups that have to read up to the end of the stream; with all tries that is some seconds."""
ALONE_SECONDS = 5.0
"""A writer reads once a second, and writes in milliseconds."""
MOST_UNWRITTEN = 3
"""After so many in a row it is not these messages that hold up the writer."""
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
        seen = rows_seen(self._rows, [item], ALONE_SECONDS, self.keep_lock)
        self._unwritten_in_a_row = 0 if seen else self._unwritten_in_a_row + 1

    def do(self, number: int, item: Item) -> JournalEntry:
        """Do one item. Raises SourceError, and RepairRefused when the lock is lost."""
        if item.source is Source.NONE:
            return do_group(self._plan, self._writing, self._token, number, item)
        copy_id = self._follower.copies.get(item.origin)
        if item.action is Action.DELIVER and copy_id:
            return JournalEntry(number, DELIVERED, copy_id)
        if item.source is Source.SPOOL and item.id not in self._taken:
            return JournalEntry(number, REFUSED, reason="a hook delivered it since the plan was made")
        fields = self._saved.fields(number)
        if fields is None and item.action is not Action.ACKNOWLEDGE:
            return JournalEntry(number, REFUSED, reason="it left the stream before it could be saved")
        if len(fields or []) > scripts.MOST_FIELDS and item.action is not Action.ACKNOWLEDGE:
            reason = f"it has more than {scripts.MOST_FIELDS:,} fields, which one step cannot add; it is saved only"
            return JournalEntry(number, REFUSED, reason=reason)
        if item.action is Action.DELIVER:
            return self._deliver(number, item, fields or [])
        if item.action is Action.SET_ASIDE:
            return self._set_aside(number, item, fields or [])
        return self._acknowledge(number, item)

    def _deliver(self, number: int, item: Item, fields: Fields) -> JournalEntry:
        if item.origins and self._unwritten_in_a_row >= MOST_UNWRITTEN:
            return JournalEntry(number, REFUSED, reason="the writer writes none of what is delivered to it alone")
        past = not_again(item, fields)
        for _ in range(_TRIES):
            if self._is_written(item):
                return self._acknowledge(number, item)
            copy_id = self._follower.copies.get(item.origin)
            if copy_id:  # of a repair from another home, which was held up until its lock ended
                return JournalEntry(number, DELIVERED, copy_id)
            other = self._follower.other_of(item)
            if other:
                return JournalEntry(number, REFUSED, reason="a message that came since the plan was made has its key")
            result = self._move(item, fields=marked(fields, item.origin), guarded=True, past=past)
            if result == scripts.NEWER:
                self._follower.catch_up()
                continue
            if result == scripts.READERS_BEHIND:
                time.sleep(_READER_SECONDS)
                continue
            if result == scripts.MOVED:
                return _moved(number)
            copy_id = id_in(result)
            self._follower.added(copy_id)
            self._copies.update(item.keys)
            return JournalEntry(number, DELIVERED, copy_id)
        reason = "messages came in faster than they could be looked at"
        if past:
            reason = "the groups that follow sessions are behind: they would begin or end this session again"
        return JournalEntry(number, REFUSED, reason=reason)

    def _is_written(self, item: Item) -> bool:
        """Whether a row is there that is not that of a copy: of keys that are not unique, each copy may have one."""
        for key, count in count_rows(self._rows, item.keys).items():
            if count and (key.is_unique or count > self._copies[key]):
                return True
        return False

    def _set_aside(self, number: int, item: Item, fields: Fields) -> JournalEntry:
        """Among the dead letters, unless another message of the same key is the one that is written."""
        if item.is_written or not self._plan.dead_letters:
            result = self._move(item)
        else:
            letter = _letter(self._plan, item, fields, self._now_ms)
            result = self._move(item, add_to=self._plan.dead_letters, fields=letter)
        if result == scripts.MOVED:
            return _moved(number)
        copy_id = ""
        if isinstance(result, bytes):
            copy_id = id_in(result)
        return JournalEntry(number, SET_ASIDE, copy_id)

    def _acknowledge(self, number: int, item: Item) -> JournalEntry:
        if not item.holdings:
            return JournalEntry(number, REFUSED, reason="it is written already")
        if item.is_written and item.keys and not any(count_rows(self._rows, item.keys).values()):
            return JournalEntry(number, REFUSED, reason="its row is gone")
        if self._move(item) == scripts.MOVED:
            return _moved(number)
        return JournalEntry(number, ACKNOWLEDGED)

    def _move(
        self,
        item: Item,
        *,
        add_to: str = "",
        fields: Fields | None = None,
        guarded: bool = False,
        past: tuple[str, ...] = (),
    ) -> int | bytes:
        looked_to = self._follower.looked_to if guarded else None
        command = scripts.move(
            self._plan.queue,
            self._token,
            LOCK_MS,
            original=item.id,
            holdings=item.holdings,
            looked_to=looked_to,
            add_to=add_to,
            fields=fields,
            past=past,
        )
        return checked(self._writing.ask_one(*command))

    def remove(self, number: int, item: Item) -> JournalEntry:
        """Remove a dead letter whose row is there. Raises SourceError and RepairRefused."""
        if not any(count_rows(self._rows, item.keys).values()):
            return JournalEntry(number, REFUSED, reason="its row is not there, so its dead letter stays")
        command = scripts.remove(self._plan.queue, self._token, LOCK_MS, letters=item.stream, identity=item.id)
        checked(self._writing.ask_one(*command))
        return JournalEntry(number, REMOVED)


def do_group(plan: Plan, writing: Connection, token: str, number: int, item: Item) -> JournalEntry:
    """Make or move a group. Raises SourceError, and RepairRefused when the lock is lost."""
    if checked(writing.ask_one(*group_step(plan.queue, token, LOCK_MS, item))) != scripts.DONE:
        return JournalEntry(number, REFUSED, reason="it was made, removed or read from since the plan was made")
    return JournalEntry(number, GROUPED)


def not_again(item: Item, fields: Fields) -> tuple[str, ...]:
    """The groups that must not be given a copy of this message.

    Who follows sessions was given the original. A session that begins a second time has its whole transcript read a
    second time, and each of its lines is then written already.
    """
    if item.source not in (Source.STREAM, Source.DEAD_LETTER):
        return ()
    values = dict(fields)
    if values.get(b"event_type") in SESSION_EVENTS or values.get(b"hook_type") in SESSION_HOOKS:
        return READER_GROUPS
    return ()


def checked(result: Any) -> int | bytes:
    """The reply of a step: a number that scripts.py explains, or the ID of what was added.

    Raises RepairRefused when the lock was lost, for another repair may be at work; SourceProtocolError for another
    reply.
    """
    if result == scripts.LOCK_LOST:
        raise RepairRefused(
            "this repair was held up for so long that another one could begin; it stops here",
            "run it again: it goes on where it stopped",
        )
    if isinstance(result, int) and result in scripts.ANSWERS:
        return result
    return id_in(result).encode()


def id_in(result: Any) -> str:
    """The ID of what a step added. Raises SourceProtocolError for another reply."""
    if not isinstance(result, bytes) or not _ID.fullmatch(result):
        raise SourceProtocolError(
            "the Redis that is repaired does not answer as Redis does: the reply to EVAL is none of its script",
            "see what answers there, then run it again: it goes on where it stopped",
        )
    return result.decode()


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
