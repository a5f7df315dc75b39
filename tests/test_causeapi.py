import pytest
from msgspec import UNSET

from blueplane_doctor.causeapi import CAUSE_MARK, Cause, CauseSpec, Findings, cause, stream_time
from blueplane_doctor.errors import SettingsError
from blueplane_doctor.model import Finding, Status, Waiver


def finding(check: str, status: Status, **more: object) -> Finding:
    return Finding(id=check, status=status, summary="x", **more)  # type: ignore[arg-type]


def test_the_decorator_reads_name_docstring_and_parameters() -> None:
    @cause(stage="redis", shown_by=["a"], brings=["b"], follows=["c"])
    def cause_of_nothing(findings: Findings, queue: object, server: object = None) -> None:
        """It is not there.

        More words.
        """

    spec: CauseSpec = getattr(cause_of_nothing, CAUSE_MARK)
    assert (spec.id, spec.title) == ("of-nothing", "It is not there")
    assert spec.needs == ("queue", "server")
    assert spec.optional == {"server"}
    assert spec.takes_findings


def test_a_stage_that_there_is_not() -> None:
    with pytest.raises(SettingsError, match="stage must be one of redis"):
        cause(stage="kitchen", shown_by=["a"])


def test_without_a_record_that_it_needs_it_is_not_there() -> None:
    @cause(stage="redis", shown_by=["a"])
    def cause_always(queue: object) -> Cause:
        """Always."""
        return Cause(summary="Always.")

    spec: CauseSpec = getattr(cause_always, CAUSE_MARK)
    assert spec.run({}, Findings([])) == []
    assert [one.summary for one in spec.run({"queue": 1}, Findings([]))] == ["Always."]


def test_findings_leave_out_what_is_waived() -> None:
    waiver = Waiver(reason="known")
    findings = Findings([finding("a", Status.RED), finding("b", Status.RED, waiver=waiver), finding("c", Status.GREEN)])
    assert findings.bad("a")
    assert not findings.bad("b")
    assert not findings.bad("c")
    assert findings.get("b") is None
    assert findings.fault("c", "b", "a") == findings.get("a"), "the first that is yellow or worse"
    assert findings.fault("c", "b", "none") is None
    assert [one.id for one in findings.unhealthy()] == ["a"]


def test_the_time_in_a_stream_id() -> None:
    assert stream_time("1773479901310-0") == "2026-03-14T09:18:21.310Z"
    assert stream_time("17-x-") == "1970-01-01T00:00:00.017Z"
    assert stream_time("x-1") is None
    assert stream_time("1773479901310") is None


@pytest.mark.parametrize(
    ("own", "commands"),
    [(None, ["blueplane-doctor repair stuck"]), ("orphans", ["blueplane-doctor repair orphans"]), ("", [])],
    ids=["that of its kind", "another", "nothing to repair"],
)
def test_a_cause_says_itself_where_its_repair_is_another(own: str | None, commands: list[str]) -> None:
    @cause(stage="redis", shown_by=["a"], repair="stuck")
    def cause_always() -> Cause:
        """Always."""
        return Cause(summary="Always.", repair=own)

    (one,) = getattr(cause_always, CAUSE_MARK).run({}, Findings([]))
    assert (one.next_step.commands if one.next_step else []) == commands
    assert one.repair is UNSET, "as it is in a report that is read back"
