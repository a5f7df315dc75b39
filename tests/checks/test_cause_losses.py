import pytest

from blueplane_doctor.custody.ledger import LostRun
from blueplane_doctor.custody.losses import GroupLoss
from blueplane_doctor.model import Stake
from blueplane_doctor.monitoring.queue_health import ArrivingError
from tests.checks import builders
from tests.checks.builders import causes_of

ID = "1773479901310-0"
SINCE = "2026-03-14T09:18:21.310Z"


def test_payloads_that_the_writer_passes_over() -> None:
    broken = builders.chain_break(reason="payload is a list instead of an object")
    causes = causes_of(chain=builders.chain({"lost": 1}, chain_break_count=1, malformed_lost=1, breaks=[broken]))
    assert [(one.id, one.since, one.since_bound) for one in causes] == [("malformed-payloads", SINCE, "at the latest")]


@pytest.mark.parametrize(
    ("malformed", "others", "expected"),
    [
        (1, 40, [("unrecorded-loss", "red", 40), ("malformed-payloads", "orange", 1)]),
        (40, 1, [("malformed-payloads", "red", 40), ("unrecorded-loss", "orange", 1)]),
    ],
)
def test_each_kind_of_loss_has_its_own_colour_and_count(
    malformed: int, others: int, expected: list[tuple[str, str, int]]
) -> None:
    lost = malformed + others
    chain = builders.chain({"lost": lost}, chain_break_count=lost, malformed_lost=malformed, unwritable_lost=malformed)
    causes = causes_of(chain=chain)
    assert [(one.id, one.status, one.at_stake.lost) for one in causes] == expected


def test_a_malformed_message_beside_many_that_were_trimmed_has_its_own_colour() -> None:
    states: dict[str, int | None] = {"lost": 1, "trimmed_unread": 500}
    losses = [GroupLoss(group=name, trimmed_unread=500) for name in ("processors", "claude_processors")]
    chain = builders.chain(states, chain_break_count=501, malformed_lost=1, losses=losses)
    told = {one.id: one.status for one in causes_of(chain=chain)}
    assert told == {"backlog-outgrew-stream": "red", "malformed-payloads": "orange"}


def test_lost_without_a_reason_is_told_as_such() -> None:
    reason = "neither pending nor written, and no dead letter names it"
    chain = builders.chain({"lost": 1}, chain_break_count=1, breaks=[builders.chain_break(reason=reason)])
    (cause,) = causes_of(chain=chain)
    assert (cause.id, cause.certain, cause.at_stake.lost) == ("unrecorded-loss", False, 1)
    assert "XGROUP" in cause.confirm


def test_a_group_that_was_made_anew_behind_what_is_lost() -> None:
    chain = builders.chain({"lost": 1}, chain_break_count=1, breaks=[builders.chain_break(reason="neither")])
    queue = builders.one_writer(consumers=[], last_delivered_id=ID)
    (cause,) = causes_of(chain=chain, queue=queue)
    assert cause.explains == ["chain-breaks", "writer-missing"]
    assert "processors may have been made anew" in cause.summary


def test_a_group_without_a_consumer_has_nothing_to_do_with_what_another_one_had_to_write() -> None:
    broken = builders.chain_break(reason="neither", group="claude_processors")
    chain = builders.chain({"lost": 1}, chain_break_count=1, breaks=[broken])
    queue = builders.one_writer(consumers=[], last_delivered_id=ID)
    causes = causes_of(chain=chain, queue=queue)
    assert not any("made anew" in cause.summary for cause in causes)


def test_more_than_the_chain_keeps_are_counted_all_the_same() -> None:
    breaks = [builders.chain_break(reason="payload is text instead of an object")] * 200
    (cause,) = causes_of(chain=builders.chain({"lost": 900}, chain_break_count=900, malformed_lost=900, breaks=breaks))
    assert cause.summary.startswith("900 messages are acknowledged")


def arriving(error: str, count: int, messages: int | None = None, not_lost: int = 0) -> ArrivingError:
    """Letters of one error; each of its own message unless told otherwise."""
    named = count if messages is None else messages
    return ArrivingError(
        reason=error, count=count, messages=named, not_lost=not_lost, first_timestamp=SINCE, newest_id=ID
    )


@pytest.mark.parametrize(
    ("error", "unwritten", "sentence"),
    [
        (arriving("e", 8), 8, "8 dead letters in the last hour, the last one"),
        (arriving("e", 200, messages=1), 1, "200 dead letters of 1 message in the last hour"),
        (arriving("e", 1, not_lost=1), 0, "Its message is written by now, or still pending."),
        (arriving("e", 5, messages=5, not_lost=5), 0, "All their messages are written by now, or still pending."),
        (arriving("e", 5, messages=4, not_lost=3), 1, "3 of these messages are written by now, or still pending."),
    ],
)
def test_what_dead_letters_hold_counts_each_message_once_and_none_of_them_as_lost(
    error: ArrivingError, unwritten: int, sentence: str
) -> None:
    (cause,) = causes_of(queue=builders.queue(dlq_size=200, dlq_oldest_age_ms=60_000, dlq_errors=[error]))
    assert cause.at_stake == Stake(dead_lettered=unwritten)
    assert sentence in cause.summary


def test_each_error_that_still_gives_letters_is_a_cause() -> None:
    errors = [arriving("OperationalError: database is locked", 8), arriving("no reason recorded", 4)]
    queue = builders.queue(dlq_size=14, dlq_recent_entries=12, dlq_oldest_age_ms=60_000, dlq_errors=errors)
    causes = causes_of(queue=queue)
    assert [(one.id, one.since, one.at_stake.dead_lettered) for one in causes] == [
        ("dead-letters", SINCE, 4),
        ("dead-letters", SINCE, 8),
    ]
    assert [one.title for one in causes] == [
        "A writer gives messages up: no reason recorded",
        "A writer gives messages up: OperationalError: database is locked",
    ]


def test_old_dead_letters_are_one_cause() -> None:
    queue = builders.queue(dlq_size=20, dlq_unwritten_messages=14, dlq_oldest_age_ms=60_000_000, dlq_newest_ids=[ID])
    (cause,) = causes_of(queue=queue)
    assert (cause.id, cause.since, cause.at_stake.dead_lettered) == ("dead-letters", SINCE, 14)


def test_all_that_every_writer_lost_from_one_moment_on_is_an_older_database() -> None:
    run = LostRun(first_id=ID, last_id="1773479901999-0", messages=50)
    chain = builders.chain({"lost": 51}, chain_break_count=51, malformed_lost=1, unwritable_lost=1, lost_run=run)
    causes = causes_of(chain=chain)
    assert [(one.id, one.certain, one.at_stake.lost) for one in causes] == [
        ("rows-of-one-time-missing", False, 50),
        ("malformed-payloads", True, 1),
    ]
    assert "repair lost" in str(causes[0].next_step)
