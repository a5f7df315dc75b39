"""Rows and the messages that have them: a row is claimed once, and a database that fails is asked no more."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.row_claims import RowClaims
from blueplane_doctor.demo import schema
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.trace_tables import Lookup, RowFinder

TABLE = "cursor_raw_traces"
MOMENT = "2026-03-14T09:26:53.000Z"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[DatabaseSource]:
    path = tmp_path / "telemetry.db"
    schema.create_database(path)
    with closing(schema.connect(path)) as connection:
        for sequence, key in ((1, "a"), (2, "b")):
            connection.execute(
                f"INSERT INTO {TABLE} (sequence, event_id, event_type, timestamp, storage_level, workspace_hash, "
                "database_table, item_key, event_data) VALUES (?, ?, '', ?, '', '', '', '', x'00')",
                (sequence, key, MOMENT),
            )
        connection.commit()
    database = DatabaseSource(path, Deadline(10))
    yield database
    database.close()


def key(value: str, table: str = TABLE) -> Lookup:
    return Lookup(table, ("event_id",), (value,))


def message(payload: str, timestamp: str = MOMENT) -> Message:
    fields = [b"payload", payload.encode(), b"timestamp", timestamp.encode()]
    return Message((b"1-0", fields))


def test_a_row_is_claimed_once() -> None:
    claims = RowClaims(None)
    rows = (0, 1, 7, 4_095, 4_096, 30_000_000, 1 << 62)
    for row in rows:
        for table in (TABLE, "claude_raw_traces"):
            assert claims.claim([key("a", table)], [[row]], 0) == (table, row), "each table has rows of its own"
            assert claims.claim([key("a", table)], [[row]], 0) is None
    assert claims.claimed == 2 * len(rows)


def test_a_message_has_the_first_row_of_its_keys_that_no_earlier_one_has() -> None:
    claims = RowClaims(None)
    lookups = [key("a"), key("a", "raw_traces")]
    found = [[99], [3, 5], [4]]  # the first list is of a message before
    claimed = [claims.claim(lookups, found, 1) for _ in range(4)]
    assert claimed == [(TABLE, 3), (TABLE, 5), ("raw_traces", 4), None]


def test_rows_come_each_at_the_place_of_its_key(source: DatabaseSource) -> None:
    claims = RowClaims(RowFinder(source))
    assert claims.find([key("b"), key("nobody"), key("a")]) == [[2], [], [1]]
    assert claims.cause == ""


def test_without_a_database_nothing_is_found_and_nothing_is_wrong() -> None:
    claims = RowClaims(None)
    assert claims.find([key("a")]) is None
    assert claims.cause == ""


def test_a_database_that_fails_is_asked_no_more(source: DatabaseSource, tmp_path: Path) -> None:
    claims = RowClaims(RowFinder(source))
    assert claims.find([key("a", "no_such_table")]) is None
    first = claims.cause
    assert first
    assert claims.find([key("a")]) is None
    assert claims.cause == first


@pytest.mark.parametrize(
    ("payload", "timestamp", "found", "expected"),
    [
        ("[]", "2026-03-14T10:00:00.000Z", [[1]], True),
        ("[]", MOMENT, [[1]], False),
        ("{}", "2026-03-14T10:00:00.000Z", [[1]], False),
        ("[]", "2026-03-14T10:00:00.000Z", [[]], False),
    ],
    ids=["another's", "its own by its time", "one that can be written", "no row"],
)
def test_what_no_writer_can_write_has_no_row_of_another_time(
    source: DatabaseSource, payload: str, timestamp: str, found: list[list[int]], expected: bool
) -> None:
    claims = RowClaims(RowFinder(source))
    assert claims.are_of_another(message(payload, timestamp), [key("a")], found) is expected


@pytest.mark.parametrize(("timestamp", "expected"), [("2026-03-14T10:00:00.000Z", True), (MOMENT, False)])
def test_a_message_that_can_be_written_may_have_the_row_of_another(
    source: DatabaseSource, timestamp: str, expected: bool
) -> None:
    claims = RowClaims(RowFinder(source))
    assert claims.have_another_time(message("{}", timestamp), [key("a")]) is expected
    assert not claims.have_another_time(message("{}", timestamp), [key("a", "no_such_table")])
    assert not RowClaims(None).have_another_time(message("{}", timestamp), [key("a")])
