"""The database: what was written lately, and how large it is."""

from pathlib import Path

from blueplane_doctor.model import Record
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.times import from_milliseconds, iso


class DatabaseHealth(Record):
    """Writes to the telemetry database. What only the recorder can measure is null without it: of the last hour."""

    tables: dict[str, int]
    """Highest sequence number of each table that traces are written to."""
    write_success_count: int | None = None
    """Batches."""
    write_failure_count: int | None = None
    write_success_rate: float | None = None
    """Percent."""
    write_latency_p95_ms: float | None = None
    """95 of 100 batches took this long or less; at most 1 % off."""
    recorded_minutes: int = 0
    """Minutes of the last hour in which the recorder counted writes."""
    recorded_cause: str = ""
    """Why there are none."""
    recorded_hint: str = ""
    """What to do about it, where Redis refuses to tell."""
    write_throughput_events_per_sec: float
    """Rows written a second, mean of the last 60 seconds."""
    written_last_hour: int
    last_successful_write_timestamp: str | None
    last_successful_write_age_ms: int | None
    last_failed_write_timestamp: str | None
    """The newest error of a writer in the log's tail, or the newest failure that was recorded."""
    db_size_mb: float
    wal_size_mb: float
    """0 when there is no write-ahead log: nobody has the database open."""


class DatabaseHealthMonitor(Monitor):
    """Reads the newest rows and the files' sizes."""

    name = "database"
    record = DatabaseHealth

    def collect(self) -> DatabaseHealth:
        """Raises SourceError."""
        examination = self.examination
        written, recorded = examination.written(), examination.recorded()
        file = examination.settings.database_file
        age = None if written.last is None else (examination.now - written.last).total_seconds() * 1000
        failures = [examination.log().last_write_failure]
        if recorded.last_failed_write_ms is not None:
            failures.append(from_milliseconds(recorded.last_failed_write_ms))
        nothing = recorded.cause or f"no write was recorded in the last {recorded.minutes} min"
        return DatabaseHealth(
            tables=dict(sorted(written.rows.items())),
            write_success_count=recorded.writes_ok,
            write_failure_count=recorded.writes_failed,
            write_success_rate=recorded.write_success_percent,
            write_latency_p95_ms=recorded.write_p95_ms,
            recorded_minutes=recorded.minutes_with_writes,
            recorded_cause="" if recorded.writes else nothing,
            recorded_hint=recorded.hint,
            write_throughput_events_per_sec=round(written.last_minute / 60, 3),
            written_last_hour=written.last_hour,
            last_successful_write_timestamp=iso(written.last),
            last_successful_write_age_ms=None if age is None else max(0, int(age)),
            last_failed_write_timestamp=iso(max((moment for moment in failures if moment), default=None)),
            db_size_mb=_megabytes(file),
            wal_size_mb=_megabytes(file.with_name(file.name + "-wal")),
        )


def _megabytes(file: Path) -> float:
    return round(file.stat().st_size / 1_000_000, 3) if file.is_file() else 0.0


MONITOR = DatabaseHealthMonitor
