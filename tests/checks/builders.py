"""Full health records of a healthy pipeline, to be changed in one place; and the real checks by id."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest

from blueplane_doctor.capture.cursor_states import ITEM_STATES
from blueplane_doctor.capture.hook_wiring import WiringFault
from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.custody.ledger import ChainBreak
from blueplane_doctor.custody.losses import GroupLoss
from blueplane_doctor.history.losses import GroupLosses
from blueplane_doctor.history.room import RoomForecast
from blueplane_doctor.judging.causes import explained
from blueplane_doctor.locations import Locations, locate
from blueplane_doctor.model import Cause, Finding, Status
from blueplane_doctor.monitoring.capture_health import CaptureHealth, DatabaseMonitorHealth
from blueplane_doctor.monitoring.capture_wiring import CaptureWiring
from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
from blueplane_doctor.monitoring.connections import Connections, Reach
from blueplane_doctor.monitoring.cursor_completeness import CursorCompleteness
from blueplane_doctor.monitoring.cursor_hooks import CursorHooks, HookHealth
from blueplane_doctor.monitoring.database_access import DatabaseAccess
from blueplane_doctor.monitoring.database_health import DatabaseHealth
from blueplane_doctor.monitoring.delivery_delay import DeliveryDelay, RouteDelay
from blueplane_doctor.monitoring.disk_space import DiskSpace
from blueplane_doctor.monitoring.group_health import ConsumerHealth, GroupHealth
from blueplane_doctor.monitoring.history_health import (
    GroupTrend,
    HistoryHealth,
)
from blueplane_doctor.monitoring.notifications import NotificationHealth
from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.monitoring.redis_health import RedisHealth
from blueplane_doctor.monitoring.redis_writes import RedisWrites
from blueplane_doctor.monitoring.server_health import ServerHealth
from blueplane_doctor.monitoring.server_uses import ServerUses, Used
from blueplane_doctor.monitoring.spool_health import SpoolHealth
from blueplane_doctor.monitoring.stream_presence import StreamPresence
from blueplane_doctor.monitoring.transcripts import ProjectTranscripts, TranscriptHealth
from blueplane_doctor.pipeline import CURSOR_HOOKS
from blueplane_doctor.plugins.discovery import find_checks
from blueplane_doctor.records.base import Record
from blueplane_doctor.settings.values import Settings

MINUTE = 60_000
HOUR = 60 * MINUTE
NOW = "2026-03-14T09:26:53.589Z"
NOT_RECORDED = "nothing was recorded in the last 60 min"
STATES = (
    "waiting",
    "in_flight",
    "stuck",
    "written_not_acknowledged",
    "written_not_delivered",
    "written",
    "duplicate",
    "dead_lettered",
    "skipped",
    "untraceable",
    "lost",
    "unexamined",
    "trimmed_unread",
    "payload_gone",
)


@cache
def built_in() -> dict[str, CheckSpec]:
    """Every built-in check by id."""
    return {spec.id: spec for spec in find_checks().checks}


def run(check_id: str, **records: Record) -> Finding:
    """What the check says of these records, by its default scale; the others are healthy."""
    finding = built_in()[check_id].run(healthy_records() | records)
    assert_sound(finding)
    return finding


def cases(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Rows of (id, sentence, given, status) for parametrize; the sentence is what a failure says."""
    return [pytest.param(*row[1:], id=row[0]) for row in rows]


_ONE_OF_MANY = re.compile(r"(?<![\d,.])1 (messages|entries|events|errors|rows|letters|dead letters|IDE windows)\b")
_MANY_OF_ONE = re.compile(r"(?<![\d,.])(?!1 )\d[\d,.]* (message|entry|event|error|row|letter|dead letter)\b")
_FOR_PROGRAMS = re.compile(r"`|\d\dT\d\d:")
_EMPTY_PART = re.compile(r"\(\s*[;,)]|:\s*$|[:;,]\s*[:;,]|;\s*$|,\s*$|\s\s|\bNone\b|\bnan\b")


def assert_sound(finding: Finding) -> None:
    """What holds for every finding of every check."""
    said = finding.summary
    assert said, "a summary"
    assert said.strip() == said, "no space around it"
    assert "\n" not in said, "on one line"
    assert not said.endswith("."), "ends without a full stop, as the others do"
    assert not _ONE_OF_MANY.search(said), f"singular: {said}"
    assert not _MANY_OF_ONE.search(said), f"plural: {said}"
    assert not _EMPTY_PART.search(said), f"an empty part: {said!r}"
    if finding.status in (Status.UNKNOWN, Status.SKIPPED, Status.NOT_SET_UP, Status.ERROR):
        assert finding.cause, "says why nothing was judged"
        assert not _EMPTY_PART.search(finding.cause), f"an empty part: {finding.cause!r}"
    elif finding.status is not Status.GREEN:
        assert finding.scale, "says how it was graded"
        assert finding.observed is not None, "says what was observed"
        assert finding.remedy, "says what to do"
    assert_for_people(finding.summary)
    if finding.remedy:
        assert_for_people(finding.remedy.text)
        assert finding.remedy.text[0].isupper() and finding.remedy.text.endswith("."), finding.remedy.text
        assert all(command.strip() for command in finding.remedy.commands)


def assert_for_people(text: str) -> None:
    """A sentence has no markup, and no time as programs write it."""
    assert not _FOR_PROGRAMS.search(text), text


def share(percent: float | None) -> float | None:
    """A percentage as the fraction that records hold."""
    return None if percent is None else percent / 100


def consumer(name: str = "consumer-4711", **changes: Any) -> ConsumerHealth:
    """A consumer that polls and holds nothing."""
    return ConsumerHealth(**{"name": name, "pending": 0, "idle_ms": 240, **changes})


def writer(name: str = "processors", **changes: Any) -> GroupHealth:
    """A writer group with one consumer and nothing pending."""
    quiet = {"longest_unacknowledged_ms": None, "stuck": 0, "most_deliveries": 0, "orphaned": 0}
    return GroupHealth(**{"name": name, "role": "writer", "lag": 0, "consumers": [consumer()], **quiet, **changes})


def reader(name: str = "cursor_session_monitors", **changes: Any) -> GroupHealth:
    """A group that writes no traces."""
    return GroupHealth(**{"name": name, "role": "reader", "lag": 0, "consumers": [consumer("reader-1")], **changes})


def lagging_reader() -> GroupHealth:
    """A reader group in the worst state there is."""
    return reader(
        exists=True,
        pending=90_000,
        undelivered=90_000,
        lag=90_000,
        oldest_pending_age_ms=9 * HOUR,
        longest_unacknowledged_ms=9 * HOUR,
        stuck=90_000,
        most_deliveries=5_000,
        orphaned=90_000,
        consumers=[],
    )


def queue(**changes: Any) -> QueueHealth:
    """A queue that was just emptied by both writers."""
    return QueueHealth(
        **{
            "queue": "telemetry:message_queue",
            "layout": "current",
            "measured_at": NOW,
            "stream_length": 9_934,
            "max_length": 10_000,
            "queue_depth": 0,
            "waiting_messages": 0,
            "pending_messages": 0,
            "oldest_pending_age_ms": None,
            "consumer_count": 2,
            "consumer_lag_ms": 0,
            "enqueue_rate_events_per_sec": 3.25,
            "processing_rate_events_per_sec": 3.25,
            "dlq_size": 0,
            "dlq_recent_entries": 0,
            "dlq_previous_hour": 0,
            "dlq_oldest_age_ms": None,
            "dlq_sizes": {"telemetry:dlq": 0, "telemetry:message_queue:dlq": 0},
            "groups": [writer("claude_processors"), writer("processors"), reader()],
            **changes,
        }
    )


def one_writer(**changes: Any) -> QueueHealth:
    """A queue whose group `processors` is as given; the other writer is well."""
    return queue(groups=[writer("claude_processors"), writer("processors", **changes)])


def database(**changes: Any) -> DatabaseHealth:
    """A database that was written to two seconds ago; nobody measures the writes."""
    return DatabaseHealth(
        **{
            "tables": {"claude_raw_traces": 1_204_811, "cursor_raw_traces": 3_318_402},
            "write_throughput_events_per_sec": 3.25,
            "written_last_hour": 11_160,
            "last_successful_write_timestamp": "2026-03-14T09:26:51.204Z",
            "last_successful_write_age_ms": 2_385,
            "last_failed_write_timestamp": None,
            "db_size_mb": 2_841.606,
            "wal_size_mb": 4.124,
            **changes,
        }
    )


def hook(name: str, **changes: Any) -> HookHealth:
    """A hook that is installed and fired two seconds ago."""
    return HookHealth(
        **{
            "name": name,
            "installed": True,
            "configured": False,
            "expected": True,
            "seen": 120,
            "last_seen": "2026-03-14T09:26:51.204Z",
            "silent_ms": 2_385,
            **changes,
        }
    )


def monitor(**changes: Any) -> DatabaseMonitorHealth:
    """Cursor's database monitor, busy."""
    return DatabaseMonitorHealth(
        **{
            "active": True,
            "sessions_monitored": 1,
            "events_captured": 3_496,
            "last_activity_timestamp": "2026-03-14T09:26:49.120Z",
            "silent_ms": 4_469,
            "errors_count": 0,
            "ingest_rate_events_per_min": 186.2,
            **changes,
        }
    )


def capture(**changes: Any) -> CaptureHealth:
    """One IDE window, open for three hours, and all hooks firing."""
    return CaptureHealth(
        **{
            "cursor_hooks": CursorHooks(total_executions=720),
            "hooks": [hook(name) for name in CURSOR_HOOKS],
            "database_monitor": monitor(),
            "capture_rate_events_per_min": 194.6,
            "open_sessions": 1,
            "longest_open_ms": 3 * HOUR,
            "last_event_timestamp": "2026-03-14T09:26:51.204Z",
            **changes,
        }
    )


def chain(states: dict[str, int | None] | None = None, **changes: Any) -> ChainHealth:
    """Twelve hundred messages, all written or by design not."""
    counted: dict[str, int | None] = dict.fromkeys(STATES, 0) | {"written": 1_100, "skipped": 100}
    return ChainHealth(
        **{
            "chain_status": "healthy",
            "messages_enqueued_last_hour": 1_200,
            "messages_written_last_hour": 1_100,
            "messages_in_dlq": 0,
            "chain_break_count": 0,
            "last_chain_break_timestamp": None,
            "success_rate": 1.0,
            "examined": 1_200,
            "partial": False,
            "states": counted | (states or {}),
            "by_route": {"cursor": {"written": 1_100}, "unrouted": {"skipped": 100}},
            "losses": losses(0, 0),
            "breaks": [],
            **changes,
        }
    )


def losses(claude: int | None, cursor: int | None, cause: str = "the server gives no lag") -> list[GroupLoss]:
    """What both writer groups lost; null is what is not known."""
    named = {"claude_processors": claude, "processors": cursor}
    return [
        GroupLoss(group=name, trimmed_unread=count, cause=cause if count is None else "")
        for name, count in named.items()
    ]


def chain_break(**changes: Any) -> ChainBreak:
    """One message that was acknowledged and never written."""
    return ChainBreak(
        **{
            "kind": "lost",
            "id": "1773479901310-0",
            "event_id": "5f0c6a52-0d2e-4b5e-9a35-000000000001",
            "enqueued_at": "2026-03-14T09:18:21.310Z",
            "route": "cursor",
            "group": "processors",
            "event_type": "generation",
            "reason": "acknowledged without a row or a dead letter",
            **changes,
        }
    )


def server(**changes: Any) -> ServerHealth:
    """A server that runs, answers and does not complain."""
    return ServerHealth(
        **{
            "pid": 48_112,
            "pid_state": "running",
            "http_ok": True,
            "http_answer": "ok on port 8787",
            "log_found": True,
            "errors_per_minute": 0.0,
            "last_error_timestamp": None,
            "buffered_events": 0,
            **changes,
        }
    )


def server_uses(**changes: Any) -> ServerUses:
    """A server that is connected to the examined Redis; its log names the examined database."""
    return ServerUses(
        **{
            "pid": 48_112,
            "is_running": True,
            "is_shown": True,
            "redis": Used(compared="the same", name="localhost:6379", shown_by="its process", is_proof=True),
            "database": Used(compared="the same", name="~/.blueplane/telemetry.db", shown_by="its log"),
            "examined_redis": "localhost:6379",
            "configuration": "config.yaml of its home",
            **changes,
        }
    )


def another_redis(port: int = 6380, *, is_proof: bool = True) -> ServerUses:
    """A server that uses the Redis of another port."""
    shown_by = "its process" if is_proof else "its configuration"
    used = Used(compared="another", name=f"127.0.0.1:{port}", shown_by=shown_by, is_proof=is_proof)
    return server_uses(redis=used, redis_port=port)


def spool(**changes: Any) -> SpoolHealth:
    """A spool that kept a few events during a restart, and delivered them."""
    return SpoolHealth(
        **{
            "waiting_events": 0,
            "waiting_bytes": 0,
            "room_bytes": 5_000_000,
            "spooled": 3,
            "dropped": 0,
            "refused": 0,
            "unreadable": 0,
            "not_understood": 0,
            "not_understood_bytes": 0,
            "last_failure_timestamp": "2026-03-13T17:02:11Z",
            **changes,
        }
    )


def cursor(**changes: Any) -> CursorCompleteness:
    """A day in which everything was captured that the server sends."""
    states = dict.fromkeys(ITEM_STATES, 0) | {"written": 212, "never_captured": 9}
    states |= changes.pop("states", {})
    return CursorCompleteness(
        **{
            "since": "24h",
            "databases": 2,
            "changed": sum(states.values()),
            "by_outcome": states,
            "never_captured": {"generation": 5, "prompt": 4},
            "missing_items": states["missing"],
            **changes,
        }
    )


def wiring(*faults: WiringFault, **changes: Any) -> CaptureWiring:
    """Cursor and Claude Code with hooks that can be run, and the extension."""
    return CaptureWiring(
        **{
            "cursor_is_there": True,
            "claude_is_there": True,
            "cursor_commands": 6,
            "claude_commands": 2,
            "extension_versions": ["0.1.0"],
            "package_version": "0.1.0",
            "hook_versions": ["0.1.0"],
            "service_versions": ["0.1.0"],
            "open_sessions": 1,
            "unfindable_sessions": 0,
            "faults": list(faults),
            **changes,
        }
    )


def unreadable_spool() -> SpoolHealth:
    """A spool of another user's."""
    nothing = dict.fromkeys(("waiting_events", "waiting_bytes", "spooled", "dropped", "refused", "unreadable"))
    nothing |= dict.fromkeys(("not_understood", "not_understood_bytes"))
    return spool(**nothing, last_failure_timestamp=None, cause="the hook's spool cannot be read: Permission denied")


def redis(**changes: Any) -> RedisHealth:
    """A Redis that saves, evicts nothing, and has the right time."""
    return RedisHealth(
        **{
            "server": "redis",
            "version": "7.4.1",
            "uptime_seconds": 1_036_800,
            "used_memory_mb": 41.208,
            "maxmemory_mb": None,
            "maxmemory_policy": "noeviction",
            "may_evict_queue": False,
            "persistence": True,
            "open_connections": 14,
            "maxclients": 10_000,
            "clock_skew_ms": -3.2,
            **changes,
        }
    )


def database_access(**changes: Any) -> DatabaseAccess:
    """A database that the server may write."""
    return DatabaseAccess(**{"writable": True, **changes})


def disk_space(**changes: Any) -> DiskSpace:
    """Disks with room."""
    return DiskSpace(**{"database_free_mb": 71_000.0, "spool_free_mb": 71_000.0, "redis_free_mb": 34_000.0, **changes})


def redis_writes(**changes: Any) -> RedisWrites:
    """A Redis that takes writes."""
    return RedisWrites(**{"taken": True, **changes})


def connections(**changes: Any) -> Connections:
    """Both sources answer."""
    return Connections(
        **{
            "redis": Reach(address="localhost:6379", reachable=True),
            "database": Reach(address="~/.blueplane/telemetry.db", reachable=True),
            **changes,
        }
    )


def trend(group: str = "processors", **changes: Any) -> GroupTrend:
    """A writer group that has caught up and lost nothing."""
    return GroupTrend(**{"group": group, "state": "caught up", "backlog": 0, "samples": 11, **changes})


def seen_losses(**losses: dict[str, int] | None) -> list[GroupLosses]:
    """What groups were not given, by the time of the sample; None: no two samples could be compared."""
    groups = []
    for group, by_time in losses.items():
        lost = None if by_time is None else sum(by_time.values())
        groups.append(GroupLosses(group=group, lost=lost, losses=by_time or {}))
    return groups


def history(**changes: Any) -> HistoryHealth:
    """An hour of samples in which both writers kept up."""
    return HistoryHealth(
        **{
            "samples": 60,
            "set_up": True,
            "newest_sample_age_ms": 41_000,
            "groups": [trend("claude_processors"), trend("processors")],
            "losses": seen_losses(claude_processors={}, processors={}),
            "dead_letters_last_hour": 0.0,
            "wal_growth_mb_last_hour": 0.0,
            "backlog_per_minute": 0.0,
            "minutes_to_loss": None,
            **changes,
        }
    )


def forecast(**changes: Any) -> RoomForecast:
    """Room that shrinks."""
    return RoomForecast(
        **{
            "minutes_left": 95.0,
            "full_timestamp": "2026-01-05T12:00:00Z",
            "mb_per_minute": 2.5,
            "samples": 60,
            "minutes_seen": 59.0,
            **changes,
        }
    )


def presence(**changes: Any) -> StreamPresence:
    """A stream that is there with both writer groups."""
    return StreamPresence(
        **{
            "exists": True,
            "length": 1_200,
            "entries_added": 1_200,
            "rows": 1_100,
            "rows_last_hour": 1_100,
            "last_row_age_ms": 2_000,
            "rows_without_message": 0,
            **changes,
        }
    )


def no_stream(**changes: Any) -> StreamPresence:
    """Redis answers, and there is no queue stream; the database holds nothing either."""
    return StreamPresence(exists=False, cause="Redis at localhost:6379 has no stream q", **changes)


def no_history() -> HistoryHealth:
    """Nobody records."""
    return HistoryHealth(samples=0, cause="there is no history in Redis at localhost:6379", set_up=False)


def notifications(**changes: Any) -> NotificationHealth:
    """Two targets, and a message that both took."""
    message = {"at": "2026-03-14T09:22:00.000Z", "kinds": ["opened"], "status": "red", "causes": ["server-down"]}
    messages = [message | {"target": "ntfy 1"}, message | {"target": "command 2"}]
    return NotificationHealth.model_validate({"targets": 2, "messages": messages} | changes)


def locations(**changes: str) -> Locations:
    """Everything in its usual place."""
    usual = locate(Settings()).locations
    return usual.model_copy(update=changes)


def delivery(**changed: Any) -> DeliveryDelay:
    """Cursor's messages have their row within a second."""
    return DeliveryDelay(**({"routes": [route_delay()]} | changed))


def route_delay(**changed: Any) -> RouteDelay:
    """A hundred messages of the last hour, a third of them of the last ten minutes."""
    values = {"route": "cursor", "messages": 100, "sampled": 100, "p50_ms": 0, "p95_ms": 0, "recent_p95_ms": 0}
    return RouteDelay(**(values | changed))


def healthy_records() -> dict[str, Record]:
    """Every record of a healthy pipeline by the name that checks know it by."""
    return {
        "queue": queue(),
        "database": database(),
        "capture": capture(),
        "transcripts": transcripts(),
        "chain": chain(),
        "delivery": delivery(),
        "server": server(),
        "server_uses": server_uses(),
        "spool": spool(),
        "cursor": cursor(),
        "wiring": wiring(),
        "redis": redis(),
        "redis_writes": redis_writes(),
        "disk_space": disk_space(),
        "database_access": database_access(),
        "connections": connections(),
        "history": history(),
        "presence": presence(),
        "notifications": notifications(),
        "locations": locations(),
    }


def empty_records() -> dict[str, Record]:
    """A pipeline that was just installed: nothing came yet, and all that can be null is null."""
    nothing_known = {"active": None, "sessions_monitored": None, "events_captured": None, "errors_count": None}
    nothing_known |= {"last_activity_timestamp": None, "silent_ms": None, "ingest_rate_events_per_min": None}
    return {
        "queue": queue(
            stream_length=0,
            queue_depth=None,
            consumer_count=0,
            processing_rate_events_per_sec=None,
            enqueue_rate_events_per_sec=0,
            dlq_sizes={},
            groups=[],
        ),
        "database": database(
            tables={},
            write_throughput_events_per_sec=0,
            written_last_hour=0,
            last_successful_write_timestamp=None,
            last_successful_write_age_ms=None,
            db_size_mb=0,
            wal_size_mb=0,
            recorder_ran=False,
            recorded_cause=NOT_RECORDED,
        ),
        "capture": capture(
            cursor_hooks=CursorHooks(total_executions=None, recorder_ran=False, recorded_cause=NOT_RECORDED),
            hooks=[],
            database_monitor=DatabaseMonitorHealth(**nothing_known),
            capture_rate_events_per_min=None,
            open_sessions=None,
            longest_open_ms=None,
            sessions_cause="the database has no table cursor_sessions",
            hooks_cause="Redis at localhost:6379 cannot be reached: refused",
            last_event_timestamp=None,
        ),
        "transcripts": TranscriptHealth(since="24h"),
        "chain": chain(
            dict.fromkeys(STATES, 0) | {"trimmed_unread": None},
            messages_enqueued_last_hour=0,
            messages_written_last_hour=0,
            success_rate=None,
            examined=0,
            by_route={},
            losses=[],
        ),
        "delivery": delivery(routes=[]),
        "server": server(
            pid=None,
            pid_state="no pid file",
            http_ok=False,
            http_answer="nobody listens on port 8787",
            log_found=False,
            errors_per_minute=None,
            buffered_events=None,
            buffer_cause="the event buffer event_buffer.db is not a SQLite database",
        ),
        "server_uses": ServerUses(),
        "spool": unreadable_spool(),
        "cursor": CursorCompleteness(is_there=False, is_set_up=False),
        "wiring": CaptureWiring(sessions_cause="the telemetry database does not exist"),
        "disk_space": DiskSpace(),
        "database_access": DatabaseAccess(writable=None, cause="there is no database"),
        "redis_writes": redis_writes(taken=None, refusal="MISCONF", reason="its last snapshot failed"),
        "redis": redis(
            uptime_seconds=None,
            used_memory_mb=None,
            maxmemory_policy="unknown",
            persistence=None,
            clock_skew_ms=None,
        ),
        "connections": connections(
            redis=Reach(address="localhost:6379", reachable=False, cause="Redis at localhost:6379 cannot be reached"),
            database=Reach(address="telemetry.db", reachable=False, cause="the database does not exist"),
        ),
        "history": no_history(),
        "presence": no_stream(),
        "notifications": NotificationHealth(targets=0),
        "locations": locations(),
    }


def transcripts(missing: int = 0, **changes: Any) -> TranscriptHealth:
    """Transcripts of two projects; `missing` lines of the second are nowhere in the pipeline."""
    states = {"written": 500 - missing, "not_captured": 4}
    if missing:
        states["missing"] = missing
    second = ProjectTranscripts(number=2, lines=250, written=250 - missing, missing=missing)
    usual: dict[str, Any] = {
        "since": "24h",
        "files": 3,
        "lines": 504,
        "written": 500 - missing,
        "missing": missing,
        "states": states,
        "equation": "504 lines = 500 written + 4 not captured",
        "projects": [ProjectTranscripts(number=1, lines=254, written=250, missing=0), second],
    }
    return TranscriptHealth(**{**usual, **changes})


def causes_of(**records: Record) -> list[Cause]:
    """The causes of these records, by the default scales; the other records are healthy."""
    available = find_checks()
    everything = healthy_records() | records
    findings = []
    for spec in available.checks:
        finding = spec.run(everything)
        findings.append(finding.model_copy(update={"id": spec.id, "area": spec.area}))
    explanation = explained(findings, everything, available.causes)
    assert not [one for one in explanation.findings if one.status is Status.ERROR]
    for one in explanation.causes:
        assert_sound_cause(one)
    return explanation.causes


def assert_sound_cause(one: Cause) -> None:
    """What holds for every cause."""
    assert one.title and one.summary.endswith("."), one
    assert one.status.severity > 0, "it is told only where something is yellow or worse"
    assert one.next_step is not None, "says what to do"
    assert one.certain or one.confirm, "says what would make it certain"
    assert bool(one.since) == bool(one.since_by), "says what tells since when"
    for text in (one.title, one.summary, one.next_step.text):
        assert_for_people(text)
    for text in (one.title, one.summary):
        assert not _ONE_OF_MANY.search(text), f"singular: {text}"
        assert not _MANY_OF_ONE.search(text), f"plural: {text}"
        assert not _EMPTY_PART.search(text), f"an empty part: {text!r}"
