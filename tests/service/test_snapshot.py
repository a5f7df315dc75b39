"""A snapshot: the status of an area, why it is unknown, and what is rendered once for all who ask."""

import pytest

from blueplane_doctor.model import Finding, Report, Status, Tool, Waiver, worst
from blueplane_doctor.service.snapshot import Freshness, Snapshot

FRESH = Freshness(100.0, 102.8)


def finding(area: str, status: Status, cause: str = "", waiver: Waiver | None = None) -> Finding:
    return Finding(id=f"{area}-check", area=area, status=status, summary="s", cause=cause, waiver=waiver)


def snapshot_of(*findings: Finding, metrics: dict[str, dict[str, int] | None] | None = None) -> Snapshot:
    report = Report(
        tool=Tool(version="0.1.0"),
        generated_at="2026-03-14T09:26:53.589Z",
        duration_ms=1.0,
        status=worst(one.status for one in findings),
        exit_code=0,
        counts={},
        findings=list(findings),
        metrics=metrics if metrics is not None else {"queue": {"queue_depth": 1}},
    )
    return Snapshot(1, report, FRESH, FRESH)


@pytest.mark.parametrize(
    ("findings", "metrics", "status"),
    [
        pytest.param([finding("queue", Status.GREEN)], {"queue": {}}, Status.GREEN, id="green"),
        pytest.param([finding("queue", Status.GREEN)], {"queue": None}, Status.UNKNOWN, id="the record is missing"),
        pytest.param([finding("queue", Status.RED)], {"queue": None}, Status.RED, id="red without the record"),
        pytest.param([finding("dead-letters", Status.ORANGE)], {"queue": {}}, Status.ORANGE, id="dead letters too"),
        pytest.param([finding("chain", Status.RED)], {"queue": {}}, Status.UNKNOWN, id="of another area"),
        pytest.param(
            [finding("queue", Status.RED, waiver=Waiver(reason="known"))], {"queue": {}}, Status.UNKNOWN, id="waived"
        ),
    ],
)
def test_an_area_has_the_worst_status_of_its_findings(
    findings: list[Finding], metrics: dict[str, dict[str, int] | None], status: Status
) -> None:
    assert snapshot_of(*findings, metrics=metrics).area_status("queue") is status


def test_an_unknown_area_says_why() -> None:
    metrics: dict[str, dict[str, int] | None] = {"queue": None}
    assert snapshot_of(finding("queue", Status.SKIPPED, "away"), metrics=metrics).cause("queue") == "away"
    assert snapshot_of(metrics=metrics).cause("queue") == "no check of it was run"
    assert snapshot_of(finding("queue", Status.GREEN)).cause("queue") == ""


def test_something_is_made_once_for_each_key() -> None:
    made: list[str] = []
    snapshot = snapshot_of()

    def make() -> list[str]:
        made.append("made")
        return made

    assert snapshot.once("a", make) is snapshot.once("a", make)
    assert made == ["made"]
    snapshot.once(("a", Status.RED), make)
    assert made == ["made", "made"]


def test_an_age_is_never_negative() -> None:
    assert FRESH.age_ms(100.25) == 250
    assert FRESH.age_ms(99.0) == 0, "the clock was set back"
