"""What is also true on a healthy system, and would mislead a careless check; and layouts, users, emptiness."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo import schema
from blueplane_doctor.demo.faults import healthy
from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.layouts import CURRENT, EARLIER, Layout
from blueplane_doctor.model import Status
from tests.helpers import examined, finding
from tests.live.support import NOT_JUDGED, colours, doctor, group, ill, live, states
from tests.simulator import EarlierPipeline, create_raw_traces

CLAUDE_WRITER, CURSOR_WRITER = "claude_processors", "processors"
OFFERED = dict.fromkeys(("wal-growth", "loss-between-samples", "notify-delivery"), "not_set_up")
RECORDER_ONLY = {"write-p95": "not_set_up", "write-success": "not_set_up", "hook-success": "not_set_up"} | OFFERED
QUEUE_AND_CHAIN = "queue,chain,dead-letters"


# Idle consumers, phantom and missing lag


@pytest.mark.server
def test_consumers_that_poll_an_empty_stream_are_not_stuck(any_pipeline: Pipeline) -> None:
    """Before Redis 7.2 a healthy consumer that polls looks as idle as a dead one."""
    healthy(any_pipeline, minutes=2, minutes_ago=600)
    for name in any_pipeline.groups:
        consumer = any_pipeline.consumers[name]
        added = any_pipeline.client.xrange(any_pipeline.queue, count=1)[0][0]
        any_pipeline.client.xclaim(any_pipeline.queue, name, consumer, 0, [added], idle=700_000, force=True)
        any_pipeline.acknowledge(name, [str(added)])
    report = examined(any_pipeline, select=QUEUE_AND_CHAIN)
    assert ill(report) == {}
    assert finding(report, "stuck-consumers").observed == 0


@pytest.mark.server
def test_no_lag_after_deletions_is_counted_instead(any_pipeline: Pipeline) -> None:
    ids = any_pipeline.enqueue_cursor(60, at=any_pipeline.ago(seconds=3))
    for name in any_pipeline.groups:
        any_pipeline.acknowledge(name, [i for i, _ in any_pipeline.deliver(name, count=20)])
    rows = any_pipeline.client.xrange(any_pipeline.queue, ids[0], ids[19])
    any_pipeline.write([(str(i), fields or {}) for i, fields in rows])
    any_pipeline.client.xdel(any_pipeline.queue, ids[40], ids[45])
    report = examined(any_pipeline, select=QUEUE_AND_CHAIN)
    assert group(report, CURSOR_WRITER)["lag"] is None
    assert group(report, CURSOR_WRITER)["undelivered"] == 38
    assert finding(report, "queue-depth").observed == 38
    counted = states(report)
    assert (counted["written"], counted["waiting"]) == (20, 38)
    loss = finding(report, "lost-before-delivery")
    assert (loss.status, loss.observed) == (Status.RED, 2), "deleted before a writer was given them"


@pytest.mark.server
def test_a_group_at_an_arbitrary_id_makes_the_loss_unknown_and_nothing_green(any_pipeline: Pipeline) -> None:
    any_pipeline.max_length = 100
    ids = any_pipeline.enqueue_cursor(600, at=any_pipeline.ago(seconds=4))
    any_pipeline.drain()
    for name in any_pipeline.writer_groups:
        any_pipeline.client.xgroup_setid(any_pipeline.queue, name, ids[-10])
    report = examined(any_pipeline, select=QUEUE_AND_CHAIN)
    assert group(report, CURSOR_WRITER)["undelivered"] == 9
    loss = finding(report, "lost-before-delivery")
    assert loss.status is not Status.RED, "what was read once cannot have been lost unread"
    chain = report.metrics["chain"]
    assert chain and chain["chain_break_count"] == 0
    if group(report, CURSOR_WRITER)["entries_read"] is None:
        assert loss.status is Status.UNKNOWN and "entries-read" in loss.cause
        assert chain["states"]["trimmed_unread"] is None


@pytest.mark.server
def test_a_phantom_lag_after_trimming_and_draining_is_not_judged(any_pipeline: Pipeline) -> None:
    """Redis 7.0 and 7.4.1 keep the lag of what was trimmed for ever, Valkey rewrites it at the next read."""
    any_pipeline.max_length = 100
    any_pipeline.enqueue_cursor(50, at=any_pipeline.ago(minutes=9))
    any_pipeline.drain()
    any_pipeline.enqueue_cursor(900, at=any_pipeline.ago(minutes=8))
    waited = int(any_pipeline.client.xlen(any_pipeline.queue))
    any_pipeline.drain()
    report = examined(any_pipeline, select=QUEUE_AND_CHAIN)
    lag = group(report, CURSOR_WRITER)["lag"]
    assert lag in (0, 900 - waited)
    assert finding(report, "queue-depth").observed == 0
    assert finding(report, "consumer-lag").observed == 0
    assert group(report, CURSOR_WRITER)["undelivered"] == 0
    loss = finding(report, "lost-before-delivery")
    if lag:
        assert loss.observed == lag, "the loss itself is true where it is still known"
    else:
        assert loss.status is Status.UNKNOWN, "and where it is not, the rows tell that it is not known"
        assert loss.evidence["of those without a row, at most"] == 900 - waited
    assert states(report)["written"] == waited


@pytest.mark.server
def test_trimming_what_everybody_read_leaves_no_loss(any_pipeline: Pipeline) -> None:
    any_pipeline.max_length = 100
    for minute in range(9, 0, -1):
        any_pipeline.enqueue_cursor(90, at=any_pipeline.ago(minutes=minute))
        any_pipeline.drain()
    report = examined(any_pipeline, select=QUEUE_AND_CHAIN)
    assert int(any_pipeline.client.xlen(any_pipeline.queue)) < 400
    assert ill(report) == {}
    assert finding(report, "lost-before-delivery").status is Status.GREEN


@pytest.mark.server
def test_two_deliveries_are_no_symptom(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_claude(5, at=any_pipeline.ago(seconds=2))
    any_pipeline.drain(*(g for g in any_pipeline.groups if g != CLAUDE_WRITER))
    any_pipeline.deliver(CLAUDE_WRITER)
    any_pipeline.age_pending(CLAUDE_WRITER, milliseconds=400, deliveries=2)
    report = examined(any_pipeline, select=QUEUE_AND_CHAIN)
    assert ill(report) == {}
    assert states(report) == {"in_flight": 5}


@pytest.mark.server
def test_a_batch_in_flight_is_healthy_until_half_a_minute_has_passed(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(10, at=any_pipeline.ago(seconds=50))
    any_pipeline.drain(*(g for g in any_pipeline.groups if g != CURSOR_WRITER))
    any_pipeline.deliver(CURSOR_WRITER)
    any_pipeline.age_pending(CURSOR_WRITER, milliseconds=20_000)
    assert finding(examined(any_pipeline), "stuck-consumers").status is Status.GREEN
    any_pipeline.age_pending(CURSOR_WRITER, milliseconds=40_000)
    report = examined(any_pipeline)
    assert finding(report, "stuck-consumers").status is Status.ORANGE
    assert states(report) == {"stuck": 10}


# Times, quiet, noise


STAMPS = {
    "Z": "2026-03-14T09:26:53Z",
    "Z with fractions": "2026-03-14T09:26:53.589793Z",
    "offset": "2026-03-14T10:26:53+01:00",
    "offset with fractions": "2026-03-14T05:26:53.589-04:00",
    "neither": "2026-03-14T09:26:53",
    "blank between": "2026-03-14 09:26:53",
    "garbage": "half past nine",
    "empty": "",
}


@pytest.mark.parametrize("stamp", STAMPS.values(), ids=STAMPS)
def test_a_timestamp_of_any_shape_leads_to_its_row(pipeline: Pipeline, stamp: str) -> None:
    at = pipeline.ago(seconds=2)
    pipeline.enqueue_cursor(3, at=at, timestamp=stamp, enqueued_at=stamp)
    entry = {"entry_data": {"type": "summary", "timestamp": stamp}}
    pipeline.enqueue_claude(1, at=at, payload=entry, timestamp=stamp)
    pipeline.enqueue_claude_hook(1, at=at, timestamp=stamp)
    pipeline.drain()
    report = examined(pipeline, select=QUEUE_AND_CHAIN)
    if stamp:
        assert states(report) == {"written": 5}
    assert finding(report, "chain-breaks").status is Status.GREEN
    assert finding(report, "consumer-lag").observed == 0


def test_rows_without_a_zone_are_of_utc(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        pipeline.enqueue_cursor(30, at=pipeline.ago(seconds=20))
        pipeline.drain()
        database = examined(pipeline).metrics["database"]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert database and database["written_last_hour"] == 30
    assert 15_000 <= database["last_successful_write_age_ms"] < 60_000


def test_errors_of_a_healthy_start_are_no_illness(living: Pipeline) -> None:
    """Every start of the real server logs these: they are no errors a minute."""
    started = living.ago(seconds=90)
    database = "src.processing.database.sqlite_client"
    living.log("ERROR", "Database error: duplicate column name: workspace_name", at=started, logger=database)
    for _ in range(3):
        living.log("ERROR", "Task was destroyed but it is pending!", at=started, logger="asyncio")
        with (living.home / "server.log").open("a") as log:
            log.write("task: <Task pending name='Task-7' coro=<main() running at server.py:1>>\n")
    living.log("WARNING", "User-level Cursor database not found", at=started, logger="src.capture.user_listener")
    healthy(living, minutes=6)
    report = live(living)
    assert ill(report) == {}
    assert finding(report, "server-errors").observed == 0
    assert report.exit_code == 0
    assert report.metrics["database"] and report.metrics["database"]["last_failed_write_timestamp"] is None


def test_errors_of_long_ago_are_not_counted(living: Pipeline) -> None:
    for minutes in (400, 30, 6):
        living.log("ERROR", "once", at=living.ago(minutes=minutes))
    healthy(living, minutes=2)
    assert finding(live(living), "server-errors").status is Status.GREEN


def test_an_open_window_of_last_week_does_not_count_as_work(living: Pipeline) -> None:
    healthy(living, minutes=2, minutes_ago=600, session=False)
    living.open_session(minutes_ago=7 * 24 * 60)
    report = live(living)
    assert ill(report) == {}
    assert report.metrics["capture"] and report.metrics["capture"]["open_sessions"] == 0


def test_a_window_opened_a_minute_ago_is_not_yet_silent(living: Pipeline) -> None:
    healthy(living, minutes=2, minutes_ago=600, session=False)
    living.open_session(minutes_ago=1)
    report = live(living)
    assert finding(report, "hook-inactivity").status is Status.GREEN
    assert finding(report, "database-monitor").status is Status.GREEN


# Layouts


@pytest.fixture(params=["current", "earlier", "mixed tables", "earlier stream with tables of today"])
def any_layout(request: pytest.FixtureRequest, valkey: RunningServer, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline of each layout, and of those in between."""
    import redis

    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    kind = EarlierPipeline if request.param == "earlier" else Pipeline
    layout = {"layout": EARLIER} if request.param == "earlier stream with tables of today" else {}
    with kind(valkey.url, tmp_path / ".blueplane", **layout) as pipeline:
        if request.param == "mixed tables":
            create_raw_traces(pipeline.database)
        yield pipeline


def test_a_healthy_pipeline_of_any_layout_is_green(any_layout: Pipeline) -> None:
    any_layout.enqueue_cursor(36, at=any_layout.ago(minutes=3))
    any_layout.enqueue_cursor(18, source="unified_monitor", at=any_layout.ago(minutes=2))
    any_layout.enqueue_claude_hook(27, at=any_layout.ago(seconds=20))
    any_layout.drain()
    report = examined(any_layout, select=QUEUE_AND_CHAIN)
    assert ill(report) == {}
    assert states(report) == {"written": 81}
    assert report.metrics["queue"] and report.metrics["queue"]["queue"] == any_layout.queue


def test_transcript_lines_of_any_layout_are_never_taken_for_lost(any_layout: Pipeline) -> None:
    """They have no event_id; raw_traces, which knows nothing else, cannot prove that they were written."""
    any_layout.enqueue_claude(24, at=any_layout.ago(minutes=1))
    any_layout.drain()
    report = examined(any_layout, select=QUEUE_AND_CHAIN)
    assert ill(report) == {}
    assert states(report) in ({"written": 24}, {"untraceable": 24})


def test_a_loss_in_any_layout_is_found(any_layout: Pipeline) -> None:
    any_layout.enqueue_cursor(40, at=any_layout.ago(minutes=2))
    any_layout.enqueue_cursor(7, at=any_layout.ago(minutes=1), payload="text")
    any_layout.drain()
    report = examined(any_layout, select=QUEUE_AND_CHAIN)
    assert states(report) == {"written": 40, "lost": 7}


def test_stuck_messages_in_any_layout_are_found(any_layout: Pipeline) -> None:
    any_layout.enqueue_claude(9, at=any_layout.ago(minutes=9))
    writer = any_layout.writer_groups[-1]
    any_layout.deliver(writer)
    any_layout.drain(*(g for g in any_layout.groups if g != writer))
    any_layout.age_pending(writer, milliseconds=400_000)
    report = examined(any_layout, select=QUEUE_AND_CHAIN)
    assert states(report) == {"stuck": 9}
    assert finding(report, "stuck-consumers").status is Status.RED


def test_old_rows_in_raw_traces_serve_messages_of_today(valkey: RunningServer, tmp_path: Path) -> None:
    """After an upgrade the stream still holds messages that the earlier writer wrote."""
    import redis

    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    with Pipeline(valkey.url, tmp_path / ".blueplane") as pipeline:
        create_raw_traces(pipeline.database)
        old = pipeline.enqueue_cursor(10, at=pipeline.ago(minutes=9))
        rows = [(str(i), f) for i, f in pipeline.client.xrange(pipeline.queue) if f]
        with closing(schema.connect(pipeline.database)) as connection:
            connection.executemany(
                "INSERT INTO raw_traces (event_id, session_id, event_type, platform, timestamp, event_data) "
                "VALUES (?, 's', 't', 'cursor', '', x'00')",
                [(fields["event_id"],) for _, fields in rows],
            )
        for name in pipeline.writer_groups:
            pipeline.deliver(name)
            pipeline.acknowledge(name, old)
        pipeline.enqueue_cursor(5, at=pipeline.ago(minutes=1))
        pipeline.drain()
        report = examined(pipeline, select=QUEUE_AND_CHAIN)
    assert states(report) == {"written": 15}
    assert ill(report) == {}


@pytest.mark.slow
@pytest.mark.server
def test_of_two_queues_the_one_in_use_is_judged_and_the_other_named(any_pipeline: Pipeline, tmp_path: Path) -> None:
    with EarlierPipeline(any_pipeline.redis_url, tmp_path / "old") as old:
        old.enqueue_cursor(20, at=old.ago(hours=30), event_ids=[f"of-the-old-one-{number}" for number in range(20)])
        healthy(any_pipeline, minutes=2)
        report = examined(any_pipeline, select=QUEUE_AND_CHAIN)
        queue = report.metrics["queue"]
        assert queue and (queue["queue"], queue["other_queues"]) == ("telemetry:message_queue", ["telemetry:events"])
        assert ill(report) == {}
        forced = examined(any_pipeline, select=QUEUE_AND_CHAIN, streams={"queue": "telemetry:events"})
        assert forced.metrics["queue"] and forced.metrics["queue"]["queue"] == "telemetry:events"
        assert states(forced) == {"waiting": 20}


def test_a_queue_of_another_name_is_examined_when_it_is_named(valkey: RunningServer, tmp_path: Path) -> None:
    import redis

    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    layout = Layout("ours", "ours:queue", ("ours:dlq", "ours:queue:dlq"), CURRENT.routes)
    with Pipeline(valkey.url, tmp_path / ".blueplane", layout=layout) as pipeline:
        healthy(pipeline, minutes=1)
        streams = {"queue": "ours:queue", "dead_letters": ["ours:dlq", "ours:queue:dlq"]}
        report = examined(pipeline, select=QUEUE_AND_CHAIN, streams=streams)
        assert ill(report) == {} and states(report)["written"] == 27
        unnamed = colours(examined(pipeline, select=QUEUE_AND_CHAIN))
        assert unnamed.pop("stream-lost") == "red", "rows of a moment ago came through a stream that is not seen"
        assert {v for k, v in unnamed.items() if k not in (*OFFERED, "time-to-loss", "backlog-trend")} == {"skipped"}


# Readers, users of one editor, nothing at all


@pytest.mark.slow
@pytest.mark.server
def test_readers_that_lag_or_hold_are_never_worse_than_yellow(any_living: Pipeline) -> None:
    readers = names.READER_GROUPS
    any_living.open_session(minutes_ago=10)
    any_living.enqueue_cursor(1_500, at=any_living.ago(minutes=10), spread=timedelta(minutes=9))
    any_living.enqueue_cursor(60, at=any_living.ago(minutes=1), source="unified_monitor")
    any_living.drain(*any_living.writer_groups, readers[0], batch=1_000)
    any_living.deliver(readers[1], count=300)
    any_living.age_pending(readers[1], milliseconds=3_000_000, deliveries=500)
    report = live(any_living)
    assert set(ill(report).values()) <= {"yellow"}
    assert finding(report, "queue-depth").observed == 0
    assert group(report, readers[1])["pending"] == 300
    assert group(report, readers[2])["undelivered"] == 1_560
    assert states(report) == {"written": 1_560}


@pytest.mark.parametrize("writer", [CURSOR_WRITER, CLAUDE_WRITER])
def test_a_user_of_one_editor_whose_other_writer_never_started(pipeline: Pipeline, writer: str) -> None:
    pipeline.client.delete(pipeline.queue)
    add = pipeline.enqueue_cursor if writer == CURSOR_WRITER else pipeline.enqueue_claude
    add(30, at=pipeline.ago(minutes=3))
    pipeline.client.xgroup_create(pipeline.queue, writer, "0")
    pipeline.drain(writer)
    report = examined(pipeline, select=QUEUE_AND_CHAIN)
    assert states(report) == {"written": 30}
    assert finding(report, "queue-depth").observed == 0, "nothing here is owned by the writer that is missing"
    missing = finding(report, "writer-missing")
    assert missing.observed == "missing, nothing waits"
    assert (CLAUDE_WRITER if writer == CURSOR_WRITER else CURSOR_WRITER) in missing.summary
    assert ill(report).keys() == {"writer-missing"}


def test_messages_of_a_writer_that_never_started_wait(pipeline: Pipeline) -> None:
    pipeline.client.xgroup_destroy(pipeline.queue, CLAUDE_WRITER)
    pipeline.enqueue_cursor(30, at=pipeline.ago(minutes=3))
    pipeline.enqueue_claude(12, at=pipeline.ago(minutes=3))
    pipeline.drain(CURSOR_WRITER)
    report = examined(pipeline, select=QUEUE_AND_CHAIN)
    assert states(report) == {"written": 30, "waiting": 12}
    missing = finding(report, "writer-missing")
    assert (missing.status, missing.observed) == (Status.RED, "missing, messages wait")
    assert finding(report, "queue-depth").observed == 12
    assert finding(report, "consumer-lag").status is Status.RED


@pytest.mark.server
def test_an_empty_stream_is_green_and_says_so(any_living: Pipeline) -> None:
    report = live(any_living)
    assert ill(report) == {}
    assert states(report) == {}
    assert "no messages" in finding(report, "chain-breaks").summary
    assert colours(report) == RECORDER_ONLY


@pytest.mark.server
def test_a_stream_emptied_after_work_is_green(any_living: Pipeline) -> None:
    healthy(any_living, minutes=2, minutes_ago=400)
    any_living.close_sessions()
    any_living.client.xtrim(any_living.queue, maxlen=0, approximate=False)
    report = live(any_living)
    assert ill(report) == {}
    assert states(report) == {}


@pytest.mark.server
def test_a_stream_emptied_before_anybody_read_it_is_a_loss(any_living: Pipeline) -> None:
    any_living.enqueue_cursor(25, at=any_living.ago(minutes=2))
    any_living.client.xtrim(any_living.queue, maxlen=0, approximate=False)
    report = live(any_living)
    assert states(report) == {"trimmed_unread": 25}
    assert finding(report, "lost-before-delivery").status is Status.RED


@pytest.mark.server
def test_no_stream_at_all_is_skipped_with_its_cause(any_living: Pipeline) -> None:
    any_living.client.flushall()
    report = live(any_living)
    assert report.metrics["queue"] is None and report.metrics["chain"] is None
    for check_id in ("queue-depth", "chain-breaks", "lost-before-delivery", "stuck-consumers", "dead-letters"):
        skipped = finding(report, check_id)
        assert skipped.status in NOT_JUDGED, "never green: nothing was seen"
        assert "has no stream telemetry:message_queue or telemetry:events" in skipped.cause
    assert finding(report, "redis-reachable").status is Status.GREEN
    assert finding(report, "database-reachable").status is Status.GREEN
    assert ill(report) == {"stream-lost": "red"}, "a server that runs made it at its start"
    assert live(any_living, strict=True).exit_code == 1


@pytest.mark.slow
def test_no_stream_at_all_is_told_by_the_command(pipeline: Pipeline) -> None:
    pipeline.client.flushall()
    ran = doctor(pipeline, "--select", "queue,chain", "--strict")
    assert ran.returncode == 3
    assert "has no stream telemetry:message_queue or telemetry:events" in " ".join(ran.stdout.split())
    assert ran.stderr == ""


@pytest.mark.slow
def test_nothing_of_blueplane_is_there(valkey: RunningServer, tmp_path: Path) -> None:
    import redis

    from tests.live.support import command

    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    ran = command("--home", str(tmp_path / "nothing"), "--redis-url", valkey.url)
    assert ran.returncode == 3
    assert "No Blueplane found in" in ran.stdout
    assert "Traceback" not in ran.stderr + ran.stdout
    assert not (tmp_path / "nothing").exists()


@pytest.mark.server
def test_messages_from_a_clock_ahead_of_ours_do_not_confuse(any_pipeline: Pipeline) -> None:
    """Producers' own times may lie ahead; ages are never below zero."""
    ahead = datetime.now(UTC) + timedelta(minutes=5)
    any_pipeline.enqueue_cursor(20, at=ahead)
    any_pipeline.drain()
    report = examined(any_pipeline, select=QUEUE_AND_CHAIN)
    assert ill(report) == {}
    assert states(report) == {"written": 20}
