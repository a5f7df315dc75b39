"""Takes a repair back, as far as that is possible: what was delivered or written stays, and is said."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.examination import Examination
from blueplane_doctor.process.interruption import Whole
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.applying import LONGEST_SECONDS, writing_connection
from blueplane_doctor.repair.following import Follower
from blueplane_doctor.repair.journal import UNDONE, JournalEntry
from blueplane_doctor.repair.locking import LOCK_MS, locked
from blueplane_doctor.repair.plan import Item, Plan, Source
from blueplane_doctor.repair.refusals import refuse_another_redis, refuse_another_to_write_to
from blueplane_doctor.repair.replies import checked
from blueplane_doctor.repair.spool_taking import give_back, taken_lines
from blueplane_doctor.repair.steps import ACKNOWLEDGED, DELIVERED, REMOVED, SET_ASIDE
from blueplane_doctor.repair.store import RepairFiles, Store
from blueplane_doctor.repair.verifying import has_row
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.spooled_events import spooled_id
from blueplane_doctor.sources.trace_tables import RowFinder

_STAYS = {
    scripts.DELIVERED: "its copy was given to a reader already",
    scripts.MOVED: "its group was made anew or moved back: pending once more it would be delivered twice",
    scripts.ORIGINAL_GONE: "its original left the stream, so nobody could be made to hold it again",
}
_REVERSIBLE = (DELIVERED, SET_ASIDE, ACKNOWLEDGED)


@dataclass
class Undone:
    """What was taken back."""

    taken_back: int = 0
    stays: Counter[str] = field(default_factory=Counter)
    """What was not, by the reason."""


def undo(settings: Settings, store: Store, plan: Plan, write_url: str) -> Undone:
    """Take back what can be, the last first. Raises RepairRefused, SourceError and UsageError."""
    files = store.files(plan.id)
    with ExitStack() as stack:
        longer = settings.model_copy(update={"timeout": LONGEST_SECONDS})
        examination = stack.enter_context(closing(Examination(longer)))
        writing = stack.enter_context(closing(writing_connection(write_url)))
        done = files.done()
        run_id = examination.server_info().fields.get("run_id", "")
        is_restarted = run_id != plan.run_id
        if is_restarted and (not taken_lines(files.folder) or examination.redis.address != plan.address):
            refuse_another_redis(plan, run_id, is_begun=files.is_begun)
        refuse_another_to_write_to(examination.redis, writing, plan.queue)
        token = stack.enter_context(locked(store, writing, plan.queue))
        rows = RowFinder(examination.database)
        if is_restarted:
            # A restart may have lost copies; what left the spool can go back all the same.
            undone = Undone(_give_back_what_was_only_taken(plan, files, rows, examination, {}))
            if done:
                undone.stays["Redis was restarted since: what it holds now is another state"] = len(done)
            return undone
        steps = _Back(plan, rows, writing, token)
        journal = stack.enter_context(files.journaling())
        undone = Undone(_give_back_what_was_only_taken(plan, files, rows, examination, done))
        for number, entry in sorted(done.items(), reverse=True):
            if not 0 <= number < len(plan.items):
                continue  # a damaged line
            with Whole():
                item = plan.items[number]
                reason = steps.take_back(item, entry)
                if reason:
                    undone.stays[reason] += 1
                else:
                    if item.source is Source.SPOOL:
                        give_back(Path(plan.home), files.folder, {item.id})
                    journal.add(JournalEntry(number, UNDONE))
                    undone.taken_back += 1
        _note_in_result(files, undone.taken_back)
        return undone


def _note_in_result(files: RepairFiles, taken_back: int) -> None:
    """So that the list of plans does not show what was taken back as done."""
    result = files.result()
    if result is not None and taken_back:
        files.write_result({**result, "taken_back": int(result.get("taken_back") or 0) + taken_back})


def _give_back_what_was_only_taken(
    plan: Plan, files: RepairFiles, rows: RowFinder, examination: Examination, done: Mapping[int, JournalEntry]
) -> int:
    """Put back what left the hook's spool and was not delivered, for the repair ended before; how many.

    `done`: what was done, as far as it may be believed. Raises SourceError and RepairRefused.
    """
    if not any(item.source is Source.SPOOL for item in plan.items):
        return 0
    taken = {spooled_id(line) for line in taken_lines(files.folder)}
    if not taken:
        return 0
    copies = _copies(plan, examination)
    identities = set()
    for number, item in enumerate(plan.items):
        is_delivered = number in done or item.origin in copies
        if item.source is not Source.SPOOL or item.id not in taken or is_delivered:
            continue
        # Its copy may have been written and trimmed since: once more in the spool it would be delivered twice.
        if not has_row(rows, item.keys):
            identities.add(item.id)
    return give_back(Path(plan.home), files.folder, identities)


def _copies(plan: Plan, examination: Examination) -> Mapping[str, str]:
    """The IDs of the copies in the stream, by what they are marked with. Raises SourceError."""
    try:
        follower = Follower(examination, plan)
        follower.catch_up()
    except SourceMissing:  # a restart may have lost the stream
        return {}
    return follower.copies


class _Back:
    """Takes single items back."""

    def __init__(self, plan: Plan, rows: RowFinder, writing: Connection, token: str) -> None:
        self._plan = plan
        self._rows = rows
        self._writing = writing
        self._token = token

    def take_back(self, item: Item, entry: JournalEntry) -> str:
        """Take one item back; why that is not possible, else nothing. Raises SourceError and RepairRefused."""
        if entry.done == REMOVED:
            return "its dead letter was removed once its row was seen; it is in the file of saved messages"
        if item.source is Source.GONE:
            return "its content had left the stream before it was acknowledged"
        if entry.done not in _REVERSIBLE:
            return f"what was {entry.done} cannot be taken back"
        # Pending once more beside its row, it would make the batch of a writer that tries again fail for ever.
        if has_row(self._rows, item.keys):
            return "it is written already"
        copy_stream = ""
        if entry.done == SET_ASIDE:
            copy_stream = self._plan.dead_letters
        original = item.id
        if item.source is not Source.STREAM:
            original = entry.copy_id  # without holdings nothing is made for it
        command = scripts.take_back(
            self._plan.queue,
            self._token,
            LOCK_MS,
            copy_id=entry.copy_id,
            copy_stream=copy_stream,
            original=original,
            holdings=item.holdings,
        )
        result = checked(self._writing.ask_one(*command))
        if isinstance(result, int) and result in _STAYS:
            return _STAYS[result]
        return ""
