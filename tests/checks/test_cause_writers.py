import pytest

from blueplane_doctor.custody.losses import GroupLoss
from tests.checks import builders
from tests.checks.builders import causes_of

ID = "1773479901310-0"
SINCE = "2026-03-14T09:18:21.310Z"
WAITS = {"queue_depth": 120, "waiting_messages": 120, "oldest_waiting_age_ms": 512_279, "consumer_lag_ms": 512_279}


def waiting(**changes: object) -> object:
    groups = [builders.writer("claude_processors"), builders.writer("processors", waiting=120, **changes)]
    return builders.queue(groups=groups, **WAITS)


def test_a_writer_that_asks_no_more_has_stopped() -> None:
    causes = causes_of(queue=waiting(consumers=[builders.consumer(idle_ms=400_000)]))
    assert [(one.id, one.since, one.certain, one.at_stake.at_risk) for one in causes] == [
        ("writer-stopped", SINCE, True, 120)
    ]
    assert "consumer last asked for messages 7 min" in causes[0].summary


def test_a_group_without_a_consumer_is_read_by_nobody() -> None:
    (cause,) = causes_of(queue=waiting(consumers=[]))
    assert (cause.id, cause.certain) == ("writer-stopped", True)
    assert set(cause.explains) >= {"writer-missing", "consumer-lag"}


def test_where_nothing_is_written_for_a_minute_it_is_likely() -> None:
    database = builders.database(write_throughput_events_per_sec=0.0)
    assert [(one.id, one.certain) for one in causes_of(queue=waiting(), database=database)] == [
        ("writer-stopped", False)
    ]


def test_a_writer_at_work_falls_behind() -> None:
    (cause,) = causes_of(queue=waiting())
    assert (cause.id, cause.certain) == ("writers-fall-behind", False)
    assert "or has stopped reading" in cause.summary, "a single look cannot tell them apart"


def test_without_a_server_it_is_the_server() -> None:
    server = builders.server(pid_state="not running", http_ok=False, http_answer="nobody listens")
    assert [one.id for one in causes_of(queue=waiting(consumers=[]), server=server)] == ["server-down"]


def test_trimmed_unread_while_the_server_runs() -> None:
    loss = GroupLoss(group="processors", trimmed_unread=12, after_id=ID, before_id="1773479901999-0")
    chain = builders.chain({"trimmed_unread": 12}, chain_break_count=12, losses=[loss])
    causes = causes_of(chain=chain)
    assert causes[0].certain, "the stream is full"
    assert [(one.id, one.since, one.at_stake.lost) for one in causes] == [("backlog-outgrew-stream", SINCE, 12)]


@pytest.mark.parametrize(
    ("depth", "title", "said"),
    [
        (0, "More messages waited than the stream keeps", "That is over: nothing is unfinished now"),
        (4_999, "More messages waited than the stream keeps", "That is over: 4,999 messages are unfinished now"),
        (5_000, "More messages wait than the stream keeps, or nearly as many", ""),
    ],
)
def test_a_burst_that_is_over_is_told_as_the_past(depth: int, title: str, said: str) -> None:
    loss = GroupLoss(group="processors", trimmed_unread=12, after_id=ID, before_id="1773479901999-0")
    chain = builders.chain({"trimmed_unread": 12}, chain_break_count=12, losses=[loss])
    causes = causes_of(chain=chain, queue=builders.queue(queue_depth=depth))
    cause = next(one for one in causes if one.id == "backlog-outgrew-stream")
    assert cause.title == title
    assert said in cause.summary
    assert cause.next_step is not None
    assert ("Get the writers to read again" in cause.next_step.text) == (not said)


def test_in_a_stream_that_is_not_full_somebody_deleted() -> None:
    loss = GroupLoss(group="processors", trimmed_unread=12, after_id=ID, before_id="1773479901999-0")
    chain = builders.chain({"trimmed_unread": 12}, chain_break_count=12, losses=[loss])
    (cause,) = causes_of(chain=chain, queue=builders.queue(stream_length=40, entries_added=52))
    assert (cause.id, cause.certain, "XDEL" in cause.summary) == ("backlog-outgrew-stream", True, True)
    assert cause.title == "Somebody removed messages from the stream before a writer read them"
    assert cause.next_step is not None and "XTRIM" in cause.next_step.text
    full = builders.queue(stream_length=8_995, max_length=9_000, entries_added=90_000, queue_depth=8_000)
    cause = next(one for one in causes_of(chain=chain, queue=full) if one.id == "backlog-outgrew-stream")
    assert cause.title == "More messages wait than the stream keeps, or nearly as many", "the pipeline's own trimming"


def test_of_more_than_somebody_removed_it_is_likely_alone() -> None:
    loss = GroupLoss(group="processors", trimmed_unread=20_000, after_id=ID, before_id="1773479901999-0")
    chain = builders.chain({"trimmed_unread": 20_000}, chain_break_count=20_000, losses=[loss])
    (cause,) = causes_of(chain=chain, queue=builders.queue(stream_length=40, entries_added=90_000))
    assert (cause.certain, "Somebody" in cause.title) == (False, True)
