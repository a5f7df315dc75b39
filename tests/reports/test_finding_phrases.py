"""What formats say of one finding in the same words."""

import pytest

from blueplane_doctor.model import Bound, Finding, Grading, Status
from blueplane_doctor.reports.finding_phrases import details, observed, scale, why


def finding(**values: object) -> Finding:
    return Finding.model_validate({"status": "red", "summary": "s"} | values)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (360.301, "s", "6 min"),
        (240.001, "min", "4 h"),
        (1_234_567.0, "messages", "1,234,567 messages"),
        ("messages wait", "", "messages wait"),
        (None, "s", ""),
        (5, "\x1b[2J", "5 \ufffd[2J"),
    ],
)
def test_what_was_observed_is_said_with_its_unit(value: object, unit: str, text: str) -> None:
    assert observed(finding(observed=value, unit=unit)) == text


def test_a_scale_is_said_colour_by_colour() -> None:
    bounds = {"yellow": Bound(value=1_000, inclusive=True), "red": Bound(value=1.5e6, inclusive=False)}
    graded = finding(scale=Grading(direction="rising", unit="messages", bounds=bounds))
    assert scale(graded) == "green < 1,000, yellow ≥ 1,000 and ≤ 1,500,000, red > 1,500,000"
    assert scale(finding()) == ""


def test_the_cause_of_a_finding_is_an_id_where_it_was_judged_and_a_reason_where_not() -> None:
    red = Finding(status=Status.RED, summary="x", cause="poison-message")
    assert "follows from: poison-message" in details(red)
    unread = Finding(status=Status.UNKNOWN, summary="x", cause="Redis does not answer")
    assert "cause: Redis does not answer" in details(unread)
    assert why(Finding(status=Status.RED, summary="x")) == {}
