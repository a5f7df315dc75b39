"""A report beside an earlier one: every pair of verdicts."""

import pytest

from blueplane_doctor.errors import ExitCode
from blueplane_doctor.model import Change, Finding, Status, compared, exit_code_for
from tests.reports import samples

S, C = Status, Change


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
    finding = Finding(id="a", area="x", status=S.RED, summary="s", change=change)
    assert exit_code_for([finding], S.ORANGE, strict=False, only_new=True) == code
    assert exit_code_for([finding], S.ORANGE, strict=False) == ExitCode.FINDINGS
