"""Three reports that the tests of all formats share: healthy, mixed, empty."""

from typing import Any

from blueplane_doctor.capture.line_states import equation as line_equation
from blueplane_doctor.checkapi import HISTORY, Scale, not_graded, not_set_up, unknown
from blueplane_doctor.custody.blockers import ChainBlocker
from blueplane_doctor.custody.ledger import ChainBreak
from blueplane_doctor.custody.losses import GroupLoss
from blueplane_doctor.findings import count_statuses, in_order
from blueplane_doctor.model import Cause, Finding, Remedy, Report, Stake, Status, StatusChange, Tool
from blueplane_doctor.monitoring.capture_health import CaptureHealth, DatabaseMonitorHealth
from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
from blueplane_doctor.monitoring.cursor_completeness import CursorCompleteness
from blueplane_doctor.monitoring.cursor_hooks import CursorHooks, HookHealth
from blueplane_doctor.monitoring.database_health import DatabaseHealth
from blueplane_doctor.monitoring.delivery_delay import DeliveryDelay, RouteDelay
from blueplane_doctor.monitoring.disk_space import DiskSpace
from blueplane_doctor.monitoring.group_health import ConsumerHealth, GroupHealth
from blueplane_doctor.monitoring.history_health import HistoryHealth
from blueplane_doctor.monitoring.notifications import NotificationHealth
from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.monitoring.redis_health import RedisHealth
from blueplane_doctor.monitoring.redis_writes import RedisWrites
from blueplane_doctor.monitoring.server_health import ServerHealth
from blueplane_doctor.monitoring.spool_health import SpoolHealth
from blueplane_doctor.monitoring.state_counts import equation
from blueplane_doctor.monitoring.time_buckets import TimeBucket
from blueplane_doctor.monitoring.transcripts import ProjectTranscripts, TranscriptHealth
from blueplane_doctor.pipeline import CURSOR_HOOKS
from blueplane_doctor.verdict import headline_of, status_of

GENERATED_AT = "2026-03-14T09:26:53.589Z"
_LAST = "2026-03-14T09:26:51.204Z"
_SHARE = {"unit": "%", "highest": 100}
_START = Remedy(text="Start the Blueplane server; it writes what waits.", commands=["python scripts/start_server.py"])
_LOOK = Remedy(
    text="Read the writer's log from the time of the first break, then look at the messages themselves.",
    commands=[
        "blueplane-doctor trace --breaks",
        "redis-cli XRANGE telemetry:message_queue 1773479901310-0 1773479901310-0",
    ],
)


def report_of(findings: list[Finding], metrics: dict[str, Any] | None = None, exit_code: int = 0) -> Report:
    """A report as `diagnose` makes it, of these findings."""
    return Report(
        tool=Tool(version="0.1.0"),
        generated_at=GENERATED_AT,
        duration_ms=182.4,
        status=status_of(findings),
        headline=headline_of(findings),
        exit_code=exit_code,
        counts=count_statuses(findings),
        known_causes=["database-locked", "malformed-payloads", "server-down"],
        findings=in_order(findings),
        metrics=metrics or {},
    )


def empty() -> Report:
    """Nothing was selected, nothing was read."""
    return report_of([])


def healthy() -> Report:
    """Every check green, and every metric there."""
    return report_of(_green_findings() + _green_chain(), _metrics(_queue(), _chain(), _server(), _spool()))


def mixed() -> Report:
    """Every status, remedies with commands, breaks, a group that is missing and figures that are not known."""
    findings = _green_findings() + _bad_findings()
    metrics = _metrics(_troubled_queue(), _broken_chain(), _troubled_server(), _spool(waiting=31, dropped=2))
    report = with_causes(report_of(findings, metrics, exit_code=1), _causes())
    return report.model_copy(update={"changes": _changes()})


def with_causes(report: Report, causes: list[Cause]) -> Report:
    """The report as the engine makes it where these are its causes."""
    cause_of = {check: cause.id for cause in causes for check in cause.explains}
    findings = [one.model_copy(update={"cause": cause_of.get(one.id, one.cause)}) for one in report.findings]
    return report.model_copy(update={"causes": causes, "since": causes[0].since, "findings": findings})


def _causes() -> list[Cause]:
    return [
        Cause(
            id="malformed-payloads",
            title="A producer sends payloads that the writer drops",
            summary="1,180 messages are acknowledged and not written: payload is a list instead of an object.",
            since="2026-03-14T09:18:21.310Z",
            since_by="the time in the message's stream ID",
            at_stake=Stake(lost=1_180, recoverable=1_180),
            next_step=Remedy(
                text="Mend the producer; save the messages before the stream trims them.",
                commands=["blueplane-doctor trace 1773479901310-0"],
            ),
            status=Status.RED,
            explains=["chain-breaks"],
        ),
        Cause(
            id="database-locked",
            title="The database was locked, and a writer left its batches unwritten",
            summary="96 messages were left in the pending entries list.",
            since="2026-03-13T21:20:00.000Z",
            since_by="the oldest message that is stuck",
            certain=False,
            confirm="an error of that time in the server's log",
            at_stake=Stake(at_risk=96),
            next_step=Remedy(text="Find the process that locks it and let that finish."),
            status=Status.RED,
            explains=["stuck-consumers", "queue-depth"],
        ),
    ]


def _changes() -> list[StatusChange]:
    """As a history tells them that began before the day of the report."""
    changes = []
    for at, kind, identity, title, before, after in (
        ("2026-03-13T21:21:00.000Z", "report", "", "", "green", "red"),
        ("2026-03-13T21:21:00.000Z", "cause", "database-locked", "The database was locked", "green", "red"),
        ("2026-03-13T21:21:00.000Z", "check", "stuck-consumers", "How long a writer holds", "green", "red"),
        ("2026-03-14T09:19:00.000Z", "cause", "malformed-payloads", "Payloads are a list", "green", "red"),
        ("2026-03-14T09:19:00.000Z", "check", "chain-breaks", "Messages that are gone", None, "red"),
    ):
        values = {"at": at, "kind": kind, "id": identity, "title": title, "before": before, "after": after}
        changes.append(StatusChange.model_validate(values))
    return changes


def named(name: str, area: str, finding: Finding, duration_ms: float = 0.4) -> Finding:
    """A finding with what the engine adds."""
    return finding.model_copy(update={"id": name, "area": area, "duration_ms": duration_ms})


def _metrics(queue: QueueHealth, chain: ChainHealth, server: ServerHealth, spool: SpoolHealth) -> dict[str, Any]:
    records = {
        "queue": queue,
        "database": _database(),
        "capture": _capture(),
        "cursor": CursorCompleteness(is_there=False, is_set_up=False),
        "notifications": NotificationHealth(targets=0),
        "transcripts": _transcripts(missing=chain.chain_break_count and 192),
        "history": HistoryHealth(samples=0, cause="there is no history in Redis at localhost:6379"),
        "delivery": DeliveryDelay(
            routes=[RouteDelay(route="cursor", messages=640, sampled=640, p50_ms=0, p95_ms=1_000)]
        ),
        "chain": chain.model_copy(update={"equation": equation(chain.examined, chain.states)}),
        "server": server,
        "spool": spool,
        "redis": _redis(),
        "redis_writes": RedisWrites(taken=True),
        "disk_space": DiskSpace(database_free_mb=81_204.5, spool_free_mb=81_204.5),
    }
    return {name: record.model_dump() for name, record in records.items()}


def _transcripts(missing: int) -> TranscriptHealth:
    states = {"written": 5_004 - missing, "too_young": 3, "not_captured": 40, "missing": missing}
    return TranscriptHealth(
        since="24h",
        files=12,
        lines=5_047,
        written=states["written"],
        missing=missing,
        states=states,
        equation=line_equation(5_047, states),
        projects=[
            ProjectTranscripts(number=1, lines=4_047, written=4_004, missing=0),
            ProjectTranscripts(number=3, lines=1_000, written=1_000 - missing, missing=missing),
        ],
    )


def _green_findings() -> list[Finding]:
    lag = Scale.rising(unit="ms", yellow=5_000, orange=30_000, red_above=60_000)
    success = Scale.falling(yellow=99, orange_below=95, red_below=90, **_SHARE)
    p95 = Scale.rising(unit="ms", yellow=10, orange=50, red_above=100)
    wal = Scale.rising(unit="MB", yellow=64, orange=256, red=1024)
    monitor = Scale.states(green="active", yellow="intermittent", orange="inactive", red="down")
    alive = Scale.states(green="pid and HTTP", orange="one of them", red="neither")
    reach = Scale.states(green="yes", red="no")
    return [
        named("database-reachable", "database", reach.grade("yes", "The database answers")),
        named("redis-reachable", "redis", reach.grade("yes", "Redis answers")),
        named("consumer-lag", "queue", lag.grade(812, "The oldest unfinished message is 812 ms old")),
        named("write-success", "database", success.grade(99.97, "99.97 % of the writes succeeded")),
        named("write-p95", "database", p95.grade(4.2, "95 % of the writes took 4.2 ms or less")),
        named("write-throughput", "database", not_graded(3.1, "3.1 rows a second, all that came", unit="rows/s")),
        named("wal-size", "database", wal.grade(4.1, "The write-ahead log has 4.1 MB")),
        named("hook-success", "capture", success.grade(100, "Every hook execution succeeded")),
        named("database-monitor", "capture", monitor.grade("active", "The database monitor captured 4 s ago")),
        named("server-alive", "server", alive.grade("pid and HTTP", "The server runs and answers")),
    ]


def _green_chain() -> list[Finding]:
    breaks = Scale.rising(unit="breaks", orange=1, red=10)
    depth = Scale.rising(unit="messages", yellow=1_000, orange=10_000, red_above=50_000)
    return [
        named("chain-breaks", "chain", breaks.grade(0, "Every message is accounted for")),
        named("queue-depth", "queue", depth.grade(14, "14 messages wait for a writer")),
    ]


def _bad_findings() -> list[Finding]:
    breaks = Scale.rising(unit="breaks", orange=1, red=10)
    depth = Scale.rising(unit="messages", yellow=1_000, orange=10_000, red_above=50_000)
    stuck = Scale.rising(unit="s", orange_above=30, red_above=300)
    letters = Scale.rising(unit="messages", yellow=1, orange=10, red_above=100)
    missing = Scale.states(green="none", orange="nothing waits", red="messages wait")
    return [
        named(
            "chain-breaks",
            "chain",
            breaks.grade(
                1_234,
                "1,234 messages were acknowledged or trimmed and are in no table",
                remedy=_LOOK,
                evidence={
                    "lost": 1_180,
                    "trimmed_unread": 52,
                    "payload_gone": 2,
                    "newest_break_at": "2026-03-14T09:21:40.118Z",
                    "by_route": {"cursor": 1_171, "claude": 9},
                    "breaks": [_break(number).model_dump() for number in range(40)],
                },
            ),
            41.7,
        ),
        named(
            "writer-missing",
            "consumers",
            missing.grade(
                "messages wait",
                "The group claude_processors does not exist, and 318 messages wait for it",
                remedy=_START,
                evidence={"groups": ["claude_processors"], "waiting": 318},
            ),
        ),
        named(
            "stuck-consumers",
            "consumers",
            stuck.grade(
                412,
                "consumer-2 has held 96 messages without acknowledging any for 412 s",
                remedy=Remedy(text="Restart the writer: it takes its pending messages up again."),
                evidence={"consumers": [{"name": "consumer-2", "pending": 96, "idle_ms": 412_300}]},
            ),
        ),
        named(
            "dead-letters",
            "dead-letters",
            letters.grade(
                37,
                "37 messages were given up by their writers",
                remedy=Remedy(
                    text="Look at what they have in common.",
                    commands=["blueplane-doctor dead-letters --group-by reason"],
                ),
                evidence={"streams": {"telemetry:dlq": 35, "telemetry:message_queue:dlq": 2}},
            ),
        ),
        named(
            "queue-depth",
            "queue",
            depth.grade(1_420, "1,420 messages wait for a writer", remedy=_START, evidence={"stream_length": 9_934}),
        ),
        named(
            "clock-skew",
            "redis",
            unknown(
                "The clocks of Redis and this host cannot be compared",
                "Redis 6.2.14 does not tell its time to this user; it does from 7.0 on",
            ),
        ),
        named(
            "server-errors",
            "server",
            Finding(
                status=Status.SKIPPED,
                summary="Not judged",
                cause="there is no log: ~/.blueplane/server.log does not exist",
            ),
        ),
        named(
            "time-to-loss",
            "queue",
            not_set_up(
                "How long until messages are lost is not known",
                "there is no history in Redis at localhost:6379",
                part=HISTORY,
                remedy=Remedy(text="Keep a sample every minute.", commands=["blueplane-doctor record"]),
            ),
        ),
        named(
            "house-rule",
            "custom",
            Finding(
                status=Status.ERROR,
                summary="The check itself broke",
                cause="ZeroDivisionError: division by zero",
                evidence={"traceback": 'File "check_house.py", line 9, in check_house_rule\n    return 1 / 0'},
            ),
        ),
    ]


def _queue() -> QueueHealth:
    return QueueHealth(
        queue="telemetry:message_queue",
        layout="current",
        measured_at=GENERATED_AT,
        stream_length=9_934,
        max_length=10_000,
        queue_depth=14,
        pending_messages=12,
        oldest_pending_age_ms=812,
        consumer_count=3,
        consumer_lag_ms=812,
        enqueue_rate_events_per_sec=3.25,
        processing_rate_events_per_sec=3.1,
        dlq_size=0,
        dlq_recent_entries=0,
        dlq_previous_hour=0,
        dlq_oldest_age_ms=None,
        dlq_sizes={"telemetry:dlq": 0, "telemetry:message_queue:dlq": 0},
        groups=[_writer("claude_processors", 4), _writer("processors", 8), _reader()],
    )


def _troubled_queue() -> QueueHealth:
    stuck = _writer("processors", 104).model_copy(
        update={
            "stuck": 96,
            "orphaned": 0,
            "most_deliveries": 3,
            "longest_unacknowledged_ms": 412_300,
            "consumers": [
                ConsumerHealth(name="consumer-1", pending=8, idle_ms=240),
                ConsumerHealth(name="consumer-2", pending=96, idle_ms=412_300, gone=True),
            ],
        }
    )
    return _queue().model_copy(
        update={
            "queue_depth": 1_420,
            "pending_messages": 104,
            "oldest_pending_age_ms": 431_000,
            "consumer_lag_ms": 431_000,
            "dlq_size": 37,
            "dlq_recent_entries": 5,
            "dlq_previous_hour": 2,
            "dlq_oldest_age_ms": 86_400_000,
            "dlq_sizes": {"telemetry:dlq": 35, "telemetry:message_queue:dlq": 2},
            "groups": [GroupHealth(name="claude_processors", role="writer", exists=False), stuck, _reader()],
            "other_queues": ["telemetry:events"],
        }
    )


def _writer(name: str, pending: int) -> GroupHealth:
    return GroupHealth(
        name=name,
        role="writer",
        pending=pending,
        undelivered=2,
        lag=2,
        entries_read=48_211,
        oldest_pending_age_ms=812,
        longest_unacknowledged_ms=790,
        stuck=0,
        most_deliveries=1,
        orphaned=0,
        consumers=[ConsumerHealth(name="consumer-1", pending=pending, idle_ms=240)],
    )


def _reader() -> GroupHealth:
    return GroupHealth(
        name="cursor_session_monitors",
        role="reader",
        pending=0,
        undelivered=0,
        lag=0,
        entries_read=48_213,
        consumers=[ConsumerHealth(name="session_monitors-1", pending=0, idle_ms=1_950)],
    )


def _database() -> DatabaseHealth:
    return DatabaseHealth(
        tables={"claude_raw_traces": 1_204_811, "cursor_raw_traces": 3_318_402},
        write_success_count=11_402,
        write_failure_count=3,
        write_success_rate=0.99974,
        write_latency_p95_ms=4.2,
        write_throughput_events_per_sec=3.1,
        written_last_hour=11_160,
        last_successful_write_timestamp=_LAST,
        last_successful_write_age_ms=2_385,
        last_failed_write_timestamp="2026-03-13T22:04:09.000Z",
        db_size_mb=2_841.606,
        wal_size_mb=4.124,
    )


def _capture() -> CaptureHealth:
    return CaptureHealth(
        cursor_hooks=CursorHooks(
            total_executions=6_120,
            success_count=6_120,
            failure_count=0,
            success_rate=1.0,
            last_execution_timestamp=_LAST,
            hooks_active={name: name != "beforeMCPExecution" for name in CURSOR_HOOKS},
        ),
        hooks=[_hook(name, number) for number, name in enumerate(CURSOR_HOOKS)],
        database_monitor=DatabaseMonitorHealth(
            active=True,
            sessions_monitored=2,
            events_captured=3_496,
            last_activity_timestamp="2026-03-14T09:26:49.120Z",
            silent_ms=4_469,
            errors_count=0,
            ingest_rate_events_per_min=186.2,
        ),
        capture_rate_events_per_min=194.6,
        open_sessions=2,
        longest_open_ms=11_520_000,
        last_event_timestamp=_LAST,
    )


def _hook(name: str, number: int) -> HookHealth:
    silent = None if name == "beforeMCPExecution" else 2_385 * (number + 1)
    return HookHealth(
        name=name,
        installed=True,
        configured=False,
        expected=True,
        seen=0 if silent is None else 1_300 - 90 * number,
        last_seen=None if silent is None else _LAST,
        silent_ms=silent,
    )


def _chain() -> ChainHealth:
    return ChainHealth(
        chain_status="healthy",
        messages_enqueued_last_hour=9_934,
        messages_written_last_hour=9_540,
        messages_in_dlq=0,
        chain_break_count=0,
        last_chain_break_timestamp=None,
        success_rate=1.0,
        examined=9_934,
        partial=False,
        states={
            "waiting": 2,
            "in_flight": 12,
            "stuck": 0,
            "written": 9_540,
            "duplicate": 0,
            "dead_lettered": 0,
            "skipped": 380,
            "untraceable": 0,
            "lost": 0,
            "unexamined": 0,
            "trimmed_unread": 0,
            "payload_gone": 0,
        },
        by_route={
            "claude": {"in_flight": 4, "written": 3_100},
            "cursor": {"waiting": 2, "in_flight": 8, "written": 6_440},
            "unrouted": {"skipped": 380},
        },
        losses=[
            GroupLoss(group="claude_processors", trimmed_unread=0),
            GroupLoss(group="processors", trimmed_unread=0),
        ],
        breaks=[],
    )


def _broken_chain() -> ChainHealth:
    return _chain().model_copy(
        update={
            "chain_status": "broken",
            "messages_written_last_hour": 6_912,
            "messages_in_dlq": 37,
            "chain_break_count": 1_234,
            "last_chain_break_timestamp": "2026-03-14T09:21:40.118Z",
            "success_rate": 0.84906,
            "states": {
                "waiting": 1_318,
                "in_flight": 8,
                "stuck": 96,
                "written": 6_912,
                "duplicate": 3,
                "dead_lettered": 35,
                "skipped": 380,
                "untraceable": 2,
                "lost": 1_180,
                "unexamined": 0,
                "trimmed_unread": None,
                "payload_gone": 2,
            },
            "by_route": {
                "claude": {"waiting": 318, "written": 2_800, "lost": 9},
                "cursor": {
                    "waiting": 1_000,
                    "in_flight": 8,
                    "stuck": 96,
                    "written": 4_112,
                    "duplicate": 3,
                    "dead_lettered": 35,
                    "untraceable": 2,
                    "lost": 1_171,
                },
                "unrouted": {"skipped": 380},
            },
            "blockers": [ChainBlocker(id="1773479899204-0", group="processors", reason="no valid JSON in payload")],
            "losses": [
                GroupLoss(group="claude_processors", trimmed_unread=None, cause="the group does not exist"),
                GroupLoss(group="processors", trimmed_unread=52),
            ],
            "breaks": [_break(number) for number in range(200)],
        }
    )


def _break(number: int) -> ChainBreak:
    return ChainBreak(
        kind="payload_gone" if number % 100 == 99 else "lost",
        id=f"{1_773_479_901_310 + 977 * number}-0",
        event_id=None if number % 100 == 99 else f"5f0c6a52-0d2e-4b5e-9a35-{number:012d}",
        enqueued_at=f"2026-03-14T09:{18 + number // 60:02d}:{number % 60:02d}.310Z",
        route=None if number % 100 == 99 else "cursor",
        group="processors",
        event_type="unknown" if number % 100 == 99 else "generation",
        reason=(
            "trimmed or deleted while it was pending"
            if number % 100 == 99
            else "acknowledged without a row or a dead letter"
        ),
    )


def buckets() -> list[dict[str, Any]]:
    """Two hours of the chain in steps of ten minutes, as `metrics.chain.buckets`."""
    enqueued = (640, 720, 815, 900, 1_040, 1_200, 1_180, 1_010, 870, 790, 760, 629)
    return [_bucket(number, count).model_dump() for number, count in enumerate(enqueued)]


def _bucket(number: int, enqueued: int) -> TimeBucket:
    minute = 30 + 10 * number
    waiting = enqueued // 4 if number > 8 else 0
    held = enqueued // 12 if number > 6 else 0
    broken = enqueued // 6 if number in (6, 7, 8, 10, 11) else 0
    dead, skipped = (12 if number in (7, 8) else 0), 40
    return TimeBucket(
        start=f"2026-03-14T{7 + minute // 60:02d}:{minute % 60:02d}:00.000Z",
        enqueued=enqueued,
        delivered=enqueued - waiting,
        written=enqueued - waiting - held - broken - dead - skipped,
        skipped=skipped,
        waiting=waiting,
        held=held,
        dead_lettered=dead,
        untraceable=0,
        broken=broken,
        unexamined=0,
    )


def _server() -> ServerHealth:
    return ServerHealth(
        pid=48_112,
        pid_state="running",
        http_ok=True,
        http_answer="ok on port 8787",
        log_found=True,
        errors_per_minute=0.0,
        last_error_timestamp=None,
        buffered_events=0,
    )


def _troubled_server() -> ServerHealth:
    return _server().model_copy(update={"log_found": False, "errors_per_minute": None, "buffered_events": 12})


def _spool(waiting: int = 0, dropped: int = 0) -> SpoolHealth:
    return SpoolHealth(
        waiting_events=waiting,
        waiting_bytes=waiting * 1_204,
        room_bytes=5_000_000,
        spooled=waiting + 3,
        dropped=dropped,
        refused=0,
        unreadable=0,
        not_understood=0,
        not_understood_bytes=0,
        last_failure_timestamp="2026-03-14T09:24:02Z",
    )


def _redis() -> RedisHealth:
    return RedisHealth(
        server="redis",
        version="7.4.1",
        uptime_seconds=1_036_800,
        used_memory_mb=41.208,
        maxmemory_mb=None,
        maxmemory_policy="noeviction",
        may_evict_queue=False,
        persistence=True,
        clock_skew_ms=-3.2,
    )
