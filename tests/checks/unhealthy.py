"""For every check, records that it has something to say about: what its section of docs/TROUBLESHOOTING.md quotes."""

from blueplane_doctor.capture.hook_wiring import WiringFault
from blueplane_doctor.custody.losses import GroupLoss
from blueplane_doctor.monitoring.connections import Reach
from blueplane_doctor.monitoring.cursor_completeness import WorkspaceItems
from blueplane_doctor.monitoring.cursor_hooks import CursorHooks
from blueplane_doctor.monitoring.server_health import LoggedErrors
from blueplane_doctor.monitoring.transcripts import ProjectTranscripts
from blueplane_doctor.records.base import Record
from tests.checks.builders import (
    HOUR,
    MINUTE,
    NOW,
    another_redis,
    capture,
    chain,
    chain_break,
    connections,
    consumer,
    cursor,
    database,
    database_access,
    delivery,
    disk_space,
    history,
    hook,
    monitor,
    no_history,
    no_stream,
    notifications,
    one_writer,
    queue,
    reader,
    redis,
    redis_writes,
    route_delay,
    seen_losses,
    server,
    server_uses,
    spool,
    transcripts,
    trend,
    wiring,
    writer,
)

_EARLIER = "2026-03-14T09:22:00.000Z"
_STUCK = one_writer(pending=40, stuck=40, longest_unacknowledged_ms=6 * MINUTE, most_deliveries=319)
_FIRST = ["1773479901310-0", "1773479901310-1", "1773479901312-0"]
_NOT_DELIVERED = {
    "at": _EARLIER,
    "target": "slack 1",
    "kinds": ["opened"],
    "status": "red",
    "causes": ["server-down"],
    "reason": "the service answered 404",
}
_HELD = [consumer(), consumer("consumer-4242", pending=300, gone=True)]

UNHEALTHY: dict[str, dict[str, Record]] = {
    "notify-delivery": {"notifications": notifications(undelivered=1, messages=[_NOT_DELIVERED])},
    "queue-depth": {"queue": queue(queue_depth=30_000, consumer_lag_ms=HOUR, first_unfinished_ids=_FIRST)},
    "stream-lost": {"presence": no_stream(rows=900, last_row_age_ms=1_000), "history": no_history()},
    "pending-messages": {
        "queue": queue(pending_messages=1_240, oldest_pending_age_ms=20 * MINUTE, first_pending_ids=_FIRST)
    },
    "consumer-lag": {"queue": queue(queue_depth=40, consumer_lag_ms=6 * MINUTE, first_unfinished_ids=_FIRST)},
    "queue-headroom": {"queue": queue(queue_depth=8_400, minutes_to_loss=12.0)},
    "stuck-consumers": {"queue": _STUCK},
    "orphaned-messages": {"queue": one_writer(orphaned=300, consumers=_HELD, orphaned_ids=_FIRST)},
    "retry-storm": {"queue": _STUCK},
    "written-not-acknowledged": {
        "queue": one_writer(
            pending=2, written_not_acknowledged=2, to_acknowledge=["1773479901310-7", "1773479901310-8"]
        )
    },
    "written-not-delivered": {
        "queue": one_writer(
            written_not_delivered=979, written_not_delivered_ids=_FIRST, written_up_to="1773479988120-4", waiting=0
        ),
        "server": server(pid_state="not running", http_ok=False, http_answer="nobody listens on port 8787"),
    },
    "reader-lag": {"queue": queue(groups=[writer(), reader(undelivered=2_001)])},
    "second-server": {
        "queue": one_writer(consumers=[consumer(shares_group=True), consumer("consumer-5205", shares_group=True)]),
        "chain": chain({"untraceable": 118}, written_elsewhere=118),
    },
    "unknown-groups": {"queue": queue(groups=[writer("claude_processors"), writer(), reader("git_processors")])},
    "writer-missing": {"queue": queue(queue_depth=12, groups=[writer(consumers=[], undelivered=12, lag=12)])},
    "cursor-completeness": {
        "cursor": cursor(
            states={"missing": 18},
            first_missing=_EARLIER,
            workspaces=[WorkspaceItems(workspace=3, changed=40, missing=18, announced=False, watched=True)],
        )
    },
    "cursor-last-changes": {"cursor": cursor(states={"outdated": 3})},
    "capture-wiring": {
        "wiring": wiring(
            WiringFault(
                kind="not_used",
                place="Claude Code's settings.json",
                entry="hooks.Stop[0].matcher",
                reason="it is not a text",
            )
        )
    },
    "dead-letters": {"queue": queue(dlq_size=37, dlq_oldest_age_ms=30 * HOUR, dlq_newest_ids=_FIRST[:1])},
    "dead-letter-growth": {"queue": queue(dlq_recent_entries=14, dlq_previous_hour=2)},
    "lost-before-delivery": {"chain": chain(losses=[GroupLoss(group="processors", trimmed_unread=19_985)])},
    "chain-breaks": {"chain": chain({"lost": 12}, chain_break_count=12, breaks=[chain_break()])},
    "transcript-completeness": {
        "transcripts": transcripts(
            192,
            projects=[ProjectTranscripts(number=2, lines=250, written=58, missing=192, unfindable_reason="a dot")],
            missing_by_reason={"folder_not_found": 192},
            missing_ids=["0b6e1f6c-54c7-4c39-9f0e-8d5f0a1f7c11"],
            first_missing_timestamp=_EARLIER,
            deleted_at="2026-04-11",
        )
    },
    "backlog-trend": {"history": history(groups=[trend(state="stopped", backlog=412, still_seconds=540.0)])},
    "time-to-loss": {"history": history(backlog_per_minute=310.0, minutes_to_loss=24.0)},
    "wal-growth": {"history": history(wal_growth_mb_last_hour=96.0)},
    "delivery-delay": {"delivery": delivery(routes=[route_delay(p95_ms=48_200, recent_p95_ms=61_500)])},
    "loss-between-samples": {"history": history(losses=seen_losses(processors={"2026-11-28T03:10:00Z": 412}))},
    "database-reachable": {
        "connections": connections(
            database=Reach(address="telemetry.db", reachable=False, cause="the database telemetry.db does not exist")
        )
    },
    "write-p95": {"database": database(write_latency_p95_ms=84.0, recorded_minutes=30)},
    "write-success": {"database": database(write_success_rate=0.925, recorded_minutes=30)},
    "write-throughput": {
        "database": database(write_throughput_events_per_sec=4.0),
        "queue": queue(queue_depth=5_200, waiting_messages=5_200, oldest_waiting_age_ms=20 * MINUTE),
    },
    "wal-size": {"database": database(wal_size_mb=412.0)},
    "hook-inactivity": {"capture": capture(hooks=[hook("stop", silent_ms=42 * MINUTE)])},
    "hook-success": {
        "capture": capture(
            cursor_hooks=CursorHooks(
                total_executions=720, recorded_minutes=30, success_rate=0.91, success_count=655, failure_count=65
            )
        )
    },
    "hook-spool": {"spool": spool(waiting_events=212)},
    "hook-losses": {"spool": spool(dropped=4)},
    "capture-rate": {"capture": capture(capture_rate_events_per_min=1.4)},
    "database-monitor": {"capture": capture(database_monitor=monitor(silent_ms=42 * MINUTE))},
    "server-alive": {
        "server": server(pid_state="not running", http_ok=False, http_answer="nobody listens on port 8787")
    },
    "server-settings": {"server_uses": server_uses(unused_config="config.yaml: line 2: not valid YAML")},
    "same-pipeline": {"server_uses": another_redis()},
    "server-errors": {
        "server": server(
            errors_per_minute=56.4,
            errors=[LoggedErrors(kind="database is locked", count=282, lately=282, first=_EARLIER, last=NOW)],
        )
    },
    "undrained-buffer": {"server": server(buffered_events=12)},
    "redis-reachable": {
        "connections": connections(
            redis=Reach(address="localhost:6379", reachable=False, cause="Redis at localhost:6379 cannot be reached")
        )
    },
    "redis-writable": {
        "redis_writes": redis_writes(
            taken=False, refusal="OOM", reason="its 100 MB of memory are full, and it may evict nothing (noeviction)"
        )
    },
    "database-writable": {"database_access": database_access(writable=False, refused=["database", "folder"])},
    "disk-space": {"disk_space": disk_space(database_free_mb=312.0)},
    "redis-memory": {"redis": redis(used_memory_mb=93.0, maxmemory_mb=100.0)},
    "redis-clients": {"redis": redis(open_connections=97, maxclients=100)},
    "redis-durability": {"redis": redis(persistence=False)},
    "clock-skew": {"redis": redis(clock_skew_ms=9_200.0)},
}
