"""A database whose tables hold other types than the pipeline writes: what they say is not known, all else is judged."""

import sqlite3
from contextlib import closing

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.trace import Tracer
from blueplane_doctor.model import Status
from tests.helpers import buffer_events, examined, settings_for

SECRET = "the-private-text-of-a-prompt"
VALUES: dict[str, object] = {
    "text": SECRET,
    "number as text": "12",
    "blob": SECRET.encode(),
    "null": None,
    "fraction": 1e300,
    "infinity": float("inf"),
    "negative": -5,
    "largest": 2**63 - 1,
    "empty": "",
    "long": SECRET * 10_000,
}
COLUMNS = (
    ("claude_raw_traces", "sequence"),
    ("claude_raw_traces", "ingested_at"),
    ("claude_raw_traces", "uuid"),
    ("cursor_raw_traces", "sequence"),
    ("cursor_raw_traces", "ingested_at"),
    ("cursor_raw_traces", "event_id"),
    ("cursor_sessions", "started_at"),
    ("cursor_sessions", "ended_at"),
)


def put(pipeline: Pipeline, table: str, column: str, value: object) -> None:
    """Make the table anew without types and constraints, and put the value into one column of its rows."""
    with closing(sqlite3.connect(pipeline.database, isolation_level=None)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM old_{table}")
        connection.execute(f"DROP TABLE old_{table}")
        names = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
        if not connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
            connection.execute(f"INSERT INTO {table} ({names[0]}) VALUES (1)")
        connection.execute(f"UPDATE {table} SET {column} = ?", (value,))


def put_bytes(pipeline: Pipeline, table: str, column: str) -> None:
    """Put text there that is not UTF-8."""
    put(pipeline, table, column, None)
    with closing(sqlite3.connect(pipeline.database, isolation_level=None)) as connection:
        connection.execute(f"UPDATE {table} SET {column} = CAST(? AS TEXT)", (b"\xff\xfe" + SECRET.encode(),))


@pytest.fixture
def written(pipeline: Pipeline) -> Pipeline:
    pipeline.open_session()
    pipeline.enqueue_cursor(3)
    pipeline.enqueue_claude(3)
    pipeline.drain()
    return pipeline


def assert_right(pipeline: Pipeline) -> None:
    """Nothing broke, nothing private is shown, Redis is judged, and a message can be traced."""
    report = examined(pipeline)
    text = report.model_dump_json()
    assert "monitor broke" not in text
    assert SECRET not in text
    assert not [finding.id for finding in report.findings if finding.status is Status.ERROR]
    assert [finding.id for finding in report.findings if finding.area == "redis" and finding.status.severity >= 0]
    with closing(Examination(settings_for(pipeline))) as examination:
        first = examination.stream().first
        assert first is not None
        traces = Tracer(examination).trace([f"{first[0]}-{first[1]}"])
    assert SECRET not in traces[0].model_dump_json()


@pytest.mark.parametrize(("table", "column"), [("cursor_raw_traces", "sequence"), ("cursor_sessions", "started_at")])
@pytest.mark.parametrize("value", ["text", "fraction"])
def test_a_value_of_another_type(written: Pipeline, table: str, column: str, value: str) -> None:
    put(written, table, column, VALUES[value])
    assert_right(written)


def test_text_that_is_not_utf_8(written: Pipeline) -> None:
    put_bytes(written, "claude_raw_traces", "ingested_at")
    assert_right(written)


def test_the_table_is_named(written: Pipeline) -> None:
    put(written, "cursor_raw_traces", "sequence", SECRET)
    report = examined(written)
    causes = [finding.cause for finding in report.findings if finding.area == "database"]
    assert any("cursor_raw_traces is not as the pipeline makes it" in cause for cause in causes)


@pytest.mark.slow
@pytest.mark.parametrize(("table", "column"), COLUMNS)
@pytest.mark.parametrize("value", VALUES)
def test_every_value_of_another_type(written: Pipeline, table: str, column: str, value: str) -> None:
    put(written, table, column, VALUES[value])
    assert_right(written)


@pytest.mark.slow
@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_every_text_that_is_not_utf_8(written: Pipeline, table: str, column: str) -> None:
    put_bytes(written, table, column)
    assert_right(written)


@pytest.mark.slow
@pytest.mark.parametrize("value", ["x", "9" * 400, b"blob", 1e300, None])
def test_a_counter_of_another_type(written: Pipeline, value: object) -> None:
    with closing(sqlite3.connect(written.database, isolation_level=None)) as connection:
        connection.execute("DELETE FROM cursor_raw_traces")
        connection.execute("UPDATE sqlite_sequence SET seq = ?", (value,))
    assert_right(written)


def test_events_of_the_buffer_are_counted_whatever_they_hold(written: Pipeline) -> None:
    buffer_events(written, 3)
    with closing(sqlite3.connect(written.home / "event_buffer.db", isolation_level=None)) as connection:
        connection.execute("UPDATE buffered_events SET event_data = CAST(x'ff00ff' AS TEXT), timestamp = 1e300")
    report = examined(written)
    (buffer,) = [finding for finding in report.findings if finding.id == "undrained-buffer"]
    assert buffer.observed == 3
