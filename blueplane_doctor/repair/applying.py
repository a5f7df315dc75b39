"""Applies a plan: everything is saved first, then each item is done as one step of Redis, then rows are looked for.

Killed anywhere and run again, the end is the same: a copy and the acknowledgement of its original happen in one step,
and copies are known by their mark.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from blueplane_doctor.connection.base import Command, Limits
from blueplane_doctor.connection.failures import Endpoint
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.examination import Examination
from blueplane_doctor.interruption import Whole
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.following import Follower
from blueplane_doctor.repair.locking import LOCK_MS, locked
from blueplane_doctor.repair.plan import ADDS_TO_STREAM, SAVES, Action, Fields, Item, Plan, RowKey, Source, marked
from blueplane_doctor.repair.planning import find_targets
from blueplane_doctor.repair.refusals import FILL_TO, refuse_another_redis, refuse_old, running_writers
from blueplane_doctor.repair.store import Journal, JournalEntry, RepairFiles, SavedMessages, Store
from blueplane_doctor.repair.verifying import count_rows
from blueplane_doctor.settings import Settings
from blueplane_doctor.sources.trace_tables import RowFinder
from blueplane_doctor.text import group as shown_group
from blueplane_doctor.times import from_milliseconds

DELIVERED = "delivered"
SET_ASIDE = "set aside"
ACKNOWLEDGED = "acknowledged"
REFUSED = "refused"
LONGEST_SECONDS = 86_400.0
"""For a whole repair: what each reply may take is limited all the same."""
_TRIES = 1_000
"""Each takes a fraction of a millisecond, and fails where a message came in just then."""
Progress = Callable[[int, int], None]
RIGHTS = (
    "+@read +ping +info +multi +exec +eval +get +set +del +pexpire +xadd +xack +xclaim +xdel +xgroup|create "
    "+xgroup|setid ~telemetry:*"
)
"""Of the user that repairs; the doctor's own may do without all that writes."""


@dataclass
class Applied:
    """What was done."""

    counts: Counter[str] = field(default_factory=Counter)
    """Items by what was done with them, in this run or one before."""
    refused: Counter[str] = field(default_factory=Counter)
    """Items that were left alone, by the reason."""
    expected: list[Item] = field(default_factory=list)
    """Items whose rows should appear now."""
    is_interrupted: bool = False


def writing_connection(url: str) -> Connection:
    """The one connection that changes the examined Redis; only repair opens it."""
    rights = f"Let this user repair: ACL SETUSER <user> {RIGHTS}"
    return Connection(Endpoint(url, purpose="which is to be repaired", rights=rights), Limits())


def save_messages(examination: Examination, plan: Plan, files: RepairFiles) -> int:
    """Save every message of the plan whole, before anything else; how many there are. Raises SourceError."""
    saved = files.saved()
    if saved is not None:
        return len(saved)
    return files.save(_messages(examination, plan))


def _messages(examination: Examination, plan: Plan) -> Iterator[tuple[int, Item, Fields]]:
    for number, item in enumerate(plan.items):
        if item.action not in SAVES or item.source is Source.NONE:
            continue
        fields = read_message(examination, plan, item)
        if fields is not None:
            yield number, item, fields


def read_message(examination: Examination, plan: Plan, item: Item) -> Fields | None:
    """The message of an item; None where it is gone. Raises SourceError."""
    read = find_targets()[item.target].read
    if read is not None and item.source is not Source.STREAM:
        return read(examination, plan, item)
    return message_of_stream(examination, item.stream or plan.queue, item.id)


def message_of_stream(examination: Examination, stream: str, identity: str) -> Fields | None:
    """The message of a stream; None where it was trimmed. Raises SourceError."""
    page = examination.redis.ask_one("XRANGE", stream, identity, identity, "COUNT", 1)
    if not page:
        return None
    values = page[0][1]
    return list(zip(values[::2], values[1::2], strict=True))


class Applier:
    """One run of a plan."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        plan: Plan,
        *,
        write_url: str,
        rate: float | None = None,
        progress: Progress | None = None,
    ) -> None:
        """`rate`: items a second at most; None: as fast as it goes."""
        self.plan = plan
        self._settings = settings.model_copy(update={"timeout": LONGEST_SECONDS})
        self._store = store
        self._files = store.files(plan.id)
        self._write_url = write_url
        self._rate = rate
        self._progress = progress
        self._written: Counter[RowKey] = Counter()
        """Copies of this plan by key."""

    def apply(self) -> Applied:
        """Do it. Raises RepairRefused before anything was changed, SourceError when Redis or the database is gone."""
        with (
            closing(Examination(self._settings)) as examination,
            closing(writing_connection(self._write_url)) as writing,
        ):
            info = examination.server_info()
            refuse_another_redis(self.plan, info.fields.get("run_id", ""))
            refuse_old(self.plan, info.now_ms)
            self._refuse_without_writers(examination)
            with locked(self._store, writing, self.plan.queue) as token:
                save_messages(examination, self.plan, self._files)
                saved = self._files.saved()
                assert saved is not None, "it was saved just now"
                follower = Follower(examination, self.plan)
                follower.catch_up()
                self._refuse_without_room(follower)
                steps = _Steps(self.plan, examination, writing, token, follower, saved)
                with self._files.journaling() as journal:
                    return self._run(steps, journal)

    def _refuse_without_writers(self, examination: Examination) -> None:
        running = running_writers(examination)
        for item in self.plan.of(*ADDS_TO_STREAM):
            if item.group not in running:
                raise RepairRefused(
                    f"no writer of the group {shown_group(item.group)} runs; nothing is changed",
                    "start the Blueplane server, then make another plan",
                )

    def _refuse_without_room(self, follower: Follower) -> None:
        """What came since, copies of an earlier run among it, takes room as well."""
        waiting = sum(item.origin not in follower.copies for item in self.plan.of(*ADDS_TO_STREAM))
        room = self.plan.room
        if waiting and room.used + follower.count + waiting > FILL_TO * room.limit:
            raise RepairRefused(
                f"{follower.count:,} messages came since the plan was made, and there is no room for {waiting:,} more",
                "make another plan when the writers have caught up",
            )

    def _run(self, steps: "_Steps", journal: Journal) -> Applied:
        applied = Applied()
        known = {entry.number: entry for entry in self._files.journal() if entry.done != REFUSED}
        began = time.monotonic()
        done = 0
        try:
            for number, item in enumerate(self.plan.items):
                if item.action is Action.RELEASE:
                    applied.expected.append(item)
                if item.action in (Action.RELEASE, Action.KEEP):
                    continue
                if self._rate is not None:
                    time.sleep(max(0.0, began + done / self._rate - time.monotonic()))
                # A signal waits for the end of this block: so a run stops between two messages.
                with Whole():
                    entry = known.get(number)
                    if entry is None:
                        entry = steps.do(number, item)
                        journal.add(entry)
                done += 1
                self._count(applied, item, entry)
                if self._progress:
                    self._progress(done, len(self.plan.items))
        except KeyboardInterrupt:
            applied.is_interrupted = True
        return applied

    def _count(self, applied: Applied, item: Item, entry: JournalEntry) -> None:
        if entry.done == REFUSED:
            applied.refused[entry.reason] += 1
            return
        applied.counts[entry.done] += 1
        if entry.done == DELIVERED:
            applied.expected.append(item)


class _Steps:
    """What is done with single items."""

    def __init__(
        self,
        plan: Plan,
        examination: Examination,
        writing: Connection,
        token: str,
        follower: Follower,
        saved: SavedMessages,
    ) -> None:
        self._plan = plan
        self._rows = RowFinder(examination.database)
        self._now_ms = examination.server_info().now_ms
        self._writing = writing
        self._token = token
        self._follower = follower
        self._saved = saved
        self._copies: Counter[RowKey] = Counter()
        """Copies of this plan, by the keys of their rows."""
        for item in plan.items:
            if item.origin in follower.copies:
                self._copies.update(item.keys)

    def do(self, number: int, item: Item) -> JournalEntry:
        """Do one item. Raises SourceError, and RepairRefused when the lock is lost."""
        copy_id = self._follower.copies.get(item.origin)
        if item.action is Action.DELIVER and copy_id:
            return JournalEntry(number, DELIVERED, copy_id)
        fields = self._saved.fields(number)
        if fields is None and item.action is not Action.ACKNOWLEDGE:
            return JournalEntry(number, REFUSED, reason="it left the stream before it could be saved")
        if item.action is Action.DELIVER:
            return self._deliver(number, item, fields or [])
        if item.action is Action.SET_ASIDE:
            return self._set_aside(number, item, fields or [])
        return self._acknowledge(number, item)

    def _deliver(self, number: int, item: Item, fields: Fields) -> JournalEntry:
        for _ in range(_TRIES):
            if self._is_written(item):
                return self._acknowledge(number, item)
            other = self._follower.other_of(item)
            if other:
                return JournalEntry(number, REFUSED, reason="a message that came since the plan was made has its key")
            result = self._move(item, fields=marked(fields, item.origin), guarded=True)
            if result == scripts.NEWER:
                self._follower.catch_up()
                continue
            if result == scripts.MOVED:
                return _moved(number)
            copy_id = bytes(result).decode()
            self._follower.added(copy_id)
            self._copies.update(item.keys)
            return JournalEntry(number, DELIVERED, copy_id)
        return JournalEntry(number, REFUSED, reason="messages came in faster than they could be looked at")

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
            copy_id = result.decode()
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
        self, item: Item, *, add_to: str = "", fields: Fields | None = None, guarded: bool = False
    ) -> int | bytes:
        looked_to = self._follower.looked_to if guarded else None
        command: Command = scripts.move(
            self._plan.queue,
            self._token,
            LOCK_MS,
            original=item.id,
            holdings=item.holdings,
            looked_to=looked_to,
            add_to=add_to,
            fields=fields,
        )
        result: int | bytes = self._writing.ask_one(*command)
        if result == scripts.LOCK_LOST:
            raise RepairRefused(
                "this repair was held up for so long that another one could begin; it stops here",
                "run it again: it goes on where it stopped",
            )
        return result


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
    ]
