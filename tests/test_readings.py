"""The values of a report by the names of the catalogue, and the way back from a name."""

from typing import Any

import pytest

from blueplane_doctor.metrics import LAST, MAX, MEAN, MIN
from blueplane_doctor.readings import Reading, field_metric, metric_of, readings, step_of
from tests.reports import samples


def read(records: dict[str, Any]) -> dict[str, Reading]:
    return {reading.name: reading for reading in readings(records)}


def test_a_value_has_its_full_name_and_its_labels() -> None:
    found = read(samples.mixed().metrics)
    pending = found["queue.groups.processors.pending"]
    assert (pending.metric.path, pending.labels) == ("queue.groups.{group}.pending", ("processors",))
    assert pending.number == pending.value == 104
    assert found["queue.dlq_sizes.telemetry:dlq"].number == 35


def test_readers_and_groups_that_do_not_exist_are_left_out() -> None:
    groups = [{"name": "a", "pending": 1}, {"name": "b", "role": "reader"}, {"name": "c", "exists": False}]
    names = [name for name in read({"queue": {"groups": groups}}) if name.endswith(".pending")]
    assert names == ["queue.groups.a.pending"]


def test_what_a_record_does_not_know_is_none_and_a_missing_record_is_nothing() -> None:
    found = read({"queue": {"queue_depth": None}, "chain": None})
    assert found["queue.queue_depth"].number is None
    assert not [name for name in found if name.startswith("chain.")]


@pytest.mark.parametrize(
    ("record", "name", "number"),
    [
        ({"chain": {"chain_status": "degraded"}}, "chain.chain_status", 2),
        ({"chain": {"chain_status": None}}, "chain.chain_status", None),
        ({"server": {"http_ok": True}}, "server.http_ok", 1),
        ({"database": {"last_successful_write_timestamp": "1970-01-01T00:01:00Z"}},
         "database.last_successful_write_timestamp", 60),
        ({"database": {"last_successful_write_timestamp": "soon"}}, "database.last_successful_write_timestamp", None),
        ({"queue": {"groups": [{"name": "g", "last_delivered_id": "1795360020000-3"}]}},
         "queue.groups.g.last_delivered", 1_795_360_020_000),
        ({"queue": {"queue_depth": float("nan")}}, "queue.queue_depth", None),
        ({"queue": {"queue_depth": "many"}}, "queue.queue_depth", None),
    ],
)  # fmt: skip
def test_a_value_becomes_a_number(record: dict[str, Any], name: str, number: float | None) -> None:
    assert read(record)[name].number == number


def test_numbers_of_a_monitor_of_ones_own_are_taken_as_they_come() -> None:
    found = read({"mine": {"count": 3, "text": "no", "parts": {"on": True, "rows": [1]}}})
    assert {name: reading.number for name, reading in found.items()} == {"mine.count": 3, "mine.parts.on": 1}


@pytest.mark.parametrize("groups", [7, "abc", None, [1], {"a": 1}, [{"name": None}]])
def test_records_of_another_shape_do_no_harm(groups: object) -> None:
    assert read({"queue": {"groups": groups}})


@pytest.mark.parametrize(
    ("name", "path", "step"),
    [
        ("queue.queue_depth", "queue.queue_depth", MAX),
        ("queue.groups.my.group.pending", "queue.groups.{group}.pending", MAX),
        ("queue.minutes_to_loss", "queue.minutes_to_loss", MIN),
        ("queue.enqueue_rate_events_per_sec", "queue.enqueue_rate_events_per_sec", MEAN),
        ("queue.groups.processors.entries_read", "queue.groups.{group}.entries_read", LAST),
        ("database.tables.claude_raw_traces", "database.tables.{table}", LAST),
        ("status.queue", "status.{area}", MAX),
        ("status.report", "status.report", MAX),
        ("chain.chain_status", "chain.chain_status", MAX),
    ],
)
def test_a_recorded_name_finds_its_metric(name: str, path: str, step: str) -> None:
    metric = metric_of(name)
    assert metric is not None
    assert metric.path == path
    assert step_of(name) == step


def test_of_a_name_that_nobody_knows_the_highest_minute_is_shown() -> None:
    assert metric_of("mine.temperature") is None
    assert step_of("mine.temperature") == MAX


def test_the_field_of_a_table_finds_its_unit() -> None:
    metric = field_metric("oldest_pending_age_ms")
    assert metric is not None
    assert (metric.label, metric.unit) == ("Oldest pending", "ms")
    assert field_metric("nothing") is None
