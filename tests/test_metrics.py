"""The metric catalogue: every numeric field of every health record is in it, or is no metric for a reason."""

import re
from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args, get_origin

import pytest

from blueplane_doctor.metrics import (
    CHARTED,
    FACTORS,
    LAST,
    MAX,
    MEAN,
    METRICS,
    MIN,
    STATE,
    TIME,
    Metric,
)
from blueplane_doctor.plugins.discovery import find_monitors
from blueplane_doctor.readings import metric_of
from blueplane_doctor.records.base import Record

NOT_METRICS = {
    "queue.groups.*.exists": "a group that does not exist has no metrics; the check writer-missing grades it",
    "capture.cursor_hooks.recorder_ran": "says why others are not known",
    "database.recorder_ran": "says why others are not known",
    "notifications.targets": "a setting, not a measurement",
    "notifications.undelivered": "the check notify-delivery grades it",
    "history.set_up": "says why others are not known",
    "connections.blueplane_found": "the headline says it",
    "queue.groups.*.lag": "the server's own figure is wrong after trimming, so nobody shall rely on it",
    "queue.trend.backlog": "the verdict of one look, which backlog-trend grades",
    "queue.trend.per_minute": "the verdict of one look, which backlog-trend grades",
    "queue.trend.minutes_left": "the verdict of one look, which backlog-trend grades",
    "queue.trend.still_seconds": "the verdict of one look, which backlog-trend grades",
    "queue.dlq_errors.*": "their reasons are for reading; `dlq_recent_entries` counts them",
    "chain.payload_gone_of_one": "of those that `states.payload_gone` counts, and says how sure that is",
    "queue.consumer_lag_is_at_least": "says how to read `consumer_lag_ms`",
    "queue.dlq_unwritten_messages": "the dead letters once more, by their messages; `dlq_size` counts them",
    "queue.groups.*.consumers.*.pending": "consumers are named after processes: a new series for every restart",
    "queue.groups.*.consumers.*.idle_ms": "consumers are named after processes: a new series for every restart",
    "queue.groups.*.consumers.*.shares_group": "consumers are named after processes: a new series for every restart",
    "chain.rows_pruned_unproven": "of those that `tables_begin_later` counts, and says how sure that is",
    "chain.lost_run.messages": "the lost ones, told as a cause",
    "queue.groups.*.consumers.*.is_perhaps_a_server": "a new series for every restart, as of shares_group",
    "queue.groups.*.consumers.*.is_other_program": "a new series for every restart, as of shares_group",
    "queue.groups.*.consumers.*.stuck": "consumers are named after processes: a new series for every restart",
    "queue.groups.*.consumers.*.reads_no_more": "a new series for every restart, as of shares_group",
    "queue.groups.*.were_enqueued_again": "says where the rows of `written_not_delivered` come from",
    "server_uses.is_redis_known": "says why others are not known",
    "queue.groups.*.written_by_others": "of those that `written_not_acknowledged` counts",
    "queue.groups.*.consumers.*.gone": "consumers are named after processes: a new series for every restart",
    "capture.hooks.*.installed": "a setting, not a measurement",
    "capture.hooks.*.configured": "a setting, not a measurement",
    "capture.hooks.*.expected": "follows from the two settings and from `seen`",
    "presence.other_databases.*": "numbers of databases, which the check stream-lost names",
    "redis.expires_in_seconds.*": "nobody gives these streams an expiry; the check redis-durability grades it",
    "transcripts.states.*": "the same lines as in `lines`, by state; `written` and `missing` are metrics",
    "transcripts.projects.*.number": "an identifier: its size means nothing",
    "transcripts.projects.*.lines": "projects are numbered anew when a folder is added; `lines` counts them",
    "transcripts.projects.*.written": "projects are numbered anew when a folder is added; `written` counts them",
    "transcripts.projects.*.missing": "projects are numbered anew when a folder is added; `missing` counts them",
    "transcripts.buckets.*": "the last day in a table; as a series it would count every line many times",
    "transcripts.other_buckets.*": "the last day in a table; as a series it would count every line many times",
    "transcripts.missing_by_reason.*": "why lines are missing, which `missing` counts",
    "transcripts.half_written": "the same as nothing a moment later",
    "transcripts.unreadable_files": "the check transcript-completeness says it",
    "transcripts.partial": "says how to read the others",
    "transcripts.has_more_files": "says how to read the others",
    "transcripts.is_set_up": "says how to read the others",
    "chain.by_route.*.*": "the same messages as in `states`, once more by route",
    "chain.buckets.*": "the last day in a table; as a series it would count every message many times",
    "chain.other_buckets.*": "the last day in a table; as a series it would count every message many times",
    "connections.redis.interrupted": "the check database-reachable grades it",
    "connections.database.interrupted": "the check database-reachable grades it",
    "server.errors.*": "their kinds are for reading; `errors_per_minute` counts them",
    "server.errors_are_at_least": "says how to read `errors_per_minute`",
    "server.errors_window_seconds": "says how to read `errors_per_minute`",
    "server.lock_holder.pid": "an identifier: its size means nothing",
    "server.lock_holder.is_server": "says whose identifier that is",
    "server_uses.pid": "an identifier: its size means nothing",
    "server_uses.is_running": "the record is no part of the report's metrics; the check same-pipeline grades it",
    "server_uses.is_shown": "says why others are not known",
    "server_uses.is_port_known": "says why server-alive judges nothing",
    "server_uses.redis.is_proof": "says how sure the verdict of same-pipeline is",
    "server_uses.database.is_proof": "says how sure the verdict of same-pipeline is",
    "server_uses.redis_port": "an identifier: its size means nothing",
    "server.pid": "an identifier: its size means nothing",
    "history.groups.*.samples": "how many samples one verdict rests on; told with the verdict",
    "history.losses.*.losses.*": "times of losses, of which `lost` is the sum",
    "history.room.*.samples": "how many samples one forecast rests on; told with the forecast",
    "history.room.*.minutes_seen": "how long the samples lasted that a forecast rests on; told with it",
    "history.series.*": "the recorded values of other metrics",
    "database_access.writable": "the check database-writable grades it",
    "database_access.read_only_mount": "the check database-writable grades it",
    "presence.exists": "the record is no part of the report's metrics; the check stream-lost grades it",
    "presence.wrong_type": "the record is no part of the report's metrics; the check stream-lost grades it",
    "presence.length": "the record is no part of the report's metrics; the check stream-lost grades it",
    "presence.entries_added": "the record is no part of the report's metrics; the check stream-lost grades it",
    "presence.rows": "the record is no part of the report's metrics; the check stream-lost grades it",
    "presence.rows_last_hour": "the record is no part of the report's metrics; the check stream-lost grades it",
    "presence.last_row_age_ms": "the record is no part of the report's metrics; the check stream-lost grades it",
    "presence.rows_without_message": "the record is no part of the report's metrics; the check stream-lost grades it",
    "cursor.is_there": "says why others are not known",
    "cursor.is_set_up": "says why others are not known",
    "cursor.databases": "how many databases the counts rest on; told with them",
    "cursor.partial": "says how to read the counts",
    "cursor.never_captured.*": "the state `never_captured`, once more by kind",
    "cursor.workspaces.*": "the same counts once more, by numbers of workspaces that change when one is added",
    "wiring.cursor_is_there": "a setting, not a measurement",
    "wiring.claude_is_there": "a setting, not a measurement",
    "wiring.cursor_commands": "a setting, not a measurement",
    "wiring.claude_commands": "a setting, not a measurement",
    "wiring.open_sessions": "says how to read `unfindable_sessions`",
    "wiring.unfindable_sessions": "the check capture-wiring grades it",
    "wiring.faults.*": "the check capture-wiring grades them",
    "delivery.routes.*.sampled": "how many messages one figure rests on; told with the figure",
    "delivery.resolution_ms": "says how to read the delays",
    "chain.losses.*.forgotten": "says how to read `trimmed_unread`",
    "chain.losses.*.at_most": "a bound where `trimmed_unread` is not known",
    "connections.redis.reachable": "the record is no part of the report's metrics; a check grades it",
    "connections.database.reachable": "the record is no part of the report's metrics; a check grades it",
}
"""Numeric fields that are no metrics, each with the reason; `*` at the end also stands for all that is below."""
SUFFIXES = {"ms": "_seconds", "min": "_seconds", "s": "_seconds", "MB": "_bytes", "bytes": "_bytes", "%": "_ratio",
            TIME: "_timestamp_seconds", "events/min": "_per_second", "events/s": "_per_second"}  # fmt: skip
"""How the Prometheus name of a metric of this unit ends."""


def numeric_fields(record: type[Record], path: str) -> Iterator[str]:
    """The paths of a record's numeric fields; `*` stands for the members of a list or map."""
    for name, field in record.model_fields.items():
        yield from numeric(field.annotation, f"{path}.{name}")


def numeric(kind: Any, path: str) -> Iterator[str]:
    """The path itself when this type holds a number, or the paths of what is in it."""
    if isinstance(kind, type) and issubclass(kind, Record):
        yield from numeric_fields(kind, path)
    elif kind in (int, float, bool):
        yield path
    elif get_origin(kind) in (list, dict):
        yield from numeric(get_args(kind)[-1], f"{path}.*")
    else:
        inner = dict.fromkeys(kind for kind in get_args(kind) if kind not in (NoneType, Ellipsis))
        for one in inner:
            yield from numeric(one, path)


FIELDS = sorted(
    path for name, monitor in find_monitors().items() for path in dict.fromkeys(numeric_fields(monitor.record, name))
)


def starred(metric: Metric) -> str:
    """The path of the field that a metric is read from, with `*` for the names in it."""
    path = metric.path
    if metric.source:
        path = f"{path.rpartition('.')[0]}.{metric.source}"
    return re.sub(r"\{\w+\}", "*", path)


def is_no_metric(path: str) -> bool:
    return any(path == known or (known.endswith("*") and path.startswith(known)) for known in NOT_METRICS)


@pytest.mark.parametrize("path", FIELDS)
def test_every_number_of_a_record_is_a_metric_or_is_none_for_a_reason(path: str) -> None:
    catalogued = path in [starred(metric) for metric in METRICS]
    assert catalogued != is_no_metric(path), f"{path}: add one line to metrics.py, or a reason to NOT_METRICS"


def test_the_reasons_are_of_fields_that_there_are() -> None:
    for known in NOT_METRICS:
        assert any(path == known or (known.endswith("*") and path.startswith(known)) for path in FIELDS), known


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.path)
def test_every_metric_is_a_field_of_a_record(metric: Metric) -> None:
    if metric.record == "status":
        return
    paths = {path for name, monitor in find_monitors().items() for path in fields(monitor.record, name)}
    assert starred(metric) in paths


def fields(record: type[Record], path: str) -> Iterator[str]:
    """All fields, of text too."""
    for name, field in record.model_fields.items():
        yield from below(field.annotation, f"{path}.{name}")


def below(kind: Any, path: str) -> Iterator[str]:
    yield path
    if isinstance(kind, type) and issubclass(kind, Record):
        yield from fields(kind, path)
    for inner in get_args(kind):
        yield from below(inner, f"{path}.*" if get_origin(kind) in (list, dict) else path)


def test_names_are_given_once() -> None:
    names = [metric.prometheus for metric in METRICS if metric.prometheus]
    assert len(names) == len(set(names))
    paths = [metric.path for metric in METRICS]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.path)
def test_a_metric_says_what_it_is(metric: Metric) -> None:
    assert metric.label[0].isupper() or metric.label[0].isdigit()
    assert metric.help
    assert metric.help.endswith(".") != bool(metric.states)
    assert metric.step in (MEAN, MAX, MIN, LAST)
    is_rate = metric.unit.endswith(("/s", "/min")) and metric.path != "server.errors_per_minute"
    assert (metric.step == MEAN) == (is_rate and metric.recorded), "the mean of a count is no count"
    assert bool(metric.states) == (metric.unit == STATE and metric.record != "status")
    assert metric.prometheus or metric.record == "status"
    assert metric.prometheus.endswith(SUFFIXES.get(metric.unit, ""))


def test_every_state_has_one_number_for_all() -> None:
    status = next(metric for metric in METRICS if metric.path == "chain.chain_status")
    assert [status.code(word) for word in ("healthy", "degraded", "broken", "unknown", "new word")] == [0, 2, 3, -1, -1]


def test_fields_of_one_name_have_one_unit() -> None:
    units: dict[str, str] = {}
    for metric in METRICS:
        assert units.setdefault(metric.name, metric.unit) == metric.unit, metric.path


def test_what_is_drawn_is_a_number_that_is_recorded() -> None:
    assert {"queue.queue_depth", "chain.chain_break_count"} <= {metric.path for metric in CHARTED}
    for metric in CHARTED:
        assert metric.recorded
        assert not metric.labels
        assert metric.unit not in (TIME, STATE)


def test_a_factor_leads_to_the_base_unit() -> None:
    assert FACTORS["ms"] == 0.001
    lag = metric_of("queue.consumer_lag_ms")
    assert lag is not None
    assert lag.factor * 2_500 == 2.5
