"""Applies a plan: everything is saved first, then each item is done as one step of Redis, then rows are looked for.

Killed anywhere and run again, the end is the same: a copy and the acknowledgement of its original happen in one step,
and copies are known by their mark.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from blueplane_doctor.connection.base import Limits
from blueplane_doctor.connection.failures import Endpoint
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.examination import Examination
from blueplane_doctor.privacy.public_text import group as shown_group
from blueplane_doctor.process.interruption import Whole
from blueplane_doctor.repair.batches import MOST_TOGETHER, Numbered, batches
from blueplane_doctor.repair.following import Follower
from blueplane_doctor.repair.journal import REFUSED, Journal, JournalEntry
from blueplane_doctor.repair.locking import locked
from blueplane_doctor.repair.plan import ADDS_TO_STREAM, SAVES, Action, Fields, Item, Plan, Source, fields_in
from blueplane_doctor.repair.planning import find_targets
from blueplane_doctor.repair.refusals import (
    FILL_TO,
    refuse_another_redis,
    refuse_another_to_write_to,
    refuse_old,
    running_writers,
)
from blueplane_doctor.repair.room_now import used_now
from blueplane_doctor.repair.saved_messages import write_messages
from blueplane_doctor.repair.spool_taking import forget_written, take_from_source
from blueplane_doctor.repair.steps import DELIVERED, Steps, do_group
from blueplane_doctor.repair.store import RepairFiles, Store
from blueplane_doctor.repair.verifying import PATIENCE_SECONDS, rows_seen
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.trace_tables import RowFinder
from blueplane_doctor.text.quantities import many

LONGEST_SECONDS = 86_400.0
"""For a whole repair: what each reply may take is limited all the same."""
_READ_TOGETHER = 25
"""Messages that are asked for in one round trip: some weigh megabytes."""
_Progress = Callable[[int, int], None]
_LEFT_WHERE_THEY_ARE = frozenset((Action.RELEASE, Action.KEEP, Action.REMOVE))
"""Actions that move no message; a dead letter is removed later, once its row was looked for."""
RIGHTS = (
    "+@read +ping +info +multi +exec +eval +get +set +del +pexpire +time +hset +xadd +xack +xclaim +xdel "
    "+xgroup|create +xgroup|setid ~telemetry:*"
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
    seen: list[Item] = field(default_factory=list)
    """Of these, the ones whose rows are there."""
    is_interrupted: bool = False

    @property
    def unseen(self) -> int:
        """Rows that were expected and are not there yet; 0 where nobody looked for them to the end."""
        if self.is_interrupted:
            return 0
        return len(self.expected) - len(self.seen)


def writing_connection(url: str) -> Connection:
    """The one connection that changes the examined Redis; only repair opens it."""
    rights = f"Let this user repair: ACL SETUSER <user> {RIGHTS}"
    return Connection(Endpoint(url, purpose="which is to be repaired", rights=rights), Limits())


def save_messages(examination: Examination, plan: Plan, files: RepairFiles) -> int:
    """Save every message of the plan whole, before anything else; how many there are. Raises SourceError."""
    saved = files.saved()
    if saved is not None:
        return len(saved)
    return write_messages(files.messages, _messages(examination, plan))


def _messages(examination: Examination, plan: Plan) -> Iterator[tuple[int, Item, Fields]]:
    of_stream: list[Numbered] = []
    for number, item in enumerate(plan.items):
        if item.action not in SAVES or not item.has_message:
            continue
        read = find_targets()[item.target].read
        if item.source is Source.STREAM or read is None:
            of_stream.append((number, item))
            continue
        fields = read(examination, plan, item)
        if fields is not None:
            yield number, item, fields
    yield from _messages_of_stream(examination, plan, of_stream)


def _messages_of_stream(
    examination: Examination, plan: Plan, items: Sequence[Numbered]
) -> Iterator[tuple[int, Item, Fields]]:
    """Without those that were trimmed. Raises SourceError."""
    redis = examination.redis
    room = redis.room()
    together = _READ_TOGETHER
    if room is not None and room.may_evict_queue:
        together = 1  # replies that wait to be read take the memory for which the server would delete keys
    for start in range(0, len(items), together):
        chunk = items[start : start + together]
        commands = []
        for _, item in chunk:
            commands.append(("XRANGE", item.stream or plan.queue, item.id, item.id, "COUNT", 1))
        for (number, item), page in zip(chunk, redis.ask_all(commands), strict=True):
            if page:
                yield number, item, fields_in(page[0])


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
        patience: float = PATIENCE_SECONDS,
        progress: _Progress | None = None,
    ) -> None:
        """`rate`: items a second at most; None: as fast as it goes. `patience`: see `rows_seen`."""
        self.plan = plan
        self._settings = settings.model_copy(update={"timeout": LONGEST_SECONDS})
        self._store = store
        self._files = store.files(plan.id)
        self._write_url = write_url
        self._rate = rate
        self._patience = patience
        self._progress = progress

    def apply(self, meanwhile: Callable[[], None] | None = None) -> Applied:
        """Do it. `meanwhile` is called once all is delivered, before rows are looked for.

        Raises RepairRefused before anything was changed, SourceError when Redis or the database is gone.
        """
        with ExitStack() as stack:
            examination = stack.enter_context(closing(Examination(self._settings)))
            writing = stack.enter_context(closing(writing_connection(self._write_url)))
            info = examination.server_info()
            is_begun = self._files.is_begun
            refuse_another_redis(self.plan, info.fields.get("run_id", ""), is_begun=is_begun)
            refuse_old(self.plan, info.now_ms, is_begun=is_begun)
            self._refuse_without_writers(examination)
            refuse_another_to_write_to(examination.redis, writing, self.plan.queue)
            token = stack.enter_context(locked(self._store, writing, self.plan.queue))
            journal = stack.enter_context(self._files.journaling())
            if not self.plan.of(*SAVES):  # then there may be no stream to read either
                return self._groups_alone(writing, token, journal)
            save_messages(examination, self.plan, self._files)
            saved = self._files.saved()
            assert saved is not None, "it was saved just now"
            follower = Follower(examination, self.plan)
            follower.catch_up()
            self._refuse_without_room(examination, follower)
            taken = take_from_source(self.plan, self._files.folder)
            steps = Steps(self.plan, examination, writing, token, follower, saved, taken)
            applied = Applied()
            try:
                self._move_all(steps, journal, applied)
                if meanwhile:
                    meanwhile()
                finder = RowFinder(examination.database)
                applied.seen = rows_seen(finder, applied.expected, self._patience, steps.keep_lock)
                from_spool = set()
                for item in applied.seen:
                    if item.source is Source.SPOOL:
                        from_spool.add(item.id)
                forget_written(self._files.folder, from_spool)
                self._remove_needless_letters(steps)
                self._remove_letters(steps, journal, applied)
            except KeyboardInterrupt:
                applied.is_interrupted = True
            return applied

    def _groups_alone(self, writing: Connection, token: str, journal: Journal) -> Applied:
        applied = Applied()
        known = self._files.done()
        for number, item in enumerate(self.plan.items):
            entry = known.get(number)
            if entry is None:
                entry = do_group(self.plan, writing, token, number, item)
                journal.add(entry)
            self._count(applied, item, entry)
        return applied

    def _refuse_without_writers(self, examination: Examination) -> None:
        adding = self.plan.of(*ADDS_TO_STREAM)
        running = running_writers(examination) if adding else frozenset()
        for item in adding:
            if item.group not in running:
                raise RepairRefused(
                    f"no writer of the group {shown_group(item.group)} runs; nothing is changed",
                    "start the Blueplane server, then make another plan",
                )

    def _refuse_without_room(self, examination: Examination, follower: Follower) -> None:
        """What came since, copies of an earlier run among it, takes room as well while it is not finished."""
        waiting = 0
        for item in self.plan.of(*ADDS_TO_STREAM):
            if item.origin not in follower.copies:
                waiting += 1
        room = self.plan.room
        came = len(follower.came_ids)
        # The exact number is asked for only where this one, which cannot be too small, would be too large.
        if not waiting or room.used + came + waiting <= FILL_TO * room.limit:
            return
        if used_now(examination, self.plan, follower) + waiting > FILL_TO * room.limit:
            new = many(came, "message", "messages")
            raise RepairRefused(
                f"{new} came since the plan was made, and there is no room for {waiting:,} more",
                "make another plan when the writers have caught up",
            )

    def _move_all(self, steps: Steps, journal: Journal, applied: Applied) -> None:
        """Every item that is copied, acknowledged or set aside, in the order of the plan."""
        known = self._files.done()
        applied.expected += self.plan.of(Action.RELEASE)
        moved = []
        for number, item in enumerate(self.plan.items):
            if item.action not in _LEFT_WHERE_THEY_ARE:
                moved.append((number, item))
        most = MOST_TOGETHER if self._rate is None else 1
        began = time.monotonic()
        done = 0
        moved_now = 0
        for batch in batches(moved, most):
            left = [one for one in batch if one[0] not in known]
            if self._rate is not None:
                # Counted from the beginning: a step that took long is made up for, and the rate holds on average.
                time.sleep(max(0.0, began + moved_now / self._rate - time.monotonic()))
            # A signal waits for the end of this block: so a run stops between two messages.
            with Whole():
                for entries in steps.do(left):
                    journal.add(*entries)
                    for entry in entries:
                        known[entry.number] = entry
            moved_now += len(left)
            for number, item in batch:
                if left and item.origins and known[number].done == DELIVERED:
                    steps.wait_for(item)
                self._count(applied, item, known[number])
            done += len(batch)
            if self._progress:
                self._progress(done, len(self.plan.items))

    def _remove_needless_letters(self, steps: Steps) -> None:
        """Dead letters of what was set aside for another message of the same key, once that one has its row."""
        known = self._files.done()
        for number, item in enumerate(self.plan.items):
            if item.written_as and item.action is Action.SET_ASIDE:
                entry = known.get(number)  # none where the answer to its step never came
                with Whole():
                    steps.remove_needless_letter(item, entry.copy_id if entry else "")

    def _remove_letters(self, steps: Steps, journal: Journal, applied: Applied) -> None:
        """Dead letters whose messages are written by now, and only these."""
        seen = {item.origin for item in applied.seen}
        for number, item in enumerate(self.plan.items):
            was_delivered = item.action is Action.DELIVER and item.origin in seen
            if item.source is not Source.DEAD_LETTER or not (was_delivered or item.action is Action.REMOVE):
                continue
            with Whole():
                entry = steps.remove(number, item)
                journal.add(entry)
            self._count(applied, item, entry)

    def _count(self, applied: Applied, item: Item, entry: JournalEntry) -> None:
        if entry.done == REFUSED:
            applied.refused[entry.reason] += 1
            return
        applied.counts[entry.done] += 1
        if entry.done == DELIVERED:
            applied.expected.append(item)
