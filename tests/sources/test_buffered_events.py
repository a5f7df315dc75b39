"""Events of event_buffer.db, as Cursor's monitor would have enqueued them."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.sources import Deadline, buffered_events
from blueplane_doctor.sources.buffered_events import BufferedEvent, each_buffered_event
from blueplane_doctor.sources.database_source import DatabaseSource

EVENT = {
    "version": "0.1.0",
    "event_id": "5d0a",
    "retry": 3,
    "flag": True,
    "nothing": None,
    "metadata": {"source": "unified_monitor", "external_session_id": None},
    "payload": {"text": "é"},
    "list": [1, 2],
}


def buffer(path: Path, *texts: object) -> DatabaseSource:
    with closing(schema.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE buffered_events (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP, event_data TEXT NOT NULL, retry_count INTEGER DEFAULT 0)"
        )
        connection.executemany("INSERT INTO buffered_events (event_data) VALUES (?)", [(text,) for text in texts])
        connection.commit()
    return DatabaseSource(path, Deadline(10), what="the event buffer")


def events(source: DatabaseSource) -> list[BufferedEvent]:
    with closing(source):
        return list(each_buffered_event(source))


def test_an_event_becomes_the_message_that_the_monitor_would_have_added(tmp_path: Path) -> None:
    (event,) = events(buffer(tmp_path / "event_buffer.db", json.dumps(EVENT)))
    assert event == BufferedEvent(
        1,
        {
            b"version": b"0.1.0",
            b"event_id": b"5d0a",
            b"retry": b"3",
            b"flag": b"True",
            b"nothing": b"",
            b"metadata": b'{"source": "unified_monitor", "external_session_id": null}',
            b"payload": b'{"text": "\\u00e9"}',
            b"list": b"[1, 2]",
        },
        "",
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not json", "event_data is not JSON"),
        (b"\xff\xfe\x00", "event_data is not JSON"),
        ("[" * 100_000, "event_data is not JSON"),
        (7, "event_data is no JSON object"),
        ("[1]", "event_data is no JSON object"),
        ("{}", "event_data is no JSON object"),
        ('{"a": "\\ud800"}', "a field holds a lone surrogate"),
        ('{"\\ud800": 1}', "a field holds a lone surrogate"),
    ],
)
def test_what_cannot_be_enqueued_says_why(tmp_path: Path, text: object, reason: str) -> None:
    (event,) = events(buffer(tmp_path / "event_buffer.db", text))
    assert (event.fields, event.reason) == ({}, reason)


def test_pages_are_bounded_in_rows_and_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [json.dumps({"number": number}) for number in range(25)]
    monkeypatch.setattr(buffered_events, "PAGE_ROWS", 10)
    monkeypatch.setattr(buffered_events, "PAGE_BYTES", 40)
    found = events(buffer(tmp_path / "event_buffer.db", *texts))
    assert [event.fields[b"number"] for event in found] == [str(number).encode() for number in range(25)]
    assert [event.row for event in found] == list(range(1, 26))


def test_no_buffer_and_an_empty_file_hold_nothing(tmp_path: Path) -> None:
    assert events(DatabaseSource(tmp_path / "none.db", Deadline(10))) == []
    (tmp_path / "empty.db").touch()
    assert events(DatabaseSource(tmp_path / "empty.db", Deadline(10))) == []
