"""The checks of the consumer groups: every edge of their scales, and that readers are left alone."""

from typing import Any

import pytest

from blueplane_doctor.custody.blockers import ChainBlocker
from blueplane_doctor.monitoring.server_health import LockHolder, LoggedErrors
from tests.checks.builders import (
    HOUR,
    MINUTE,
    NOW,
    cases,
    chain,
    consumer,
    lagging_reader,
    one_writer,
    queue,
    run,
    server,
    writer,
)


@pytest.mark.parametrize(
    ("sentence", "milliseconds", "status"),
    cases(
        [
            ("holds-nothing", "a writer that holds nothing is green, however idle", None, "green"),
            ("just-given", "a message given this moment is green", 0, "green"),
            ("last-green", "30 s is still green", 30_000, "green"),
            ("above-orange", "a millisecond more than 30 s is orange", 30_001, "orange"),
            ("last-orange", "5 min is still orange", 300_000, "orange"),
            ("above-red", "a millisecond more than 5 min is red", 300_001, "red"),
        ]
    ),
)
def test_stuck_consumers(sentence: str, milliseconds: int | None, status: str) -> None:
    given = one_writer(longest_unacknowledged_ms=milliseconds, pending=0 if milliseconds is None else 1)
    assert run("stuck-consumers", queue=given).status == status, sentence


def test_an_idle_consumer_is_not_stuck() -> None:
    """Before Redis 7.2 the idle time of a healthy consumer grows on an empty stream."""
    given = one_writer(consumers=[consumer(idle_ms=700_000)])
    assert run("stuck-consumers", queue=given).status == "green"


@pytest.mark.parametrize(
    ("stuck", "said"),
    [
        (0, "The group processors has held a message for 12 s without acknowledging it"),
        (1, "The group processors has held a message for 12 s without acknowledging it; 1 message is stuck"),
        (40, "The group processors has held a message for 12 s without acknowledging it; 40 messages are stuck"),
        (None, "The group processors has held a message for 12 s without acknowledging it"),
    ],
)
def test_stuck_consumers_says_who_and_how_long(stuck: int | None, said: str) -> None:
    assert run("stuck-consumers", queue=one_writer(longest_unacknowledged_ms=12_000, stuck=stuck)).summary == said


def test_stuck_consumers_names_the_worst_writer_and_counts_all() -> None:
    given = queue(
        groups=[
            writer("claude_processors", longest_unacknowledged_ms=MINUTE, stuck=5),
            writer("processors", longest_unacknowledged_ms=HOUR, stuck=7),
        ]
    )
    found = run("stuck-consumers", queue=given)
    assert found.observed == 3_600
    assert found.summary.startswith("The group processors ")
    assert "12 messages" in found.summary


@pytest.mark.parametrize(
    ("sentence", "count", "status"),
    cases(
        [
            ("none", "nobody is gone", 0, "green"),
            ("orange-edge", "one message that nobody will claim is orange", 1, "orange"),
            ("last-orange", "99 is still orange", 99, "orange"),
            ("red-edge", "100 is the first red", 100, "red"),
            ("no-data", "a group whose pending list was not read has none that is known", None, "green"),
        ]
    ),
)
def test_orphaned_messages(sentence: str, count: int | None, status: str) -> None:
    gone = [consumer("consumer-1", pending=count or 0, gone=bool(count))]
    assert run("orphaned-messages", queue=one_writer(orphaned=count, consumers=gone)).status == status, sentence


@pytest.mark.parametrize(
    ("count", "names", "said"),
    [
        (1, ["consumer-1"], "1 message is held by consumer-1, a consumer that is gone"),
        (300, ["consumer-1"], "300 messages are held by consumer-1, a consumer that is gone"),
        (12, ["consumer-1", "consumer-2"], "12 messages are held by 2 consumers that are gone"),
    ],
)
def test_orphaned_messages_says_who_held_them(count: int, names: list[str], said: str) -> None:
    given = one_writer(orphaned=count, consumers=[consumer(name, gone=True) for name in names])
    assert run("orphaned-messages", queue=given).summary == said


def test_what_a_consumer_of_the_other_group_held_is_not_told_of_it() -> None:
    groups = [
        writer("processors", orphaned=1, consumers=[consumer("consumer-1", gone=True)]),
        writer("claude_processors", orphaned=0, consumers=[consumer("consumer-2", gone=True)]),
    ]
    found = run("orphaned-messages", queue=queue(groups=groups))
    assert found.summary == "1 message is held by consumer-1, a consumer that is gone"


def test_orphaned_messages_gives_commands_that_only_look() -> None:
    gone = [consumer(f"consumer-{n}", gone=True) for n in range(9)]
    found = run("orphaned-messages", queue=one_writer(orphaned=9, consumers=gone))
    assert found.remedy
    assert len(found.remedy.commands) == 3, "enough to see the pattern"
    assert all("XPENDING telemetry:message_queue processors" in command for command in found.remedy.commands)


@pytest.mark.parametrize(
    ("sentence", "deliveries", "status"),
    cases(
        [
            ("none", "no message was delivered", 0, "green"),
            ("once", "once is the normal way", 1, "green"),
            ("last-green", "twice happens on a healthy system", 2, "green"),
            ("yellow-edge", "three times is the first yellow", 3, "yellow"),
            ("last-yellow", "9 is still yellow", 9, "yellow"),
            ("orange-edge", "10 is the first orange", 10, "orange"),
            ("last-orange", "99 is still orange", 99, "orange"),
            ("red-edge", "100 is the first red", 100, "red"),
            ("no-data", "a group whose pending list was not read has no delivery that is known", None, "green"),
        ]
    ),
)
def test_retry_storm(sentence: str, deliveries: int | None, status: str) -> None:
    assert run("retry-storm", queue=one_writer(most_deliveries=deliveries, stuck=30)).status == status, sentence


@pytest.mark.parametrize(
    ("stuck", "said"),
    [
        (0, "The group processors was given the same message 319 times"),
        (None, "The group processors was given the same message 319 times"),
        (1, "The group processors was given the same message 319 times; 1 message is stuck"),
        (30, "The group processors was given the same message 319 times; 30 messages are stuck"),
    ],
)
def test_retry_storm_says_who_how_often_and_what_is_stuck(stuck: int | None, said: str) -> None:
    assert run("retry-storm", queue=one_writer(most_deliveries=319, stuck=stuck)).summary == said


BLOCKER = ChainBlocker(id="1773479901310-7", group="processors", reason="its event_id was written before")


@pytest.mark.parametrize(
    ("blockers", "behind"),
    [(1, ""), (3, " and 2 more")],
)
@pytest.mark.parametrize(
    ("check_id", "given", "said"),
    [
        ("stuck-consumers", {"longest_unacknowledged_ms": 12_000}, "held a message for 12 s without acknowledging it"),
        ("retry-storm", {"most_deliveries": 319}, "given the same message 319 times"),
    ],
)
def test_what_blocks_a_batch_is_named(
    check_id: str, given: dict[str, Any], said: str, blockers: int, behind: str
) -> None:
    found = run(check_id, queue=one_writer(stuck=40, **given), chain=chain(blockers=[BLOCKER] * blockers))
    expected = f"{said}; 40 messages are stuck behind 1773479901310-7 (its event_id was written before){behind}"
    assert found.summary.endswith(expected)


@pytest.mark.parametrize("check_id", ["stuck-consumers", "orphaned-messages", "retry-storm", "writer-missing"])
def test_readers_never_make_red(check_id: str) -> None:
    given = queue(groups=[writer("claude_processors"), writer("processors"), lagging_reader()])
    found = run(check_id, queue=given)
    assert found.status == "green"
    assert "cursor_session_monitors" not in found.summary


def test_nobody_is_told_to_claim_what_is_written_or_to_acknowledge_what_is_stuck() -> None:
    given = one_writer(longest_unacknowledged_ms=HOUR, most_deliveries=319, stuck=40, stuck_ids=["1-1"])
    for check_id in ("stuck-consumers", "retry-storm"):
        found = run(check_id, queue=given.model_copy(), chain=chain(blockers=[BLOCKER]))
        assert found.remedy is not None
        assert not any(word in command for command in found.remedy.commands for word in ("XACK", "XCLAIM", "XDEL"))


def test_a_disk_that_fails_is_told_and_its_cause_names_the_repair() -> None:
    given = one_writer(longest_unacknowledged_ms=HOUR, stuck=40, stuck_ids=["1-1"])
    errors = [LoggedErrors(kind="disk I/O error", count=4, lately=4, first=NOW, last=NOW)]
    remedy = run("stuck-consumers", queue=given, server=server(errors=errors)).remedy
    assert remedy and "see why the disk fails" in remedy.text
    assert "no refusal" not in remedy.text
    assert not any("repair" in command for command in remedy.commands)


def test_what_left_the_stream_is_not_looked_for_in_the_log() -> None:
    given = one_writer(longest_unacknowledged_ms=HOUR, stuck=0)
    remedy = run("stuck-consumers", queue=given, chain=chain({"payload_gone": 30})).remedy
    assert remedy and "has left the stream" in remedy.text
    assert remedy.commands[-1] == "blueplane-doctor repair stuck orphans"


def test_what_no_reason_explains_is_left_to_a_repair_that_plans_first() -> None:
    given = one_writer(longest_unacknowledged_ms=HOUR, stuck=40, stuck_ids=["1-1"])
    unexplained = run("stuck-consumers", queue=given).remedy
    assert unexplained and unexplained.commands[-1] == "blueplane-doctor repair stuck orphans"
    assert "is missing. A repair shows a plan first" in unexplained.text
    explained = run("stuck-consumers", queue=given, chain=chain(blockers=[BLOCKER])).remedy
    assert explained and not any("repair" in command for command in explained.commands)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("database is locked", "see which process holds it"),
        ("database is read-only", "the file and its folder"),
        ("disk is full", "make room"),
        ("another error", "None of the stuck messages tells a reason"),
    ],
)
def test_the_remedy_goes_by_what_the_log_tells(kind: str, said: str) -> None:
    errors = [LoggedErrors(kind=kind, count=3, lately=0, first=NOW, last=NOW)]
    given = one_writer(longest_unacknowledged_ms=HOUR, stuck=40)
    found = run("stuck-consumers", queue=given, server=server(errors=errors))
    assert found.remedy and said in found.remedy.text


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            "database is locked",
            'The log tells of "database is locked", and process 4711 holds the database\'s write lock: let it finish',
        ),
        ("disk is full", "Process 4711 holds the database's write lock: let it finish first. The log tells of"),
        ("another error", "Process 4711 holds the database's write lock: let it finish first."),
    ],
)
def test_a_lock_that_log_and_holder_tell_is_told_once(kind: str, said: str) -> None:
    errors = [LoggedErrors(kind=kind, count=3, lately=0, first=NOW, last=NOW)]
    given = one_writer(longest_unacknowledged_ms=HOUR, stuck=40)
    locked = server(errors=errors, lock_holder=LockHolder(pid=4711))
    found = run("stuck-consumers", queue=given, server=locked)
    assert found.remedy and found.remedy.text.startswith(said)
    assert found.remedy.text.count("let it finish") == 1
    assert "let that finish" not in found.remedy.text


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            "a row with the same event_id is there already",
            "Leave the acknowledgement to blueplane-doctor repair acknowledged",
        ),
        ("payload is not JSON", "exactly this message is lost then"),
    ],
)
def test_what_acknowledging_costs_is_told_as_the_cause_tells_it(reason: str, words: str) -> None:
    given = one_writer(longest_unacknowledged_ms=HOUR, stuck=3, stuck_ids=["1-1"], written_not_acknowledged=18)
    blocker = ChainBlocker(id="1-1", group="processors", reason=reason)
    remedy = run("stuck-consumers", queue=given, chain=chain(blockers=[blocker])).remedy
    assert remedy and words in remedy.text
