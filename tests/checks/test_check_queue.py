"""The checks of the queue: every edge of their scales."""

import pytest

from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.monitoring.stream_presence import StreamPresence
from tests.checks.builders import (
    HOUR,
    MINUTE,
    cases,
    history,
    lagging_reader,
    locations,
    no_history,
    no_stream,
    presence,
    queue,
    run,
    server,
    server_uses,
    trend,
    writer,
)


@pytest.mark.parametrize(
    ("sentence", "depth", "status"),
    cases(
        [
            ("nothing-waits", "an idle queue is green", 0, "green"),
            ("one-waits", "a message on its way is green", 1, "green"),
            ("below-yellow", "999 is the last green", 999, "green"),
            ("yellow-edge", "1,000 is the first yellow", 1_000, "yellow"),
            ("below-orange", "9,999 is the last yellow", 9_999, "yellow"),
            ("orange-edge", "10,000 is the first orange", 10_000, "orange"),
            ("last-orange", "50,000 is still orange", 50_000, "orange"),
            ("above-red", "50,001 is the first red", 50_001, "red"),
            ("no-data", "a backlog that was not counted to its end is unknown, never green", None, "unknown"),
        ]
    ),
)
def test_queue_depth(sentence: str, depth: int | None, status: str) -> None:
    assert run("queue-depth", queue=queue(queue_depth=depth)).status == status, sentence


def test_queue_depth_is_not_the_length_of_the_stream() -> None:
    assert run("queue-depth", queue=queue(stream_length=90_000, queue_depth=3)).observed == 3


@pytest.mark.parametrize(
    ("depth", "waiting", "said"),
    [
        (0, 0, "No message waits for a writer"),
        (1, 1, "1 message waits for a writer"),
        (2, 2, "2 messages wait for a writer"),
        (12_345, 12_345, "12,345 messages wait for a writer"),
        (12_345, None, "12,345 messages wait for a writer"),
        (7, 0, "A writer holds 7 messages that are not written"),
        (8, 7, "7 messages wait for a writer, and a writer holds 1 message that is not written"),
    ],
)
def test_queue_depth_says_how_many_wait(depth: int, waiting: int | None, said: str) -> None:
    assert run("queue-depth", queue=queue(queue_depth=depth, waiting_messages=waiting)).summary == said


def test_an_uncounted_backlog_says_what_to_try() -> None:
    for check_id in ("queue-depth", "queue-headroom"):
        assert "--timeout" in run(check_id, queue=queue(queue_depth=None)).cause


@pytest.mark.parametrize(
    ("sentence", "pending", "status"),
    cases(
        [
            ("none", "nothing pending is green", 0, "green"),
            ("below-yellow", "99 is the last green", 99, "green"),
            ("yellow-edge", "100 is the first yellow", 100, "yellow"),
            ("below-orange", "999 is the last yellow", 999, "yellow"),
            ("orange-edge", "1,000 is the first orange", 1_000, "orange"),
            ("last-orange", "5,000 is still orange", 5_000, "orange"),
            ("above-red", "5,001 is the first red", 5_001, "red"),
        ]
    ),
)
def test_pending_messages(sentence: str, pending: int, status: str) -> None:
    assert run("pending-messages", queue=queue(pending_messages=pending)).status == status, sentence


@pytest.mark.parametrize(
    ("pending", "age", "said"),
    [
        (0, None, "Every delivered message is acknowledged"),
        (1, 450, "1 message is delivered and not acknowledged, enqueued 450 ms ago"),
        (1_200, 5 * MINUTE, "1,200 messages are delivered and not acknowledged, the oldest enqueued 5 min ago"),
        (3, None, "3 messages are delivered and not acknowledged"),
    ],
)
def test_pending_messages_says_how_many_and_how_old(pending: int, age: int | None, said: str) -> None:
    given = queue(pending_messages=pending, oldest_pending_age_ms=age)
    assert run("pending-messages", queue=given).summary == said


def test_pending_messages_shows_writers_only() -> None:
    given = queue(groups=[writer("processors", pending=3), lagging_reader()])
    assert run("pending-messages", queue=given).evidence["pending by group"] == {"processors": 3}


@pytest.mark.parametrize(
    ("sentence", "milliseconds", "status"),
    cases(
        [
            ("nothing-waits", "no unfinished message is green", 0, "green"),
            ("below-yellow", "a millisecond less than 5 s is green", 4_999, "green"),
            ("yellow-edge", "5 s is the first yellow", 5_000, "yellow"),
            ("below-orange", "a millisecond less than 30 s is yellow", 29_999, "yellow"),
            ("orange-edge", "30 s is the first orange", 30_000, "orange"),
            ("last-orange", "60 s is still orange", 60_000, "orange"),
            ("above-red", "a millisecond more than 60 s is red", 60_001, "red"),
        ]
    ),
)
def test_consumer_lag(sentence: str, milliseconds: int, status: str) -> None:
    given = queue(consumer_lag_ms=milliseconds, queue_depth=1 if milliseconds else 0)
    assert run("consumer-lag", queue=given).status == status, sentence


@pytest.mark.parametrize(
    ("milliseconds", "status", "said"),
    [
        (2_000, "unknown", "How long messages wait is not known"),
        (2 * HOUR, "red", "The oldest unfinished message was enqueued at least 2 h ago"),
    ],
)
def test_consumer_lag_with_an_older_message_of_unknown_time(milliseconds: int, status: str, said: str) -> None:
    given = queue(queue_depth=3, consumer_lag_ms=milliseconds, consumer_lag_is_at_least=True, ids_ahead=3)
    finding = run("consumer-lag", queue=given)
    assert finding.status == status
    assert finding.summary.startswith(said)


def test_consumer_lag_of_an_idle_queue_names_no_message() -> None:
    assert run("consumer-lag", queue=queue()).summary == "No message is waiting"


def test_consumer_lag_names_the_age_even_where_the_backlog_was_not_counted() -> None:
    said = run("consumer-lag", queue=queue(queue_depth=None, consumer_lag_ms=2 * HOUR)).summary
    assert said == "The oldest unfinished message was enqueued 2 h ago"


@pytest.mark.parametrize(
    ("sentence", "depth", "status"),
    cases(
        [
            ("empty", "an idle queue is green", 0, "green"),
            ("below-yellow", "one message less than half is green", 4_999, "green"),
            ("yellow-edge", "half full is yellow", 5_000, "yellow"),
            ("below-orange", "one message less than 80 % is yellow", 7_999, "yellow"),
            ("orange-edge", "80 % is orange", 8_000, "orange"),
            ("below-red", "one message less than full is orange", 9_999, "orange"),
            ("red-edge", "full is red", 10_000, "red"),
            ("overfull", "beyond full is red", 12_000, "red"),
            ("no-data", "a backlog that was not counted to its end is unknown", None, "unknown"),
        ]
    ),
)
def test_queue_headroom(sentence: str, depth: int | None, status: str) -> None:
    assert run("queue-headroom", queue=queue(queue_depth=depth, max_length=10_000)).status == status, sentence


@pytest.mark.parametrize(("depth", "losing"), [(9_999, False), (10_000, True)])
def test_queue_headroom_says_when_messages_may_be_lost(depth: int, losing: bool) -> None:
    assert ("lost" in run("queue-headroom", queue=queue(queue_depth=depth)).summary) is losing


@pytest.mark.parametrize("check_id", ["queue-depth", "pending-messages", "consumer-lag", "queue-headroom"])
def test_readers_never_make_the_queue_ill(check_id: str) -> None:
    given: QueueHealth = queue(groups=[writer("claude_processors"), writer("processors"), lagging_reader()])
    assert run(check_id, queue=given).status == "green"


STOPPED = server(pid_state="not running", http_ok=False)
GONE = ["processors", "claude_processors"]


@pytest.mark.parametrize(
    ("sentence", "given", "runs", "status"),
    cases(
        [
            ("there", "a stream with its groups is green", presence(), True, "green"),
            ("idle", "so is one without a row for a week", presence(last_row_age_ms=168 * HOUR), False, "green"),
            ("empty", "so is an empty one", presence(length=0, entries_added=0, rows=0), True, "green"),
            ("no-counter", "a server before 7.0 counts nothing", presence(entries_added=None), True, "green"),
            ("rows", "rows of a moment ago prove that there was one", no_stream(last_row_age_ms=1_000), False, "red"),
            ("runs", "so does a server that runs", no_stream(), True, "red"),
            ("old-rows", "old rows prove little", no_stream(rows=9, last_row_age_ms=25 * HOUR), False, "unknown"),
            ("nothing", "without evidence it is unknown", no_stream(), False, "unknown"),
            ("groups", "groups gone under a running server", presence(missing_groups=GONE), True, "red"),
            (
                "stopped",
                "a stopped server makes its groups when it starts",
                presence(missing_groups=GONE),
                False,
                "green",
            ),
            (
                "anew",
                "more rows than ever came in",
                presence(entries_added=60, rows_without_message=16),
                True,
                "yellow",
            ),
        ]
    ),
)
def test_stream_lost(sentence: str, given: StreamPresence, runs: bool, status: str) -> None:
    found = run("stream-lost", presence=given, server=server() if runs else STOPPED, history=no_history())
    assert found.status == status, sentence


def test_a_stream_that_is_not_where_nobody_said_it_was_is_not_lost() -> None:
    uses = server_uses(unused_config="config.yaml: not valid YAML", is_redis_known=False)
    found = run("stream-lost", presence=no_stream(last_row_age_ms=1_000), server=server(), server_uses=uses)
    assert found.status == "unknown"


def test_other_databases_of_the_same_redis_are_looked_at_before_anything_makes_a_new_stream() -> None:
    given = no_stream(last_row_age_ms=1_000, other_databases=[1, 2, 3, 9])
    finding = run("stream-lost", presence=given, server=server(), history=no_history(), locations=locations())
    assert finding.remedy is not None
    assert finding.remedy.text.startswith("First see whether the stream is in another database")
    assert "If it is not: Restart the Blueplane server" in finding.remedy.text
    assert [command.split()[-4:] for command in finding.remedy.commands] == [
        ["-n", str(number), "TYPE", "telemetry:message_queue"] for number in (1, 2, 3)
    ]


def test_a_lost_stream_tells_what_the_last_sample_saw() -> None:
    seen = history(groups=[trend(backlog=500), trend("claude_processors", backlog=12)])
    found = run("stream-lost", presence=no_stream(last_row_age_ms=1_000), server=STOPPED, history=seen)
    assert found.summary == (
        "The queue stream is gone, while the database was written to 1 s ago and samples of the last hour know its "
        "groups; the last sample saw 500 unfinished messages"
    )
