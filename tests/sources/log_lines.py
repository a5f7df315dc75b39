"""Lines of a server's log, at a time of a test's choice."""

from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
WRITER = "src.processing.cursor.raw_traces_writer"
NOGROUP = "Error consuming events: NOGROUP No such key 'telemetry:message_queue' or consumer group 'processors'"


def line(level: str, minutes_ago: float, logger: str = "server", message: str = "said") -> str:
    when = (NOW - timedelta(minutes=minutes_ago)).astimezone()
    return f"{when:%Y-%m-%d %H:%M:%S} - {logger} - {level} - {message}\n"
