"""One marked event through the real way in, timed hop by hop until its row is there."""

import json
import time
import uuid
from datetime import UTC, datetime

from blueplane_doctor.custody.states import LOST, WAITING, WRITTEN, PendingEntry, RowEvidence, state_of
from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.examination import Examination
from blueplane_doctor.layouts import Route
from blueplane_doctor.records.base import Record
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.entry_ids import entry_id, id_text
from blueplane_doctor.sources.redis_source import pairs
from blueplane_doctor.sources.trace_tables import sequence_of
from blueplane_doctor.text.times import iso
from blueplane_hook import events

MARK = "blueplane_doctor_probe"
"""`event_type` and `hook_type` of a probe, by which its message and its row differ from real ones."""
_SESSION = "blueplane-doctor-probe"
_POST_SECONDS = 2.0
_SPARE_SECONDS = 2.0
"""Beyond the time to watch, for what is read before and after; a reply that drips ends with it."""
_LOOK_SECONDS = 0.02
"""Between two looks; also the resolution of the times."""
HOPS = ("accepted", "in the stream", "delivered", "row written", "acknowledged")


class Hop(Record):
    """One station of the way."""

    name: str
    milliseconds: float | None
    """After the event was sent; null when it never got there."""


class Probe(Record):
    """What became of the event."""

    event_id: str
    sent_at: str
    """ISO 8601, UTC."""
    arrived: bool
    """Whether its row is there and its message acknowledged."""
    hops: list[Hop]
    queue: str
    group: str
    stream_id: str | None
    """ID of its entry in the stream."""
    table: str | None
    sequence: int | None
    """Its row, by the table's `sequence`."""
    cause: str = ""
    """How far it came, when it did not arrive."""
    recognise: str
    """A query that finds the row of this probe."""


def probe(settings: Settings, limit: float) -> Probe:
    """Send the event and watch it for at most `limit` seconds. Raises SourceError when nothing could be watched."""
    examination = Examination(settings.model_copy(update={"timeout": limit + _SPARE_SECONDS}))
    try:
        return _Watch(examination).run(limit)
    finally:
        examination.close()


class _Watch:
    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        stream = examination.stream()
        self._queue = stream.queue
        self._after = id_text((stream.last_generated[0], stream.last_generated[1] + 1))
        self._group, self._tables = _destination(examination.routes(), examination.trace_tables())
        self._address = events.address_of(examination.settings.http_url)
        self._id = str(uuid.uuid4())
        self._seen: dict[str, float] = {}
        self._entry: str | None = None
        self._row: tuple[str, int] | None = None
        self._state = ""
        """Its state of custody, from its entry in the stream on."""

    def run(self, limit: float) -> Probe:
        sent_at = datetime.now(UTC)
        self._began = time.monotonic()
        outcome = events.post(self._address, self._body(sent_at), self._began + min(limit, _POST_SECONDS))
        if outcome == events.DELIVERED:
            self._mark("accepted")
        # Watched even when no answer came: a server that hangs may have enqueued it all the same.
        while outcome != events.REFUSED and not self._look() and time.monotonic() < self._began + limit:
            time.sleep(_LOOK_SECONDS)
        return self._result(sent_at, outcome)

    def _body(self, sent_at: datetime) -> bytes:
        event = {
            "event_id": self._id,  # the server keeps it; it is sent once, so that no writer meets it twice
            "hook_type": MARK,
            "event_type": MARK,
            "timestamp": sent_at.isoformat(),
            "payload": {"full_data": {MARK: self._id}},
            "metadata": {"workspace_hash": MARK, "external_session_id": _SESSION},
        }
        return json.dumps({"event": event, "platform": "cursor", "session_id": _SESSION}).encode()

    def _mark(self, hop: str) -> None:
        self._seen.setdefault(hop, round((time.monotonic() - self._began) * 1000, 1))

    def _look(self) -> bool:
        self._entry = self._entry or self._find_entry()
        delivered = False
        pending = None
        if self._entry:
            delivered, pending = self._delivery(self._entry)
        # The row after the group: what the group acknowledged was written before.
        self._row = self._row or self._find_row()
        if self._entry:
            row = RowEvidence.CLAIMED if self._row else RowEvidence.ABSENT
            self._state = state_of(has_writer=True, is_delivered=delivered, pending=pending, row=row)
        acknowledged = delivered and pending is None
        for hop, reached in zip(HOPS[1:], (self._entry, delivered, self._row, acknowledged), strict=True):
            if reached:
                self._mark(hop)
        return self._arrived

    @property
    def _arrived(self) -> bool:
        return self._state == WRITTEN

    def _find_entry(self) -> str | None:
        """Among those added since: a look reads what came after the last one."""
        page = self._examination.redis.ask_one("XRANGE", self._queue, self._after, "+", "COUNT", 50)
        for raw_id, fields in page:
            milliseconds, sequence = entry_id(raw_id)
            self._after = id_text((milliseconds, sequence + 1))
            if self._id.encode() in fields[1::2]:
                return id_text((milliseconds, sequence))
        return None

    def _delivery(self, entry: str) -> tuple[bool, PendingEntry | None]:
        """Whether the group was given the entry, and what its pending entries list says of it."""
        redis = self._examination.redis
        last = b"0-0"
        for group in map(pairs, redis.ask_one("XINFO", "GROUPS", self._queue)):
            if group["name"] == self._group.encode():
                last = group["last-delivered-id"]
        if entry_id(last) < entry_id(entry.encode()):
            return False, None
        rows = redis.ask_one("XPENDING", self._queue, self._group, entry, entry, 1)
        return True, PendingEntry.of(*rows[0]) if rows else None

    def _find_row(self) -> tuple[str, int] | None:
        for table in self._tables:
            rows = self._examination.database.rows(f'SELECT sequence FROM "{table}" WHERE event_id = ?', (self._id,))
            if rows:
                return table, sequence_of(rows[0][0], table)
        return None

    def _result(self, sent_at: datetime, outcome: str) -> Probe:
        table = None
        sequence = None
        if self._row:
            table, sequence = self._row
        cause = ""
        if not self._arrived:
            cause = self._cause(outcome)
        hops = []
        for name in HOPS:
            hops.append(Hop(name=name, milliseconds=self._seen.get(name)))
        return Probe(
            event_id=self._id,
            sent_at=iso(sent_at) or "",
            arrived=self._arrived,
            hops=hops,
            queue=self._queue,
            group=self._group,
            stream_id=self._entry,
            table=table,
            sequence=sequence,
            cause=cause,
            recognise=f"SELECT * FROM {table or self._tables[0]} WHERE event_id = '{self._id}'",
        )

    def _cause(self, outcome: str) -> str:
        server = f"the server on port {self._address[1]}"
        if outcome == events.REFUSED:
            return f"{server} refused the event"
        if outcome == events.FAILED and self._entry is None:
            return f"{server} did not accept the event"
        if self._entry is None:
            return f"accepted, and no entry of it appeared in {self._queue}: does the server use this Redis?"
        if self._state == WAITING:
            return f"in the stream, and not given to group {self._group}: its writer does not read"
        if self._state == LOST:
            return f"given to group {self._group}, and no row of it: acknowledged all the same"
        if self._row is None:
            return f"given to group {self._group}, and no row of it: not acknowledged either"
        return f"its row is there, and group {self._group} did not acknowledge it"


def _destination(routes: tuple[Route, ...], there: tuple[str, ...]) -> tuple[str, list[str]]:
    """The group that writes Cursor's events, and the tables whose rows have an event_id."""
    for route in routes:
        tables = []
        for key in route.keys:
            if key.table in there and set(key.columns) == {"event_id"}:
                tables.append(key.table)
        if tables:
            return route.group, tables
    raise SourceMissing(
        "no route leads to a table where a row is found by its event_id", "see: blueplane-doctor settings"
    )
