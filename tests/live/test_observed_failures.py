"""The failures that were seen on the real pipeline: the right verdict and the exact count, on every server."""

import math

import pytest

from blueplane_doctor.demo.faults import DEAD_PID, FAULTS, healthy
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.model import Report, Status
from tests.demo.observe import lag_after_trimming
from tests.helpers import examined, finding
from tests.live.support import colours, doctor, group, ill, live, states
from tests.parameters import one_quick

CLAUDE_WRITER, CURSOR_WRITER = "claude_processors", "processors"


def suffer(pipeline: Pipeline, fault: str, **numbers: int) -> Report:
    """Bring the pipeline into the faulty state and examine it."""
    FAULTS[fault].apply(pipeline, **numbers)
    return examined(pipeline)


@pytest.mark.server
@pytest.mark.parametrize(
    ("messages", "duplicates", "minutes", "verdict"),
    [(40, 2, 6, Status.RED), (7, 3, 1, Status.ORANGE), (150, 2, 20, Status.RED)],
)
def test_1_a_batch_behind_a_duplicate_is_stuck(
    any_pipeline: Pipeline, messages: int, duplicates: int, minutes: int, verdict: Status
) -> None:
    report = suffer(any_pipeline, "poison-duplicate", messages=messages, duplicates=duplicates, minutes=minutes)
    assert states(report) == {"stuck": messages}
    assert group(report, CURSOR_WRITER)["pending"] == group(report, CURSOR_WRITER)["stuck"] == messages
    assert group(report, CLAUDE_WRITER)["pending"] == 0
    stuck = finding(report, "stuck-consumers")
    assert stuck.status is verdict
    assert f"{messages} messages are stuck" in stuck.summary and CURSOR_WRITER in stuck.summary
    assert isinstance(stuck.observed, float) and math.isclose(stuck.observed, minutes * 60, abs_tol=20)
    assert finding(report, "pending-messages").observed == finding(report, "queue-depth").observed == messages
    assert report.metrics["chain"] and report.metrics["chain"]["chain_status"] == "degraded"
    assert finding(report, "chain-breaks").status is Status.GREEN, "nothing is lost yet"
    assert finding(report, "retry-storm").status is Status.GREEN, "each was delivered once"
    assert finding(report, "dead-letters").status is Status.GREEN
    assert report.exit_code == 1


@pytest.mark.server
@pytest.mark.parametrize(("messages", "malformed"), one_quick([(60, 12), (91, 17), (10, 1), (30, 9)]))
def test_2_acknowledged_and_never_written_is_a_break(any_pipeline: Pipeline, messages: int, malformed: int) -> None:
    report = suffer(any_pipeline, "malformed-payloads", messages=messages, malformed=malformed)
    assert states(report) == {"written": messages - malformed, "lost": malformed}
    queue, chain = report.metrics["queue"], report.metrics["chain"]
    assert queue and (queue["queue_depth"], queue["pending_messages"], queue["dlq_size"]) == (0, 0, 0)
    assert chain and (chain["chain_status"], chain["chain_break_count"]) == ("broken", malformed)
    assert len(chain["breaks"]) == malformed
    assert {b["reason"] for b in chain["breaks"]} <= {
        "payload is text instead of an object",
        "payload is a list instead of an object",
    }
    assert chain["success_rate"] == round((messages - malformed) / messages, 5)
    breaks = finding(report, "chain-breaks")
    assert breaks.observed == malformed
    assert breaks.status is (Status.RED if malformed >= 10 else Status.ORANGE)
    said = "1 message has vanished" if malformed == 1 else f"{malformed} messages have vanished"
    assert breaks.summary.startswith(said) and f"{malformed} neither pending nor written" in breaks.summary
    assert report.exit_code == 1


@pytest.mark.server
@pytest.mark.slow
def test_3_the_documented_outage_lost_19_985(any_pipeline: Pipeline) -> None:
    report = suffer(any_pipeline, "trimmed-unread")
    assert states(report) == {"waiting": 10_015, "trimmed_unread": 19_985}
    assert "19,985 messages were trimmed before" in finding(report, "lost-before-delivery").summary
    depth = finding(report, "queue-depth")
    assert (depth.status, depth.observed) == (Status.ORANGE, 10_015)
    assert "10,015 messages wait" in depth.summary


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize(("written", "unread"), [(40, 2_400), (900, 1_100)])
def test_3_what_was_trimmed_before_a_writer_saw_it_is_lost(any_pipeline: Pipeline, written: int, unread: int) -> None:
    any_pipeline.max_length = 1_000
    report = suffer(any_pipeline, "trimmed-unread", written=written, unread=unread)
    waits = int(any_pipeline.client.xlen(any_pipeline.queue))
    lost = unread - waits
    assert lost > 0
    assert states(report) == {"waiting": waits, "trimmed_unread": lost}
    chain = report.metrics["chain"]
    assert chain and chain["chain_break_count"] == lost, "both groups lost the same messages: counted once"
    assert {loss["group"]: loss["trimmed_unread"] for loss in chain["losses"]} == {
        CURSOR_WRITER: lost,
        CLAUDE_WRITER: lost,
    }
    loss = finding(report, "lost-before-delivery")
    assert (loss.status, loss.observed) == (Status.RED, lost)
    assert f"{lost:,} messages were trimmed before" in loss.summary
    assert finding(report, "queue-depth").observed == waits
    headroom = finding(report, "queue-headroom")
    assert headroom.status is Status.RED and "messages are being lost" in headroom.summary
    assert finding(report, "server-alive").status is Status.RED
    assert str(DEAD_PID) in finding(report, "server-alive").summary
    assert group(report, CURSOR_WRITER)["undelivered"] == waits
    said = lag_after_trimming(any_pipeline.client, unread, waits)
    assert group(report, CURSOR_WRITER)["lag"] == said, "what the server says, and what is not judged"


@pytest.mark.server
def test_3_trimming_only_what_was_read_loses_nothing(any_pipeline: Pipeline) -> None:
    any_pipeline.max_length = 1_000
    report = suffer(any_pipeline, "trimmed-unread", written=900, unread=700)
    assert int(any_pipeline.client.xlen(any_pipeline.queue)) < 1_600, "something was trimmed"
    assert finding(report, "lost-before-delivery").status is Status.GREEN
    counted = states(report)
    assert counted == {"waiting": 700, "written": sum(counted.values()) - 700}


@pytest.mark.server
@pytest.mark.parametrize(
    ("messages", "minutes", "verdict"), [(300, 20, Status.RED), (99, 3, Status.ORANGE), (1, 60, Status.ORANGE)]
)
def test_4_messages_of_a_dead_consumer_are_orphaned(
    any_pipeline: Pipeline, messages: int, minutes: int, verdict: Status
) -> None:
    report = suffer(any_pipeline, "orphaned-messages", messages=messages, minutes=minutes)
    assert states(report) == {"stuck": messages}
    held = group(report, CLAUDE_WRITER)
    assert (held["pending"], held["orphaned"], held["stuck"]) == (messages, messages, messages)
    gone = [c for c in held["consumers"] if c["gone"]]
    assert [(c["name"], c["pending"]) for c in gone] == [(f"claude-consumer-{DEAD_PID}", messages)]
    orphaned = finding(report, "orphaned-messages")
    assert (orphaned.status, orphaned.observed) == (verdict, messages)
    assert orphaned.summary.startswith("1 message is" if messages == 1 else f"{messages} messages are")
    assert f"claude-consumer-{DEAD_PID}" in orphaned.summary
    assert finding(report, "stuck-consumers").status is (Status.RED if minutes > 5 else Status.ORANGE)


@pytest.mark.server
@pytest.mark.parametrize(("cursor", "claude"), [(120, 50), (30, 10)])
def test_5_after_a_locked_database_only_the_cursor_batches_stay_stuck(
    any_pipeline: Pipeline, cursor: int, claude: int
) -> None:
    report = suffer(any_pipeline, "locked-database", cursor=cursor, claude=claude)
    assert states(report) == {"stuck": cursor, "written": claude}
    chain = report.metrics["chain"]
    assert chain and chain["by_route"] == {"claude": {"written": claude}, "cursor": {"stuck": cursor}}
    assert group(report, CURSOR_WRITER)["pending"] == cursor
    assert group(report, CLAUDE_WRITER)["pending"] == 0
    stuck = finding(report, "stuck-consumers")
    assert stuck.status is Status.RED and f"{cursor} messages are stuck" in stuck.summary
    assert finding(report, "dead-letters").status is Status.GREEN


def test_5_while_the_database_is_locked_it_can_still_be_read(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(20, at=pipeline.ago(minutes=2))
    pipeline.drain()
    with pipeline.lock_database():
        pipeline.enqueue_cursor(10, at=pipeline.ago(minutes=1))
        pipeline.drain()
        pipeline.age_pending(CURSOR_WRITER, milliseconds=45_000)
        report = examined(pipeline)
    assert states(report) == {"written": 20, "stuck": 10}
    assert finding(report, "database-reachable").status is Status.GREEN


@pytest.mark.server
@pytest.mark.parametrize(
    ("messages", "deliveries", "verdict"),
    [(30, 319, Status.RED), (12, 15, Status.ORANGE), (3, 4, Status.YELLOW), (100, 100, Status.RED)],
)
def test_6_a_retry_storm_is_told_with_its_deliveries(
    any_pipeline: Pipeline, messages: int, deliveries: int, verdict: Status
) -> None:
    report = suffer(any_pipeline, "retry-storm", messages=messages, deliveries=deliveries)
    assert states(report) == {"stuck": messages}
    held = group(report, CLAUDE_WRITER)
    assert (held["pending"], held["most_deliveries"], held["stuck"]) == (messages, deliveries, messages)
    storm = finding(report, "retry-storm")
    assert (storm.status, storm.observed) == (verdict, deliveries)
    assert f"{CLAUDE_WRITER} was given the same message {deliveries} times" in storm.summary
    assert "stuck" in storm.summary.partition(f"; {messages} ")[2]
    assert finding(report, "server-errors").status in (Status.YELLOW, Status.ORANGE, Status.RED)
    chain = report.metrics["chain"]
    assert chain and chain["chain_status"] == "degraded"


@pytest.mark.server
@pytest.mark.parametrize(("read", "waits"), [pytest.param(300, 5_405, marks=pytest.mark.slow), (60, 1_101), (0, 1_200)])
def test_7_a_writer_that_stopped_reading_for_ever(any_pipeline: Pipeline, read: int, waits: int) -> None:
    pipeline, claude, cursor = any_pipeline, (read + waits) // 2, (read + waits + 1) // 2
    pipeline.enqueue_claude(read // 2, at=pipeline.ago(minutes=30))
    pipeline.enqueue_cursor(read - read // 2, at=pipeline.ago(minutes=30))
    pipeline.drain()
    pipeline.enqueue_claude(claude - read // 2, at=pipeline.ago(minutes=20))
    pipeline.enqueue_cursor(cursor - (read - read // 2), at=pipeline.ago(minutes=20))
    pipeline.drain(*(g for g in pipeline.groups if g != CLAUDE_WRITER))
    report = examined(pipeline)
    chain = report.metrics["chain"]
    assert chain and chain["by_route"]["cursor"] == {"written": cursor}
    assert chain["by_route"]["claude"] == {
        state: count for state, count in (("waiting", claude - read // 2), ("written", read // 2)) if count
    }
    stalled = group(report, CLAUDE_WRITER)
    assert (stalled["pending"], stalled["undelivered"], stalled["lag"]) == (0, waits, waits)
    depth, lag = finding(report, "queue-depth"), finding(report, "consumer-lag")
    owed = claude - read // 2
    assert depth.observed == owed, "what only the other writer has to write waits for nobody"
    assert depth.status is (Status.YELLOW if owed >= 1_000 else Status.GREEN)
    assert lag.status is Status.RED and "20 min ago" in lag.summary
    assert finding(report, "stuck-consumers").status is Status.GREEN, "it holds nothing"
    assert report.exit_code == 1


@pytest.mark.server
@pytest.mark.parametrize("how", ["trimmed", "deleted"])
@pytest.mark.parametrize("gone", [6, 30])
def test_8_messages_that_go_while_they_are_held_are_breaks(any_pipeline: Pipeline, how: str, gone: int) -> None:
    pipeline = any_pipeline
    FAULTS["retry-storm"].apply(pipeline, messages=30)
    held = [str(e["message_id"]) for e in pipeline.client.xpending_range(pipeline.queue, CLAUDE_WRITER, "-", "+", 99)]
    if how == "trimmed":
        pipeline.client.xtrim(pipeline.queue, maxlen=30 - gone, approximate=False)
    else:
        pipeline.client.xdel(pipeline.queue, *held[:gone])
    report = examined(pipeline)
    expected = {"payload_gone": gone} | ({"stuck": 30 - gone} if gone < 30 else {})
    assert states(report) == expected
    chain = report.metrics["chain"]
    assert chain and (chain["chain_break_count"], chain["chain_status"]) == (gone, "broken")
    assert [b["id"] for b in chain["breaks"]] == held[:gone]
    breaks = finding(report, "chain-breaks")
    assert (breaks.observed, breaks.status) == (gone, Status.RED if gone >= 10 else Status.ORANGE)
    assert f"{gone} trimmed while pending" in breaks.summary


def test_a_dead_letter_whose_entry_is_gone_is_named_by_the_break(pipeline: Pipeline) -> None:
    """What was given up before its entry went can still be found: in the dead letter."""
    given_up, forgotten = pipeline.enqueue_claude(2)
    pipeline.deliver(CLAUDE_WRITER)
    pipeline.dead_letter(given_up, acknowledge=False)
    pipeline.client.xdel(pipeline.queue, given_up, forgotten)
    chain = examined(pipeline).metrics["chain"]
    assert chain
    reasons = {b["id"]: b["reason"] for b in chain["breaks"]}
    gone = "trimmed or deleted while it was pending"
    assert reasons == {given_up: f"{gone}; a dead letter names it", forgotten: gone}


@pytest.mark.server
@pytest.mark.parametrize(
    ("before", "recent", "verdict"), [(2, 14, Status.ORANGE), (5, 0, Status.GREEN), (0, 3, Status.YELLOW)]
)
def test_dead_letters_are_counted_in_both_streams_and_by_the_hour(
    any_pipeline: Pipeline, before: int, recent: int, verdict: Status
) -> None:
    report = suffer(any_pipeline, "dead-letter-growth", before=before, recent=recent)
    assert states(report) == {"dead_lettered": before + recent}
    queue, chain = report.metrics["queue"], report.metrics["chain"]
    assert queue and (queue["dlq_size"], queue["dlq_recent_entries"], queue["dlq_previous_hour"]) == (
        before + recent,
        recent,
        before,
    )
    assert sum(queue["dlq_sizes"].values()) == before + recent and all(queue["dlq_sizes"].values())
    assert chain and (chain["messages_in_dlq"], chain["chain_break_count"]) == (before + recent, 0)
    growth = finding(report, "dead-letter-growth")
    assert (growth.status, growth.observed) == (verdict, recent)
    if recent:
        assert growth.summary == f"{recent} dead letters in the last hour, {before} in the hour before"
    assert finding(report, "dead-letters").observed == before + recent


@pytest.mark.server
def test_a_dead_server_is_red_whatever_its_pid_file_says(any_pipeline: Pipeline) -> None:
    healthy(any_pipeline, minutes=2)
    report = suffer(any_pipeline, "dead-server")
    alive = finding(report, "server-alive")
    assert (alive.status, alive.observed) == (Status.RED, "neither")
    assert str(DEAD_PID) in alive.summary
    assert "waiting" not in states(report)


@pytest.mark.server
@pytest.mark.parametrize("hours", [2, 20])
def test_hooks_that_fall_silent_while_somebody_works(any_living: Pipeline, hours: int) -> None:
    FAULTS["silent-hooks"].apply(any_living, hours=hours)
    report = live(any_living)
    silent = finding(report, "hook-inactivity")
    assert silent.status is Status.RED and f"fired {hours} h ago" in silent.summary.replace("120 min", "2 h")
    assert ill(report).keys() == {"hook-inactivity", "capture-rate", "database-monitor"}
    assert states(report) == {"written": 12}


@pytest.mark.server
def test_an_idle_evening_is_green(any_living: Pipeline) -> None:
    FAULTS["idle-evening"].apply(any_living)
    report = live(any_living)
    assert ill(report) == {}
    assert (report.status, report.exit_code) == (Status.GREEN, 0)
    assert finding(report, "write-throughput").observed == finding(report, "capture-rate").observed == 0
    recorded = {"write-p95", "write-success", "hook-success"}
    sampled = {"wal-growth", "loss-between-samples"}
    offered = {"notify-delivery"}
    assert set(colours(report)) == recorded | sampled | offered, "only what was set up knows these"


@pytest.mark.slow
def test_an_idle_evening_ends_with_exit_code_0(living: Pipeline) -> None:
    FAULTS["idle-evening"].apply(living)
    ran = doctor(living)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("GREEN: the pipeline is healthy")


@pytest.mark.server
@pytest.mark.slow
def test_a_busy_healthy_pipeline_is_green_although_its_stream_is_full(any_living: Pipeline) -> None:
    any_living.enqueue_cursor(10_000, at=any_living.ago(minutes=90), hook_type="stop", payload_bytes=64)
    any_living.drain(batch=1_000)
    healthy(any_living)
    report = live(any_living)
    queue = report.metrics["queue"]
    assert queue and 10_000 <= queue["stream_length"] < 10_200
    assert queue["queue_depth"] == queue["pending_messages"] == 0
    assert ill(report) == {}
    assert report.exit_code == 0
    assert states(report).keys() == {"written", "skipped"}
