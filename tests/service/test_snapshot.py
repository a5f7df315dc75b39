"""A snapshot: an area's status and why it is unknown; a custody look in it never outlives an outage."""

from dataclasses import replace

import pytest

from blueplane_doctor.findings import worst
from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.model import Cause, Finding, Report, Status, Tool, Waiver
from blueplane_doctor.monitoring.connections import Connections, Reach
from blueplane_doctor.service.snapshot import (
    Freshness,
    Snapshot,
    merged,
    reachable_in,
)
from tests.checks.builders import queue

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
        pytest.param(
            [finding("queue", Status.GREEN), finding("queue", Status.UNKNOWN).model_copy(update={"id": "queue-depth"})],
            {"queue": {}},
            Status.UNKNOWN,
            id="something vital was not judged",
        ),
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


def test_an_unhealthy_area_says_why() -> None:
    """The database is locked: its record is missing, and it is red."""
    locked = finding("database", Status.RED, "database-locked").model_copy(update={"summary": "database is locked"})
    mild = finding("database", Status.YELLOW)
    assert snapshot_of(mild, locked, metrics={"database": None}).cause("database") == "database is locked"
    assert snapshot_of(mild, metrics={"database": {}}).cause("database") == "s"


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


def connections(redis: bool = True, database: bool = True) -> Evidence:
    """What a quick look read of the sources."""
    record = Connections(
        redis=Reach(address="localhost:6379", reachable=redis, cause="" if redis else "Redis is away"),
        database=Reach(address="telemetry.db", reachable=database, cause="" if database else "it is locked"),
    )
    return Evidence("", records={"connections": record})


@pytest.mark.parametrize("redis", [True, False])
@pytest.mark.parametrize("database", [True, False])
def test_which_sources_answered(redis: bool, database: bool) -> None:
    assert reachable_in(connections(redis, database)) == (redis, database)
    assert reachable_in(Evidence("")) == (False, False)


def test_what_one_look_has_read_the_other_does_not_miss() -> None:
    first = Evidence("10:00", 7.0, {"queue": queue()}, {"server": "not read", "chain": "no time"}, {"queue": 5.0})
    second = Evidence("10:05", 2.0, connections().records, {"queue": "not read", "server": "gone"}, {"server": 1.0})
    both = merged(first, second)
    assert (both.taken_at, both.duration_ms) == ("10:05", 2.0)
    assert set(both.records) == {"queue", "connections"}
    assert both.missing == {"server": "gone", "chain": "no time"}
    assert both.durations == {"queue": 5.0, "server": 1.0}


def test_the_summary_tells_the_first_cause() -> None:
    snapshot = snapshot_of(finding("queue", Status.RED))
    cause = Cause(title="The server does not run", summary="No process has its number.", explains=["queue-check"])
    report = snapshot.report.model_copy(update={"causes": [cause]})
    words = replace(snapshot, report=report).summary
    assert words == "the pipeline is unhealthy: The server does not run: No process has its number."


def test_the_summary_tells_the_worst_finding_where_there_is_no_cause() -> None:
    findings = [
        finding("chain", Status.ERROR),
        Finding(id="a", area="queue", status=Status.YELLOW, summary="1,000 messages wait"),
        finding("queue", Status.NOT_SET_UP),
    ]
    words = snapshot_of(*findings).summary
    assert words == "the pipeline is healthy, with warnings: 1,000 messages wait"


def test_what_was_never_set_up_is_no_part_of_a_healthy_summary() -> None:
    findings = [finding("capture", Status.NOT_SET_UP), finding("queue", Status.UNKNOWN), finding("chain", Status.GREEN)]
    assert snapshot_of(*findings).summary == "the pipeline is healthy"


def test_an_area_of_a_part_that_was_never_set_up_says_so() -> None:
    snapshot = snapshot_of(finding("notify", Status.NOT_SET_UP))
    assert (snapshot.area_status("notify"), snapshot.cause("notify")) == (Status.NOT_SET_UP, "s")
