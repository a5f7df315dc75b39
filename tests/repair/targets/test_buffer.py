"""Events of the buffer: enqueued as the monitor would have done it, each once, and never deleted there."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.lookup.dead_letters import DeadLetterFilter
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import Action, Refusal
from tests.helpers import examined, finding
from tests.repair.pipelines import applied, planned, repaired, writers_at_work


def buffered(pipeline: Pipeline, events: Sequence[Any]) -> None:
    with closing(schema.connect(pipeline.home / "event_buffer.db")) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS buffered_events (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP, event_data TEXT NOT NULL, retry_count INTEGER DEFAULT 0)"
        )
        texts = [(event if isinstance(event, str) else json.dumps(event),) for event in events]
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO buffered_events (event_data) VALUES (?)", texts)
        connection.execute("COMMIT")


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "version": "0.1.0",
        "event_id": f"buffered-{number}",
        "hook_type": "DatabaseTrace",
        "event_type": "bubble",
        "timestamp": "2026-11-28T10:00:00+00:00",
        "metadata": {"source": "unified_monitor", "workspace_hash": "w"},
        "payload": {"text": PRIVATE_TEXT},
        **more,
    }


def event_ids(pipeline: Pipeline) -> list[str]:
    with closing(sqlite3.connect(pipeline.database)) as connection:
        rows = connection.execute("SELECT event_id FROM cursor_raw_traces ORDER BY sequence").fetchall()
    return [row[0] for row in rows]


@pytest.fixture
def alive(live_pipeline: Pipeline) -> Pipeline:
    live_pipeline.enqueue_cursor(3)
    live_pipeline.drain()
    return live_pipeline


def narrowed(pipeline: Pipeline, **more: Any) -> list[str]:
    """The IDs of a plan for the buffer that is narrowed so."""
    return [item.id for item in planned(pipeline, wanted=Wanted(frozenset({"buffer"}), **more)).items]


def test_events_are_written_once_and_stay_in_the_buffer(alive: Pipeline) -> None:
    buffered(alive, [event(number) for number in range(5)])
    before = event_ids(alive)
    content = (alive.home / "event_buffer.db").read_bytes()
    plan = planned(alive, "buffer")
    assert [(item.action, item.id) for item in plan.items] == [(Action.DELIVER, str(n)) for n in range(1, 6)]
    with writers_at_work(alive):
        outcome = applied(alive, plan, patience=20)
    assert outcome.exit_code == 0, outcome.text
    assert event_ids(alive) == [*before, *[f"buffered-{number}" for number in range(5)]]
    assert (alive.home / "event_buffer.db").read_bytes() == content
    assert finding(examined(alive), "undrained-buffer").observed == 0, "they are no worry any more"
    again = planned(alive, "buffer")
    assert again.items == () and again.refusals == ()


def test_the_fields_are_those_of_the_monitor_and_where_it_comes_from(alive: Pipeline) -> None:
    buffered(alive, [event(1)])
    repaired(alive, "buffer")
    fields = dict(alive.client.xrevrange(alive.queue, count=1)[0][1])
    assert fields.pop("blueplane_doctor_repaired_from") == "buffer/1"
    assert fields == {key: json.dumps(value) if isinstance(value, dict) else value for key, value in event(1).items()}


def test_what_has_a_row_is_passed_over_and_what_is_unfinished_is_kept_back(alive: Pipeline) -> None:
    alive.enqueue_cursor(1, event_ids=["buffered-1"])
    alive.drain()
    alive.enqueue_cursor(1, event_ids=["buffered-2"])
    buffered(alive, [event(number) for number in (1, 2, 3)])
    plan = planned(alive, "buffer")
    assert [(item.action, item.id) for item in plan.items] == [(Action.KEEP, "2"), (Action.DELIVER, "3")]
    assert "not finished" in plan.items[0].reason


def test_what_cannot_be_enqueued_or_written_is_refused_with_the_reason(alive: Pipeline) -> None:
    poison = event(1, metadata={"source": "unified_monitor", "storage_level": None})
    buffered(alive, ["no json", poison, event(2, payload=[1]), {"platform": "claude_code", "event_type": "x"}])
    plan = planned(alive, "buffer")
    assert plan.items == ()
    assert set(plan.refusals) == {
        Refusal(what="deliver 1 buffered event", reason=reason)
        for reason in (
            "event_data is not JSON",
            "its writer cannot write it: metadata.storage_level is null",
            "its writer cannot write it: payload is a list instead of an object",
            "by design nobody writes them",
        )
    }


def test_filters_narrow_it(alive: Pipeline) -> None:
    buffered(alive, [event(1), event(2, event_type="composer"), event(3)])
    assert narrowed(alive, filter=DeadLetterFilter(event_type="composer")) == ["2"]
    assert narrowed(alive, filter=DeadLetterFilter(error="locked")) == []
    assert narrowed(alive, ids=frozenset({"3"})) == ["3"]


def test_no_buffer_is_nothing_to_do(alive: Pipeline) -> None:
    assert planned(alive, "buffer").items == ()
