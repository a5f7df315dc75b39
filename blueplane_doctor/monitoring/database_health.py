"""The database: what was written lately, and how large it is."""

from datetime import datetime
from pathlib import Path

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.files.reading import file_state
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.privacy.public_fields import TableName
from blueplane_doctor.recording.reading import Recorded
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.database_files import write_ahead_log
from blueplane_doctor.sources.server_log import LogTail
from blueplane_doctor.text.times import from_milliseconds, iso


class DatabaseHealth(Record):
    """Writes to the telemetry database. What only the recorder can measure is null without it: of the last hour."""

    tables: dict[TableName, int]
    """Highest sequence number of each table that traces are written to."""
    write_success_count: int | None = None
    """Batches that were written."""
    write_failure_count: int | None = None
    """Batches that were not."""
    write_success_rate: float | None = None
    """Share of successes, 0.0 to 1.0."""
    write_latency_p95_ms: float | None = None
    """95 of 100 batches took this long or less; at most 1 % off."""
    recorder_ran: bool | None = None
    """Whether a recorder counted anything at all in the last hour; null where that could not be read."""
    recorded_minutes: int = 0
    """Minutes of the last hour in which the recorder counted writes."""
    recorded_cause: str = ""
    """Why there are none."""
    recorded_hint: str = ""
    """What to do about it, where Redis refuses to tell."""
    write_throughput_events_per_sec: float
    """Rows written a second, mean of the last 60 seconds."""
    written_last_hour: int
    """Rows."""
    last_successful_write_timestamp: str | None
    """Time of the newest row; null when there is none."""
    last_successful_write_age_ms: int | None
    """Since the newest row; null when there is none."""
    last_failed_write_timestamp: str | None
    """The newest error of a writer in the log's tail, or the newest failure that was recorded."""
    db_size_mb: float
    """Of the database file."""
    wal_size_mb: float
    """0 when there is no write-ahead log: nobody has the database open."""


class DatabaseHealthMonitor(Monitor):
    """Reads the newest rows and the files' sizes."""

    name = "database"
    record = DatabaseHealth

    def collect(self) -> DatabaseHealth:
        """Raises SourceError."""
        examination = self.examination
        written = examination.written()
        recorded = examination.recorded()
        file = examination.settings.database_file
        age_ms = None
        if written.last is not None:
            age = examination.now - written.last
            age_ms = max(0, int(age.total_seconds() * 1000))
        cause = ""
        if not recorded.writes:
            cause = recorded.cause or f"no write was recorded in the last {recorded.minutes} min"
        return DatabaseHealth(
            tables=dict(sorted(written.rows.items())),
            write_success_count=recorded.writes_ok,
            write_failure_count=recorded.writes_failed,
            write_success_rate=recorded.write_success_rate,
            write_latency_p95_ms=recorded.write_p95_ms,
            recorder_ran=recorded.recorder_ran,
            recorded_minutes=recorded.minutes_with_writes,
            recorded_cause=cause,
            recorded_hint=recorded.hint,
            write_throughput_events_per_sec=round(written.last_minute / 60, 3),
            written_last_hour=written.last_hour,
            last_successful_write_timestamp=iso(written.last),
            last_successful_write_age_ms=age_ms,
            last_failed_write_timestamp=iso(_last_failure(examination.log(), recorded)),
            db_size_mb=_megabytes(file),
            wal_size_mb=_megabytes(write_ahead_log(file)),
        )


def _last_failure(log: LogTail, recorded: Recorded) -> datetime | None:
    """The newer one of what the log and the recorder know."""
    failures = []
    if log.last_write_failure is not None:
        failures.append(log.last_write_failure)
    if recorded.last_failed_write_ms is not None:
        failures.append(from_milliseconds(recorded.last_failed_write_ms))
    return max(failures, default=None)


def _megabytes(file: Path) -> float:
    """The size of a file in MB; 0 when it is not there."""
    try:
        return round(file_state(file).st_size / 1_000_000, 3)
    except FileUnreadable:
        return 0.0


MONITOR = DatabaseHealthMonitor
