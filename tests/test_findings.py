"""Findings together: the worst, which count, their order, what a run ends with, and what changed."""

import pytest

from blueplane_doctor.errors import ExitCode
from blueplane_doctor.findings import compared, count_statuses, exit_code_for, in_order, worst
from blueplane_doctor.model import Change, Finding, Status, Waiver
from tests.reports import samples

S = Status


C = Change


def finding(status: str, check_id: str = "x", area: str = "a", **more: object) -> Finding:
    """A finding of that status."""
    return Finding.model_validate({"status": status, "summary": "s", "id": check_id, "area": area, **more})


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "unknown"),
        (["green"], "green"),
        (["green", "yellow"], "yellow"),
        (["orange", "yellow", "green"], "orange"),
        (["red", "orange"], "red"),
        (["unknown", "skipped", "error"], "unknown"),
        (["unknown", "green"], "green"),
        (["error", "red"], "red"),
    ],
    ids=lambda value: "+".join(value) or "none" if isinstance(value, list) else None,
)
def test_worst(statuses: list[str], expected: str) -> None:
    assert worst(map(Status, statuses)) == expected


@pytest.mark.parametrize(
    ("statuses", "fail_on", "strict", "code"),
    [
        pytest.param([], "orange", False, ExitCode.OK, id="nothing"),
        pytest.param(["green", "yellow"], "orange", False, ExitCode.OK, id="yellow-under-orange"),
        pytest.param(["yellow"], "yellow", False, ExitCode.FINDINGS, id="yellow-at-yellow"),
        pytest.param(["orange"], "orange", False, ExitCode.FINDINGS, id="orange-at-orange"),
        pytest.param(["orange"], "red", False, ExitCode.OK, id="orange-under-red"),
        pytest.param(["red"], "yellow", False, ExitCode.FINDINGS, id="red-over-yellow"),
        pytest.param(["error"], "orange", False, ExitCode.NOT_JUDGED, id="error"),
        pytest.param(["error", "red"], "orange", False, ExitCode.FINDINGS, id="worse-than-error-was-found"),
        pytest.param(["unknown", "skipped", "green"], "orange", False, ExitCode.OK, id="unknown"),
        pytest.param(["unknown"], "orange", True, ExitCode.NOT_JUDGED, id="unknown-strict"),
        pytest.param(["skipped"], "orange", True, ExitCode.NOT_JUDGED, id="skipped-strict"),
        pytest.param(["unknown", "red"], "orange", True, ExitCode.FINDINGS, id="worse-than-unknown-strict"),
        pytest.param(["green"], "orange", True, ExitCode.OK, id="green-strict"),
    ],
)
def test_exit_code(statuses: list[str], fail_on: str, strict: bool, code: ExitCode) -> None:
    assert exit_code_for([finding(s) for s in statuses], Status(fail_on), strict) is code


WAIVED = Waiver(reason="known", expires="2026-12-31")


@pytest.mark.parametrize("status", ["red", "error", "unknown"])
def test_what_is_waived_does_not_count(status: str) -> None:
    waived = finding(status, waiver=WAIVED)
    assert exit_code_for([waived], Status.YELLOW, True) is ExitCode.OK
    assert count_statuses([waived]) | {"waived": 0} == count_statuses([])
    assert count_statuses([waived])["waived"] == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (None, ExitCode.FINDINGS),
        (Change.NEW, ExitCode.FINDINGS),
        (Change.WORSE, ExitCode.FINDINGS),
        (Change.SAME, ExitCode.OK),
        (Change.BETTER, ExitCode.OK),
    ],
)
def test_only_what_is_new_or_worse_may_count(change: Change | None, code: ExitCode) -> None:
    assert exit_code_for([finding("red", change=change)], Status.ORANGE, False, only_new=True) is code
    assert exit_code_for([finding("red", change=change)], Status.ORANGE, False) is ExitCode.FINDINGS


def test_every_status_is_counted_by_name() -> None:
    counts = count_statuses([finding("red"), finding("red"), finding("unknown")])
    assert counts == {
        "red": 2,
        "orange": 0,
        "error": 0,
        "yellow": 0,
        "unknown": 1,
        "skipped": 0,
        "not_set_up": 0,
        "green": 0,
        "waived": 0,
    }


def test_findings_are_shown_worst_first_then_by_area_and_id() -> None:
    given = [
        finding("green", "a"),
        finding("red", "c", waiver=WAIVED),
        finding("skipped", "a"),
        finding("red", "b", "b"),
        finding("yellow", "a"),
        finding("red", "b", "a"),
        finding("red", "a", "b"),
        finding("error", "a"),
        finding("unknown", "a"),
        finding("orange", "a"),
    ]
    shown = [f"{f.status} {f.area}/{f.id}{' waived' if f.waiver else ''}" for f in in_order(given)]
    assert shown == [
        "red a/b",
        "red b/a",
        "red b/b",
        "orange a/a",
        "error a/a",
        "yellow a/a",
        "unknown a/a",
        "skipped a/a",
        "green a/a",
        "red a/c waived",
    ]
    assert in_order(reversed(given)) == in_order(given)


@pytest.mark.parametrize(
    ("then", "now", "change"),
    [
        pytest.param(S.GREEN, S.RED, C.NEW, id="was green"),
        pytest.param(None, S.ORANGE, C.NEW, id="was not there"),
        pytest.param(S.UNKNOWN, S.YELLOW, C.NEW, id="was unknown"),
        pytest.param(S.ORANGE, S.RED, C.WORSE, id="worse"),
        pytest.param(S.RED, S.RED, C.SAME, id="same"),
        pytest.param(S.RED, S.YELLOW, C.BETTER, id="better"),
        pytest.param(S.RED, S.GREEN, C.FIXED, id="fixed"),
        pytest.param(S.GREEN, S.GREEN, C.SAME, id="still green"),
        pytest.param(None, S.GREEN, None, id="a new check that is green"),
        pytest.param(S.RED, S.UNKNOWN, None, id="cannot be told any more"),
        pytest.param(S.UNKNOWN, S.UNKNOWN, C.SAME, id="still unknown"),
        pytest.param(S.GREEN, S.ERROR, C.NEW, id="broke"),
    ],
)
def test_change(then: Status | None, now: Status, change: Change | None) -> None:
    baseline = samples.report_of([Finding(id="a", area="x", status=then, summary="s")] if then else [])
    (found,) = compared([Finding(id="a", area="x", status=now, summary="s")], baseline)
    assert found.change is change


@pytest.mark.parametrize(
    ("change", "code"),
    [(C.NEW, ExitCode.FINDINGS), (C.WORSE, ExitCode.FINDINGS), (C.SAME, ExitCode.OK), (C.BETTER, ExitCode.OK)],
)
def test_only_what_is_new_or_worse_fails_the_run(change: Change, code: ExitCode) -> None:
    red = Finding(id="a", area="x", status=S.RED, summary="s", change=change)
    assert exit_code_for([red], S.ORANGE, strict=False, only_new=True) == code
    assert exit_code_for([red], S.ORANGE, strict=False) == ExitCode.FINDINGS
