"""What a report says, as far as people are told of it."""

import pytest

from blueplane_doctor import __version__
from blueplane_doctor.model import Cause, Finding, Remedy, Report, Stake, Status, Tool, Waiver
from blueplane_doctor.notifying.observation import observed


def report(*findings: Finding, causes: tuple[Cause, ...] = (), status: Status = Status.RED) -> Report:
    """A report of these."""
    return Report(
        tool=Tool(version=__version__),
        generated_at="2026-11-28T10:00:00.000Z",
        duration_ms=1.0,
        status=status,
        exit_code=1,
        counts={},
        causes=list(causes),
        findings=list(findings),
        metrics={"chain": {"chain_break_count": 3}},
    )


def finding(name: str, status: Status, cause: str = "", **more: object) -> Finding:
    values = {"id": name, "area": "queue", "status": status, "summary": name, "cause": cause, **more}
    return Finding.model_validate(values)


STUCK = finding("stuck-consumers", Status.RED, "poison-message")
POISON = Cause(
    id="poison-message",
    title="A message that cannot be written holds up its batch",
    summary="40 messages are stuck behind <!channel>. Nothing is lost yet.",
    status=Status.RED,
    explains=["stuck-consumers"],
    at_stake=Stake(at_risk=40),
    next_step=Remedy(text="Save them.", commands=["blueplane-doctor trace 1-0"]),
)


def test_a_cause_stands_for_what_it_explains() -> None:
    sample = observed(report(STUCK, causes=(POISON,)), 60.0)
    (problem,) = sample.problems.values()
    assert problem.id == "poison-message"
    assert problem.signs == ("stuck-consumers",)
    assert problem.sentence == "40 messages are stuck behind ‹!channel›. Nothing is lost yet."
    assert problem.title == "A message that cannot be written holds up its batch"
    assert problem.next_step == "blueplane-doctor trace 1-0"
    assert not problem.is_loss
    assert (sample.time, sample.status, sample.losses) == (60.0, Status.RED, 3)


@pytest.mark.parametrize(
    ("remedy", "step"),
    [
        (Remedy(text="Start it. Its log says more.", commands=["tail -n 50 server.log"]), "Start it"),
        (Remedy(text="Start it."), "Start it."),
        (Remedy(text="", commands=["tail -n 50 server.log"]), "tail -n 50 server.log"),
        (None, ""),
    ],
)
def test_the_next_step_is_a_command_of_the_doctor_or_a_sentence(remedy: Remedy | None, step: str) -> None:
    cause = POISON.model_copy(update={"next_step": remedy})
    assert observed(report(STUCK, causes=(cause,)), 0.0).problems["poison-message"].next_step == step


def test_what_a_cause_keeps_from_being_judged_is_no_sign_of_it() -> None:
    not_judged = finding("queue-depth", Status.UNKNOWN, "redis-unreachable")
    down = finding("redis-reachable", Status.RED, "redis-unreachable")
    explains = ["redis-reachable", "queue-depth"]
    cause = POISON.model_copy(update={"id": "redis-unreachable", "explains": explains})
    assert observed(report(down, not_judged, causes=(cause,)), 0.0).problems["redis-unreachable"].signs == (
        "redis-reachable",
    )


def test_a_finding_that_no_cause_explains_stands_for_itself() -> None:
    alone = finding("wal-size", Status.ORANGE, remedy=Remedy(text="Find the reader."))
    green = finding("queue-depth", Status.GREEN)
    not_judged = finding("hook-success", Status.UNKNOWN, "no recorder")
    sample = observed(report(alone, green, not_judged), 0.0)
    assert set(sample.problems) == {"wal-size"}
    assert sample.problems["wal-size"].next_step == "Find the reader."
    assert sample.judged == {"wal-size", "queue-depth"}
    assert sample.present == {"wal-size", "queue-depth", "hook-success"}


def test_waived_findings_are_no_problems() -> None:
    waived = finding("wal-size", Status.RED, waiver=Waiver(reason="known"))
    sample = observed(report(waived), 0.0)
    assert not sample.problems
    assert sample.waived == {"wal-size"}


def test_losses() -> None:
    lost = finding("lost-before-delivery", Status.RED)
    assert observed(report(lost), 0.0).problems["lost-before-delivery"].is_loss
    shown = finding("chain-breaks", Status.ORANGE, "malformed-payloads")
    cause = POISON.model_copy(update={"id": "malformed-payloads", "explains": ["chain-breaks"]})
    assert observed(report(shown, causes=(cause,)), 0.0).problems["malformed-payloads"].is_loss
    stake = POISON.model_copy(update={"at_stake": Stake(lost=1)})
    assert observed(report(STUCK, causes=(stake,)), 0.0).problems["poison-message"].is_loss


def test_the_worst_of_two_causes_of_one_id_is_told() -> None:
    other = POISON.model_copy(update={"summary": "2 messages are stuck.", "status": Status.ORANGE})
    sample = observed(report(STUCK, causes=(POISON, other)), 0.0)
    problem = sample.problems["poison-message"]
    assert problem.sentence.startswith("40 ")
    assert problem.others == 1


def test_vital_findings_without_a_colour_are_named() -> None:
    sample = observed(report(finding("queue-depth", Status.UNKNOWN, "no answer"), status=Status.UNKNOWN), 0.0)
    assert sample.unjudged == ("queue-depth",)


def test_a_dead_letter_is_kept_and_no_loss() -> None:
    kept = POISON.model_copy(update={"at_stake": Stake(lost=3, recoverable=3)})
    gone = POISON.model_copy(update={"at_stake": Stake(lost=3, recoverable=2)})
    assert not observed(report(STUCK, causes=(kept,)), 0.0).problems["poison-message"].is_loss
    assert observed(report(STUCK, causes=(gone,)), 0.0).problems["poison-message"].is_loss
