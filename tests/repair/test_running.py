"""A repair from end to end, for each fault that can be healed: what was recoverable is written, once."""

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import ExitCode
from tests.helpers import examined
from tests.repair.pipelines import applied, planned, repaired, result_of, writers_at_work

HEALED = {
    "poison-duplicate": {"written": 39, "duplicate": 40},
    "orphaned-messages": {"written": 300, "duplicate": 300},
    "locked-database": {"written": 170, "duplicate": 120},
    "retry-storm": {"written": 29, "duplicate": 1},
}
"""The states of all messages once the fault is healed: of each delivered one there is an original and a copy."""


@pytest.mark.parametrize("fault", HEALED)
def test_what_was_recoverable_is_written_once_in_the_end(live_pipeline: Pipeline, fault: str) -> None:
    FAULTS[fault].apply(live_pipeline)
    outcome = repaired(live_pipeline)
    assert outcome.exit_code is ExitCode.OK, outcome.text
    states = {state: count for state, count in states_of(live_pipeline).items() if count}
    assert states == HEALED[fault]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_the_demo_becomes_worse(live_pipeline: Pipeline, fault: str) -> None:
    FAULTS[fault].apply(live_pipeline)
    before = states_of(live_pipeline)
    repaired(live_pipeline)
    after = states_of(live_pipeline)
    for state in ("lost", "trimmed_unread", "payload_gone", "untraceable"):
        assert after[state] <= before[state], state
    assert after["written"] >= before["written"]
    assert after["stuck"] == after["waiting"] == after["in_flight"] == 0


def states_of(pipeline: Pipeline) -> dict[str, int]:
    """How many messages are in each state."""
    chain = examined(pipeline, select="chain").metrics["chain"]
    assert chain is not None
    return dict(chain["states"])


def test_a_repair_shows_what_was_before_and_after(any_live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(any_live_pipeline)
    plan = planned(any_live_pipeline)
    with writers_at_work(any_live_pipeline):
        outcome = applied(any_live_pipeline, plan, patience=20)
    assert "40 messages = 40 stuck" in outcome.text
    assert "79 messages = 39 written + 40 duplicate" in outcome.text
    result = result_of(any_live_pipeline, plan)
    assert result["done"] == {"delivered": 39, "set aside": 1}
    assert result["rows_not_seen"] == 0


def test_rows_that_do_not_appear_are_said_to_be_not_seen(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    outcome = applied(live_pipeline, plan, patience=0.1)
    assert outcome.exit_code is ExitCode.FINDINGS
    assert "39 rows" in outcome.text
    assert result_of(live_pipeline, plan)["rows_not_seen"] == 39
