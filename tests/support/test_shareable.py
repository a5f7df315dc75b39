"""What leaves for strangers holds nothing that people wrote themselves."""

from blueplane_doctor.judging.evidence import Evidence, to_json
from blueplane_doctor.model import Cause, Finding, Remedy, Report, Status, Tool, Waiver
from blueplane_doctor.records.base import Record
from blueplane_doctor.support.shareable import OWN_CAUSE, OWN_CHECK, OWN_TEXT, shareable_evidence, shareable_report

KNOWN = frozenset({"queue-depth", "server-down"})
SECRET = "buy the bank"


class OwnRecord(Record):
    """Of a monitor of one's own."""

    text: str = SECRET


def report() -> Report:
    own = Finding(
        id=f"own-{SECRET}",
        area=SECRET,
        status=Status.RED,
        summary=SECRET,
        observed=SECRET,
        cause=SECRET,
        evidence={SECRET: SECRET},
        remedy=Remedy(text=SECRET, commands=[SECRET]),
        waiver=Waiver(reason=SECRET, owner=SECRET, expires="2026-04-01"),
    )
    built_in = Finding(
        id="queue-depth",
        area="queue",
        status=Status.ORANGE,
        summary="1,204 messages wait",
        waiver=Waiver(reason=SECRET, owner=SECRET),
    )
    causes = [
        Cause(summary="The server does not run", id="server-down", explains=["queue-depth", f"own-{SECRET}"]),
        Cause(summary=SECRET, id=SECRET, title=SECRET, confirm=SECRET, explains=["queue-depth"]),
    ]
    return Report(
        tool=Tool(version="1"),
        generated_at="2026-03-14T09:26:53.000Z",
        duration_ms=1,
        status=Status.RED,
        headline="the pipeline is unhealthy",
        exit_code=1,
        counts={"red": 1},
        causes=causes,
        findings=[own, built_in],
        metrics={"queue": None, "own": {"text": SECRET}},
        other_thresholds=[f"own-{SECRET}", "queue-depth"],
    )


def test_what_people_wrote_is_left_out() -> None:
    shared = shareable_report(report(), KNOWN)
    assert SECRET not in shared.model_dump_json()
    assert [finding.status for finding in shared.findings] == [Status.RED, Status.ORANGE]
    assert shared.findings[0].id == OWN_CHECK
    assert shared.findings[0].summary == shared.causes[1].summary == OWN_TEXT
    assert shared.causes[1].id == OWN_CAUSE
    assert shared.other_thresholds == [OWN_CHECK, "queue-depth"]


def test_what_is_the_doctor_s_own_stays() -> None:
    shared = shareable_report(report(), KNOWN)
    assert shared.findings[1].summary == "1,204 messages wait"
    assert shared.findings[1].waiver == Waiver(reason="(not shown, 12 characters)", owner="(not shown, 12 characters)")
    assert shared.causes[0].explains == ["queue-depth", OWN_CHECK]
    assert shared.headline == "the pipeline is unhealthy"


def test_records_of_monitors_of_one_s_own_are_left_out() -> None:
    evidence = Evidence(
        taken_at="2026-03-14T09:26:53.000Z",
        records={"own": OwnRecord()},
        missing={SECRET: SECRET, "queue": "gone"},
        durations={SECRET: 1.0, "queue": 2.0},
        thresholds={SECRET: {"red": 1.0}, "queue-depth": {"red": 2.0}},
    )
    shared = to_json(shareable_evidence(evidence, KNOWN))
    assert SECRET not in shared
    assert "gone" in shared
    assert "queue-depth" in shared
