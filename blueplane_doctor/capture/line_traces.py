"""Where the lines of transcripts left a trace: rows, dead letters, the queue stream."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from blueplane_doctor.capture.transcript_memory import TableGeneration
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import Router
from blueplane_doctor.errors import SourceError, SourceMissing
from blueplane_doctor.examination import Examination
from blueplane_doctor.files.reading import file_state
from blueplane_doctor.pipeline import CLAUDE_TABLE
from blueplane_doctor.sources.dead_letters import DeadLetterEntry, json_object
from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, entry_id
from blueplane_doctor.sources.redis_source import pairs
from blueplane_doctor.sources.trace_tables import BATCH, Lookup, RowFinder, sequence_of

_SESSION_COLUMNS = ("external_id", "session_id")
"""How the column of the session is called, today and in other branches."""
_RESERVE_SECONDS = 0.5
"""Left of the run's time, when reading the stream ends, for what follows."""


class LineKey(NamedTuple):
    """By what the row of a line is found: the unique index of the table."""

    session: str
    uuid: str


class LineTraces:
    """Looks up lines by their keys; nothing here costs more with a larger table."""

    def __init__(self, examination: Examination) -> None:
        """Raises SourceError where the database holds no table of Claude's traces."""
        self._examination = examination
        if CLAUDE_TABLE not in examination.tables():
            raise SourceMissing(f"{examination.database.what} has no table {CLAUDE_TABLE}")
        columns = examination.columns().get(CLAUDE_TABLE, frozenset())
        names = [name for name in _SESSION_COLUMNS if name in columns]
        if not names or "uuid" not in columns:
            raise SourceMissing(f"{CLAUDE_TABLE} has no column by which a line's row could be found")
        self._columns = (names[0], "uuid")
        self._rows = RowFinder(examination.database)
        self.is_partial = False
        """Whether the time was up before the stream was read to its end."""

    def generation(self) -> TableGeneration:
        """What tells this table from another one of its name. Raises SourceError."""
        database = self._examination.database
        state = file_state(database.path)
        sql = f"SELECT sequence, ingested_at FROM {CLAUDE_TABLE} ORDER BY sequence"
        first = database.rows(f"{sql} LIMIT 1")
        last = database.rows(f"{sql} DESC LIMIT 1")
        beginning = f"{state.st_dev}-{state.st_ino}"
        highest = 0
        if first and last:
            beginning += f"-{first[0][0]}-{first[0][1]}"
            highest = sequence_of(last[0][0], CLAUDE_TABLE)
        return TableGeneration(beginning, highest)

    def written(self, keys: Iterable[LineKey]) -> set[LineKey]:
        """Those whose row is there. Raises SourceError."""
        wanted = list(keys)
        lookups = [Lookup(CLAUDE_TABLE, self._columns, tuple(key)) for key in wanted]
        rows = self._rows.find(lookups)
        written = set()
        for key, sequences in zip(wanted, rows, strict=True):
            if sequences:
                written.add(key)
        return written

    def has_rows(self, session: str) -> bool:
        """Whether any row of this session is there. Raises SourceError."""
        sql = f"SELECT 1 FROM {CLAUDE_TABLE} WHERE {self._columns[0]} = ? LIMIT 1"
        return bool(self._examination.database.rows(sql, (session,)))

    def written_elsewhere(self, keys: Iterable[LineKey]) -> set[LineKey]:
        """Those whose uuid has a row under another session. Raises SourceError.

        Empty where the table has no index that begins with the uuid: it would have to be read as a whole.
        """
        by_uuid: dict[str, list[LineKey]] = {}
        for key in keys:
            by_uuid.setdefault(key.uuid, []).append(key)
        elsewhere: set[LineKey] = set()
        if not by_uuid or not self._has_uuid_index():
            return elsewhere
        uuids = list(by_uuid)
        for start in range(0, len(uuids), BATCH):
            batch = uuids[start : start + BATCH]
            marks = ", ".join("?" * len(batch))
            sql = f"SELECT DISTINCT uuid FROM {CLAUDE_TABLE} WHERE uuid IN ({marks})"
            for (uuid,) in self._examination.database.rows(sql, batch):
                elsewhere.update(by_uuid[uuid])
        return elsewhere

    def _has_uuid_index(self) -> bool:
        sql = (
            "SELECT 1 FROM pragma_index_list(?) AS list JOIN pragma_index_info(list.name) AS info "
            "WHERE info.seqno = 0 AND info.name = 'uuid'"
        )
        return bool(self._examination.database.rows(sql, (CLAUDE_TABLE,)))

    def dead_lettered(self, keys: set[LineKey]) -> set[LineKey]:
        """Those that a dead letter holds. Raises SourceError."""
        named: set[LineKey] = set()
        with suppress(SourceMissing):  # there is no stream: then nothing is in one
            for entry in self._examination.each_dead_letter(unreadable=SourceError):
                key = _key_in_letter(entry)
                if key in keys:
                    named.add(key)
        return named

    def in_stream(self, keys: set[LineKey]) -> set[LineKey]:
        """Those whose message is in the queue stream now. Raises SourceError."""
        here: set[LineKey] = set()
        if not keys:
            return here
        examination = self._examination
        try:
            stream = examination.stream()
            after = self._met_by_custody(keys, here)
            # Asked anew: what was enqueued since the stream's state was read counts as well.
            state = pairs(examination.redis.ask_one("XINFO", "STREAM", stream.queue))
        except SourceMissing:
            return here
        if len(here) < len(keys):
            last = entry_id(state["last-generated-id"])
            self._walk(keys, here, stream.queue, after, last, state["length"])
        return here

    def _met_by_custody(self, keys: set[LineKey], here: set[LineKey]) -> EntryId:
        """Add the lines that the walk of custody met without a row; gives the ID behind which it met nothing.

        Raises SourceError.
        """
        if not self._examination.is_asked_for("ledger"):
            return BEGINNING  # a walk that judges every message takes longer than one that looks for a few
        ledger = self._examination.ledger()
        if ledger.partial or ledger.unwritten.is_full:
            return BEGINNING
        for key in keys:
            if Lookup(CLAUDE_TABLE, self._columns, tuple(key)) in ledger.unwritten:
                here.add(key)
        return self._examination.stream().last_generated

    def _walk(
        self, keys: set[LineKey], here: set[LineKey], queue: str, after: EntryId, last: EntryId, length: int
    ) -> None:
        """Add the lines whose message is in this part of the stream. Raises SourceError."""
        examination = self._examination
        router = Router(examination.routes(), (CLAUDE_TABLE,), examination.columns())
        size = examination.server_info().dataset_bytes
        for page in pages(examination.redis, queue, last, after=after, length=length, dataset_bytes=size):
            for entry in page:
                message = Message(entry)
                route = router.route(message)
                if route is None:
                    continue
                for lookup in route.lookups(message):
                    if lookup.columns == self._columns and lookup.values in keys:
                        here.add(LineKey(*lookup.values))
            if len(here) == len(keys):
                break
            if examination.deadline.remaining < _RESERVE_SECONDS:
                self.is_partial = True
                break


def _key_in_letter(entry: DeadLetterEntry) -> LineKey | None:
    """The key of the line that a dead letter holds; None for any other letter."""
    inner: dict[str, Any] = json_object(entry.fields.get(b"event") or entry.fields.get(b"original_data"))
    if not inner:
        inner = {}
        for name, value in entry.fields.items():
            inner[name.decode("utf-8", "replace")] = value
    payload = inner.get("payload")
    if isinstance(payload, str | bytes):
        payload = json_object(payload)
    uuid = _member(_member(payload, "entry_data"), "uuid")
    session = inner.get("session_id")
    if isinstance(session, bytes):
        session = session.decode("utf-8", "replace")
    if not isinstance(uuid, str) or not isinstance(session, str):
        return None
    return LineKey(session, uuid)


def _member(value: Any, name: str) -> Any:
    """A member of what should be an object; None where it is none."""
    if not isinstance(value, dict):
        return None
    return value.get(name)
