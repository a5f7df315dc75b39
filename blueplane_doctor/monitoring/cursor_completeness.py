"""Cursor's own databases against what was captured: did every composer and bubble that changed reach its row?"""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.capture.cursor_states import (
    ITEM_STATES,
    MISSING,
    NEVER_CAPTURED,
    OUTDATED,
    Moment,
    states_of,
)
from blueplane_doctor.custody.carried import CarriedItems
from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.pipeline import SESSIONS_TABLE, TRACE_TABLES
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.cursor_extension import extensions
from blueplane_doctor.sources.cursor_items import Budget, Changed, changed_in_global, changed_in_workspace
from blueplane_doctor.sources.cursor_places import CursorDatabase, databases
from blueplane_doctor.sources.cursor_rows import newest_rows
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.deleted_rows import read_beginnings
from blueplane_doctor.text.times import iso_of_milliseconds, milliseconds_of

_MOST_DATABASES = 50
"""Of those that changed in the window, the ones that are read: each takes about a millisecond to be opened."""
_CURSOR_TABLE = TRACE_TABLES[0]


class WorkspaceItems(Record):
    """What changed in one workspace's database."""

    workspace: int
    """A number from 1, in the order of Cursor's folders; 0: the global database."""
    changed: int
    missing: int
    """Those without a row of which nothing else is known."""
    announced: bool | None
    """Whether the extension told the server of its window in this time; null for the global database, and where the
    folder of the workspace is not known."""
    watched: bool
    """Whether the server looks at this database, as far as can be told."""


class CursorCompleteness(Record):
    """Composers and bubbles of Cursor's databases, by what became of them. They add up to `changed`."""

    is_there: bool = True
    """Whether Cursor has a database here."""
    is_set_up: bool = True
    """Whether something of Cursor was ever captured here, or was meant to be: a row, a session, the extension."""
    cause: str = ""
    """Why nothing, or not all, is known."""
    since: str = "24h"
    """What changed within this time is compared, as the settings give it."""
    databases: int = 0
    """Databases that changed in the window and were read."""
    unread: int = 0
    """Databases that changed in the window and could not be read."""
    partial: bool = False
    """Whether more may have changed than was read: the reading is bounded."""
    changed: int = 0
    """Things that changed in the window."""
    by_outcome: dict[str, int] = {}
    """The same by state: `written`, `outdated`, `in_stream`, `dead_lettered`, `too_young`, `before_capture`,
    `never_captured`, `missing`."""
    never_captured: dict[str, int] = {}
    """Those that the server never sends, by the kind: `generation`, `prompt`, `composer`, `bubble`."""
    missing_items: int | None = 0
    """Things of which nothing was captured; null where that is not known."""
    first_missing: str | None = None
    """When the first of them changed."""
    workspaces: list[WorkspaceItems] = []
    """The databases in which something changed."""


class _Judged(NamedTuple):
    """The items of one database, each with its state."""

    database: CursorDatabase
    changed: Changed
    states: list[str]

    def count(self, state: str) -> int:
        return self.states.count(state)


class CursorCompletenessMonitor(Monitor):
    """Compares Cursor's databases with the rows and with what is on its way."""

    name = "cursor"
    record = CursorCompleteness

    def collect(self) -> CursorCompleteness:
        """Without Cursor, or where nothing of it was ever captured, a record that says so. Raises SourceError."""
        settings = self.examination.settings
        there = databases(settings)
        if not there:
            return CursorCompleteness(since=settings.since, is_there=False, is_set_up=False)
        began_ms = self._began_ms()
        if began_ms is None:
            return CursorCompleteness(since=settings.since, is_set_up=False)
        since_ms = self.examination.now_ms() - int(1000 * settings.since_seconds)
        reader = _Reader(self.examination, since_ms, began_ms)
        recent = [one for one in there if one.modified_ms() >= since_ms]
        recent.sort(key=CursorDatabase.modified_ms, reverse=True)
        for database in recent[:_MOST_DATABASES]:
            reader.read(database)
        return reader.record(is_partial=len(recent) > _MOST_DATABASES, announced=self._announced(since_ms))

    def _began_ms(self) -> int | None:
        """When capture of Cursor began here, in milliseconds since 1970; None where it never did."""
        began = [one.installed_ms for one in extensions(Path.home())]
        database = self.examination.database
        if _CURSOR_TABLE in self.examination.tables():
            beginning = read_beginnings(database, (_CURSOR_TABLE,)).get(_CURSOR_TABLE)
            if beginning and beginning.first_ms is not None:
                if beginning.rows_before:
                    return beginning.first_ms  # rows from before that were deleted since
                began.append(beginning.first_ms)
        if SESSIONS_TABLE in self.examination.tables():
            ((first,),) = database.rows(f"SELECT min(started_at) FROM {SESSIONS_TABLE}")
            first_ms = milliseconds_of(str(first))
            if first_ms is not None:
                began.append(first_ms)
        return min(began, default=None)

    def _announced(self, since_ms: int) -> frozenset[str]:
        """What the extension calls the workspaces of which it told the server in the window."""
        if SESSIONS_TABLE not in self.examination.tables():
            return frozenset()
        sql = f"SELECT workspace_hash, started_at, ended_at FROM {SESSIONS_TABLE}"
        names = set()
        for name, _, ended in self.examination.database.rows(f"{sql} ORDER BY started_at DESC LIMIT 1000"):
            ended_ms = milliseconds_of(str(ended))
            if ended_ms is None or ended_ms >= since_ms:
                names.add(str(name))
        return frozenset(names)


class _Reader:
    """Reads one database after another, and adds up."""

    def __init__(self, examination: Examination, since_ms: int, began_ms: int) -> None:
        self._examination = examination
        self._since_ms = since_ms
        self._began_ms = began_ms
        self._budget = Budget(examination.deadline)
        self._judged: list[_Judged] = []
        self._unread = 0
        self._cause = ""
        self._carried: CarriedItems | None = None
        try:
            self._carried = _carried(examination)
        except SourceError as error:
            self._cause = error.message

    def read(self, database: CursorDatabase) -> None:
        """Read what changed in a database, and judge it. Raises SourceError where rows cannot be read."""
        modified_ms = database.modified_ms()
        try:
            changed = self._changed_in(database)
        except SourceError as error:
            self._unread += 1
            self._cause = self._cause or error.message
            return
        rows = newest_rows(self._examination.database, changed.items)
        is_looked_at = database.workspace > 0 or database.is_watched
        moment = Moment(self._examination.now_ms(), modified_ms, self._began_ms, is_looked_at)
        states = states_of(changed.items, rows, self._carried or CarriedItems(), moment)
        self._judged.append(_Judged(database, changed, states))

    def _changed_in(self, database: CursorDatabase) -> Changed:
        """Raises SourceError."""
        what = "Cursor's global database"
        question = changed_in_global
        if database.workspace:
            what = "Cursor's database of a workspace"
            question = changed_in_workspace
        deadline = self._examination.deadline
        # Closed at once: where Cursor ends meanwhile, the last to close its database tidies up beside it.
        with closing(DatabaseSource(database.path, deadline, what=what, without_locks=True)) as source:
            return source.read(lambda connection: question(connection, self._since_ms, self._budget))

    def record(self, *, is_partial: bool, announced: frozenset[str]) -> CursorCompleteness:
        """What was found."""
        states: Counter[str] = Counter()
        never: Counter[str] = Counter()
        missing_ms = []
        for judged in self._judged:
            states.update(judged.states)
            is_partial = is_partial or judged.changed.is_partial
            for item, state in zip(judged.changed.items, judged.states, strict=True):
                if state == NEVER_CAPTURED:
                    never[item.kind] += 1
                elif state == MISSING:
                    missing_ms.append(item.since_ms)
        missing: int | None = states[MISSING]
        if self._carried is None and (missing or states[OUTDATED]):
            missing = None  # a message on its way may carry any of them
        first_missing = None
        if missing_ms:
            first_missing = iso_of_milliseconds(min(missing_ms))
        workspaces = []
        for judged in self._judged:
            if judged.states:
                workspaces.append(_workspace(judged, announced))
        return CursorCompleteness(
            since=self._examination.settings.since,
            cause=self._cause,
            databases=len(self._judged),
            unread=self._unread,
            partial=is_partial,
            changed=states.total(),
            by_outcome={state: states[state] for state in ITEM_STATES},
            never_captured=dict(sorted(never.items())),
            missing_items=missing,
            first_missing=first_missing,
            workspaces=workspaces,
        )


def _carried(examination: Examination) -> CarriedItems:
    """What is on its way. Raises SourceError where that is not known."""
    ledger = examination.ledger()
    if ledger.partial or ledger.carried.is_full:
        raise SourceError("the stream was not read to its end, so what is on its way is not known")
    return ledger.carried


def _workspace(judged: _Judged, announced: frozenset[str]) -> WorkspaceItems:
    database = judged.database
    is_announced: bool | None = None
    if database.workspace_hash:
        is_announced = database.workspace_hash in announced
    return WorkspaceItems(
        workspace=database.workspace,
        changed=len(judged.states),
        missing=judged.count(MISSING),
        announced=is_announced,
        watched=database.is_watched,
    )


MONITOR = CursorCompletenessMonitor
