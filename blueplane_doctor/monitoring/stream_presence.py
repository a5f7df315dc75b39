"""Whether the queue stream is there as it was left: what speaks for a pipeline that lost it."""

from collections.abc import Collection
from datetime import timedelta

from blueplane_doctor.connection.topology import database_of
from blueplane_doctor.errors import SourceError, SourceMissing, SourceWrongType
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.privacy.public_fields import GroupName
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.redis_info import databases, integer
from blueplane_doctor.sources.redis_source import pairs
from blueplane_doctor.sources.streams import StreamState
from blueplane_doctor.sources.trace_tables import count_rows
from blueplane_doctor.text.characters import Public
from blueplane_doctor.text.times import iso, iso_if_known

_MOST_COUNTED = 10_000
"""Rows of a table that are counted one by one: a few milliseconds."""


class StreamPresence(Record):
    """The stream beside what the database says was in it."""

    exists: bool
    cause: str = ""
    """Why there is no stream that can be read."""
    wrong_type: bool = False
    """Whether the stream's name is taken by a value of another type."""
    other_databases: list[int] = []
    """Where there is no stream: numbers of other databases of the same Redis that hold keys."""
    length: int = 0
    entries_added: int | None = None
    """Messages ever added to the stream; null before Redis 7.0, or where there is none."""
    missing_groups: list[GroupName] = []
    """Writer groups that are not there, of a stream that is."""
    rows: int | None = None
    """Rows that were ever written; null without the database."""
    rows_last_hour: int | None = None
    last_row_age_ms: int | None = None
    """Since the newest row; null when there is none."""
    last_row_timestamp: str | None = None
    """When a writer last wrote that reads no more, because the stream or its group is gone; null where none is."""
    first_message_timestamp: str | None = None
    """When the first message came into the stream, by its ID; null where that has left it."""
    redis_started_timestamp: str | None = None
    """When Redis was started, by its own clock; null where INFO does not tell."""
    rows_without_message: int | None = None
    """Rows of the last hour that are more than all messages ever added to the stream; null when that is not known."""


class StreamPresenceMonitor(Monitor):
    """Asks for the stream, and for the newest rows of the database."""

    name = "presence"
    record = StreamPresence
    in_metrics = False

    def collect(self) -> StreamPresence:
        """A record also where the stream is gone. Raises SourceError when Redis does not say whether it is there."""
        rows = self._rows()
        try:
            stream = self.examination.stream()
        except (SourceMissing, SourceWrongType) as error:
            is_taken = isinstance(error, SourceWrongType)
            gone = StreamPresence(exists=False, cause=error.message, wrong_type=is_taken)
            gone = gone.model_copy(update={"other_databases": self._other_databases(), **rows})
            return gone.model_copy(update={"last_row_timestamp": self._last_row(None)})
        missing = []
        for name in self.examination.writer_groups():
            if stream.group(name) is None:
                missing.append(name)
        rows["rows_last_hour"] = self._confirmed(rows.get("rows_last_hour"), stream)
        presence = StreamPresence(
            exists=True,
            length=stream.length,
            entries_added=stream.entries_added,
            missing_groups=missing,
            last_row_timestamp=self._last_row(missing),
            first_message_timestamp=_first_message(stream),
            redis_started_timestamp=self._redis_started(),
            rows_without_message=self._rows_without_message(stream, rows["rows_last_hour"]),
        )
        return presence.model_copy(update=rows)

    def _other_databases(self) -> list[int]:
        """INFO names each database that holds keys."""
        try:
            fields = self.examination.server_info().fields
        except SourceError:
            return []
        examined = database_of(self.examination.settings.redis_url)
        return sorted(number for number in databases(fields) if number != examined)

    def _redis_started(self) -> Public | None:
        """In whole seconds, as INFO counts its uptime, so that it is the same at each look."""
        try:
            info = self.examination.server_info()
        except SourceError:
            return None
        uptime = integer(info.fields.get("uptime_in_seconds"))
        if uptime is None:
            return None
        return iso_if_known((info.now_ms // 1000 - uptime) * 1000)

    def _rows(self) -> dict[str, int | None]:
        try:
            written = self.examination.written()
        except SourceError:
            return {}
        age_ms = None
        if written.last is not None:
            age = self.examination.now - written.last
            age_ms = max(0, int(age.total_seconds() * 1000))
        total = sum(written.rows.values())
        return {"rows": total, "rows_last_hour": written.last_hour, "last_row_age_ms": age_ms}

    def _last_row(self, groups: Collection[str] | None) -> Public | None:
        """When the newest row was written of the tables that these groups write; None: of all tables."""
        try:
            written = self.examination.written()
        except SourceError:
            return None
        if groups is None:
            return iso(written.last)
        times = []
        for route in self.examination.routes():
            if route.group in groups:
                for key in route.keys:
                    times.append(written.last_by_table.get(key.table))
        return iso(max(filter(None, times), default=None))

    def _confirmed(self, rows: int | None, stream: StreamState) -> int | None:
        """Rows of the last hour, counted one by one where their sequence numbers are more than the stream's messages.

        Numbers may have a gap. Of many rows it would say little, and counting them takes long.
        """
        if rows is None or stream.entries_added is None or not stream.entries_added < rows:
            return rows
        since = self.examination.now - timedelta(hours=1)
        try:
            count = count_rows(self.examination.database, self.examination.trace_tables(), since, _MOST_COUNTED)
        except SourceError:
            return None
        if count >= _MOST_COUNTED:
            return rows
        return min(rows, count)

    def _rows_without_message(self, stream: StreamState, rows: int | None) -> int | None:
        if rows is None or stream.entries_added is None or stream.other_queues:
            return None  # of two queues nobody knows which one the rows came through
        if rows <= stream.entries_added:
            return 0
        # The rows may have been counted after the stream: what came in between would seem to be missing.
        later = pairs(self.examination.redis.ask_one("XINFO", "STREAM", stream.queue))
        return max(0, rows - int(later.get("entries-added", rows)))


def _first_message(stream: StreamState) -> Public | None:
    if stream.first is None or stream.length != stream.entries_added:
        return None
    milliseconds, _ = stream.first
    return iso_if_known(milliseconds)


MONITOR = StreamPresenceMonitor
