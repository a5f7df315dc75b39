"""A consumer of somebody's own program, which keeps what it is given."""

import pytest
from blueplane_doctor.checks.stuck_messages import stuck_with_living

from blueplane_doctor.monitoring.queue_health import QueueHealth
from tests.checks import builders
from tests.checks.builders import causes_of

ID = "1773479901310-0"
NAME = "<hidden-5f0c6a52>"


def held(stuck: int, others: int, **changes: object) -> QueueHealth:
    """A group with so many stuck messages, of which another program's consumer holds some."""
    other = builders.consumer(
        NAME, pending=others, stuck=others, stuck_ids=[ID], is_other_program=True, idle_ms=90_000, **changes
    )
    consumers = [builders.consumer(), other]
    return builders.one_writer(
        pending=stuck, stuck=stuck, stuck_ids=[ID], longest_unacknowledged_ms=45_000, consumers=consumers
    )


def test_another_program_holds_what_is_stuck() -> None:
    (one,) = causes_of(queue=held(20, 20))
    assert (one.id, one.certain, one.at_stake.at_risk) == ("another-program-reads", True, 20)
    assert one.explains == ["stuck-consumers"]
    assert one.summary.startswith(f"20 messages are stuck with {NAME} in the group processors (20)")
    assert (one.since, one.since_bound) == ("2026-03-14T09:18:21.310Z", "at the latest")
    assert one.next_step is not None
    assert one.next_step.text.startswith("End the program that reads with it first")
    assert one.next_step.commands[0].endswith("repair stuck")
    assert one.next_step.commands[-1].endswith("XINFO CONSUMERS telemetry:message_queue processors")


def test_the_finding_names_no_error_that_the_log_should_hold() -> None:
    finding = builders.run("stuck-consumers", queue=held(20, 20))
    assert finding.remedy is not None
    assert finding.remedy.text.startswith("A consumer that is not the server's holds messages")


def test_the_servers_own_stuck_messages_are_another_matter() -> None:
    queue = held(50, 20)
    (one,) = causes_of(queue=queue)
    assert one.at_stake.at_risk == 20
    assert [stuck_with_living(group) for group in queue.writers] == [0, 30]


@pytest.mark.parametrize("queue", [held(20, 0), held(20, 20, gone=True)], ids=["holds nothing", "gone"])
def test_where_no_other_program_holds_messages_it_is_not_told(queue: QueueHealth) -> None:
    assert "another-program-reads" not in {one.id for one in causes_of(queue=queue)}
