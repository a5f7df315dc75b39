import pytest

from blueplane_doctor.custody.blockers import ChainBlocker
from blueplane_doctor.model import Cause
from blueplane_doctor.monitoring.connections import Reach
from blueplane_doctor.monitoring.queue_health import ArrivingError
from blueplane_doctor.monitoring.server_health import LoggedErrors
from blueplane_doctor.sources.letter_errors import MALFORMED
from tests.checks import builders
from tests.checks.builders import causes_of

ID = "1773479901310-0"
SINCE = "2026-03-14T09:18:21.310Z"


def commands_of(one: Cause) -> str:
    assert one.next_step is not None
    return " / ".join(one.next_step.commands) + " / " + one.next_step.text


def blocker(group: str = "processors") -> ChainBlocker:
    return ChainBlocker(id=ID, group=group, reason="same event_id as 1773479901309-0")


def stuck(**changes: object) -> dict[str, object]:
    return {"pending": 40, "stuck": 40, "longest_unacknowledged_ms": 360_000, "stuck_ids": [ID], **changes}


def test_a_message_that_cannot_be_written_holds_up_its_batch() -> None:
    causes = causes_of(queue=builders.one_writer(**stuck()), chain=builders.chain(blockers=[blocker()]))
    assert [(one.id, one.since, one.at_stake.at_risk) for one in causes] == [("poison-message", SINCE, 40)]
    assert causes[0].next_step is not None
    assert causes[0].next_step.commands == ["blueplane-doctor repair stuck", f"blueplane-doctor trace {ID}"]
    assert causes[0].summary.endswith("Nothing is lost yet.")
    broken = builders.chain({"lost": 1}, chain_break_count=1, malformed_lost=1, blockers=[blocker()])
    poison = next(
        one for one in causes_of(queue=builders.one_writer(**stuck()), chain=broken) if one.id == "poison-message"
    )
    assert "lost" not in poison.summary, "beside what is lost"


def test_delivered_again_and_again_it_is_a_storm() -> None:
    queue = builders.one_writer(**stuck(most_deliveries=319))
    causes = causes_of(queue=queue, chain=builders.chain(blockers=[blocker()]))
    assert [one.id for one in causes] == ["retry-storm"]


def test_a_payload_that_no_writer_can_decode_is_one_cause() -> None:
    """It holds up its own group; the other one is given it again and again, and writes a dead letter each time."""
    undecodable = ChainBlocker(id=ID, group="processors", reason="payload is not JSON")
    letters = ArrivingError(
        reason=MALFORMED, count=71, messages=1, not_lost=1, first_timestamp=SINCE, newest_id="1773479902000-0"
    )
    queue = builders.queue(
        groups=[
            builders.writer("processors", **stuck(pending=1, stuck=1)),
            builders.writer("claude_processors", most_deliveries=72),
        ],
        dlq_size=71,
        dlq_recent_entries=71,
        dlq_oldest_age_ms=60_000,
        dlq_errors=[letters],
    )
    (cause,) = causes_of(queue=queue, chain=builders.chain(blockers=[undecodable]))
    assert cause.id == "poison-message"
    assert {"dead-letters", "dead-letter-growth", "retry-storm", "stuck-consumers"} <= set(cause.explains)


def test_where_the_database_cannot_be_read_a_storm_is_part_of_that() -> None:
    """To repair what is stuck would be of no use: there is nothing to write into."""
    reach = Reach(address="~/.blueplane/telemetry.db", reachable=False, cause="the database is damaged")
    queue = builders.one_writer(**stuck(most_deliveries=319))
    causes = causes_of(queue=queue, connections=builders.connections(database=reach))
    assert [one.id for one in causes] == ["database-damaged"]
    assert "retry-storm" in causes[0].explains


def test_with_a_server_that_does_not_run_it_is_started_first() -> None:
    server = builders.server(pid_state="not running", http_ok=False, http_answer="nobody listens")
    queue = builders.one_writer(**stuck())
    causes = causes_of(queue=queue, chain=builders.chain(blockers=[blocker()]), server=server)
    (poison,) = [one for one in causes if one.id == "poison-message"]
    assert poison.next_step and poison.next_step.text.startswith("Start the server first")


def test_a_storm_of_what_is_written_already_is_ended_by_acknowledging() -> None:
    queue = builders.one_writer(pending=40, written_not_acknowledged=40, to_acknowledge=[ID], most_deliveries=319)
    causes = causes_of(queue=queue)
    storm = next(one for one in causes if one.id == "retry-storm")
    assert storm.next_step and "has only to be acknowledged" in storm.next_step.text
    assert (storm.since, storm.since_bound) == (SINCE, "at the earliest"), "it was written before it was a storm"


def test_a_group_that_stands_before_what_is_written() -> None:
    queue = builders.one_writer(
        written_not_delivered=979, written_not_delivered_ids=[ID], written_up_to="1773479988120-4", waiting=3
    )
    causes = causes_of(queue=queue)
    assert [(one.id, one.since, one.at_stake.at_risk) for one in causes] == [("rewound-group", SINCE, 3)]
    assert causes[0].summary.endswith("Nothing is lost.")
    assert causes[0].title == "A consumer group was moved back, and is given written messages again"


def test_a_group_that_waits_for_what_was_enqueued_once_more_was_not_moved() -> None:
    queue = builders.one_writer(
        written_not_delivered=8, written_not_delivered_ids=[ID], written_up_to=ID, were_enqueued_again=True
    )
    (one,) = causes_of(queue=queue)
    assert (one.id, one.title) == ("rewound-group", "Messages that are written already were enqueued once more")


def test_two_writers_with_a_fault_each_are_two_causes() -> None:
    groups = [
        builders.writer("claude_processors", **stuck(most_deliveries=319)),
        builders.writer("processors", **stuck()),
    ]
    chain = builders.chain(blockers=[blocker("claude_processors"), blocker()])
    causes = causes_of(queue=builders.queue(groups=groups), chain=chain)
    assert {one.id for one in causes} == {"poison-message", "retry-storm"}


@pytest.mark.parametrize("deliveries", [1, 319], ids=["poison-message", "retry-storm"])
def test_the_same_fault_in_two_groups_is_told_under_two_titles(deliveries: int) -> None:
    names = ("claude_processors", "processors")
    groups = [builders.writer(name, **stuck(most_deliveries=deliveries)) for name in names]
    chain = builders.chain(blockers=[blocker(name) for name in names])
    causes = causes_of(queue=builders.queue(groups=groups), chain=chain)
    assert len({one.id for one in causes}) == 1
    assert sorted(one.title.rpartition(" ")[2] for one in causes) == list(names)


def test_orphans() -> None:
    gone = builders.consumer("consumer-1", gone=True, pending=3)
    queue = builders.one_writer(**stuck(stuck=2, orphaned=3, orphaned_gone=1, orphaned_ids=[ID], consumers=[gone]))
    causes = causes_of(queue=queue)
    assert [one.id for one in causes] == ["orphans"]
    assert (causes[0].at_stake.at_risk, causes[0].at_stake.lost) == (2, 1)
    assert "repair orphans / " in commands_of(causes[0])
    assert "Of the others only the IDs are left" in commands_of(causes[0])


def test_orphans_beside_messages_that_are_stuck_without_a_reason() -> None:
    queue = builders.one_writer(**stuck(stuck=40, orphaned=8, orphaned_gone=8, orphaned_ids=[ID]))
    (orphans,) = causes_of(queue=queue)
    # It takes the finding stuck-consumers with it: its repair has to heal these as well.
    assert "stuck-consumers" in orphans.explains
    assert "repair orphans stuck / " in commands_of(orphans)
    assert "nothing can be delivered again" in commands_of(orphans)


def test_a_message_with_another_messages_row_is_at_risk() -> None:
    held = {"pending": 1, "stuck": 0, "written_not_acknowledged": 1, "written_by_others": 1, "others_ids": [ID]}
    (one,) = causes_of(queue=builders.one_writer(**held))
    assert (one.id, one.since, one.at_stake.at_risk) == ("acknowledgements-lost", SINCE, 1)
    assert one.title == "A message has a key with which another one is written"
    assert "repair sets it aside, and keeps its content" in one.summary
    assert one.next_step is not None
    assert not any("XACK" in command for command in one.next_step.commands)


def test_written_messages_whose_acknowledgement_is_missing() -> None:
    blocked = ChainBlocker(id=ID, group="processors", reason="a row with the same event_id is there already")
    queue = builders.one_writer(pending=40, stuck=0, written_not_acknowledged=40, to_acknowledge=[ID])
    causes = causes_of(queue=queue, chain=builders.chain(blockers=[blocked]))
    assert [(one.id, one.since, one.at_stake.at_risk) for one in causes] == [("acknowledgements-lost", SINCE, 0)]


def test_a_message_whose_key_has_a_row_holds_up_the_others() -> None:
    blocked = ChainBlocker(id=ID, group="processors", reason="a row with the same event_id is there already")
    queue = builders.one_writer(**stuck(written_not_acknowledged=1, to_acknowledge=[ID]))
    causes = causes_of(queue=queue, chain=builders.chain(blockers=[blocked]))
    assert [one.id for one in causes] == ["poison-message"]
    assert "written-not-acknowledged" in causes[0].explains


def test_what_was_trimmed_while_it_was_held_may_be_lost() -> None:
    queue = builders.one_writer(**stuck(most_deliveries=319))
    (storm,) = [
        one for one in causes_of(queue=queue, chain=builders.chain({"payload_gone": 30})) if one.id == "retry-storm"
    ]
    assert "Nothing is lost" not in storm.summary


def test_errors_of_the_database_stand_under_the_message_that_brings_them() -> None:
    error = LoggedErrors(kind="UNIQUE constraint failed", count=2, lately=2, first=SINCE, last=SINCE)
    server = builders.server(errors=[error], errors_per_minute=2.0)
    queue = builders.one_writer(**stuck(most_deliveries=1))
    (cause,) = causes_of(server=server, queue=queue, chain=builders.chain(blockers=[blocker()]))
    assert (cause.id, set(cause.explains) >= {"server-errors", "stuck-consumers"}) == ("poison-message", True)


def test_errors_of_another_kind_stand_under_a_message_that_is_not_understood() -> None:
    error = LoggedErrors(kind="another error", count=12, lately=12, first=SINCE, last=SINCE)
    server = builders.server(errors=[error], errors_per_minute=12.0)
    queue = builders.one_writer(**stuck(most_deliveries=1))
    malformed = ChainBlocker(id=ID, group="processors", reason="payload is a list instead of an object")
    (cause,) = causes_of(server=server, queue=queue, chain=builders.chain(blockers=[malformed]))
    assert "server-errors" in cause.explains
    (same_key,) = causes_of(server=server, queue=queue, chain=builders.chain(blockers=[blocker()]))
    assert "server-errors" not in same_key.explains, "a key that is there twice brings another kind of error"
