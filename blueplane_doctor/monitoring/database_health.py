"""The database: what was written lately, and how large it is."""

from typing import ClassVar

from blueplane_doctor.model import Record
from blueplane_doctor.monitoring.base import Monitor
from blueplane_doctor.times import iso


class DatabaseHealth(Record):
    """Writes to the telemetry database. What only the recorder can measure is null without it."""

    tables: dict[str, int]
    """Highest sequence number of each table that traces are written to."""
    write_success_count: int | None = None
    write_failure_count: int | None = None
    write_success_rate: float | None = None
    """Percent."""
    write_latency_p95_ms: float | None = None
    write_throughput_events_per_sec: float
    """Rows written a second, mean of the last 60 seconds."""
    written_last_hour: int
    last_successful_write_timestamp: str | None
    last_successful_write_age_ms: int | None
    last_failed_write_timestamp: str | None
    """The newest error of a writer in the log's tail."""
    db_size_mb: float
    wal_size_mb: float
    """0 when there is no write-ahead log: nobody has the database open."""


class DatabaseHealthMonitor(Monitor):
    """Reads the newest rows and the files' sizes."""

    name: ClassVar[str] = "database"
    record: ClassVar[type[Record]] = DatabaseHealth

    def collect(self) -> DatabaseHealth:
        """Raises SourceError."""
        examination = self.examination
        written = examination.written()
        file = examination.settings.database_file
        log = file.with_name(file.name + "-wal")
        age = None if written.last is None else (examination.now - written.last).total_seconds() * 1000
        return DatabaseHealth(
            tables=dict(sorted(written.rows.items())),
            write_throughput_events_per_sec=round(written.last_minute / 60, 3),
            written_last_hour=written.last_hour,
            last_successful_write_timestamp=iso(written.last),
            last_successful_write_age_ms=None if age is None else max(0, int(age)),
            last_failed_write_timestamp=iso(examination.log().last_write_failure),
            db_size_mb=round(file.stat().st_size / 1_000_000, 3) if file.is_file() else 0.0,
            wal_size_mb=round(log.stat().st_size / 1_000_000, 3) if log.is_file() else 0.0,
        )
