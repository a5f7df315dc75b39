"""What formats say in the same words: quantities, fields, scales, and where a report comes from."""

import pytest

from blueplane_doctor.model import Bound, Finding, Grading, Status
from blueplane_doctor.reports.phrases import (
    HEALTH,
    clock,
    details,
    field_value,
    observed,
    other_thresholds,
    quantity,
    scale,
    verdict,
    why,
)
from tests.reports import samples


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [(None, "x", "–"), (1204, "messages", "1,204 messages"), (2500, "ms", "2.5 s"), (99.5, "%", "99.5 %"),
     (3.25, "/s", "3.25 /s"), (0, "", "0"), (0.0004, "", "0.0004"), (-3, "ms", "-3 ms"),
     (1e20, "", "more than 1,000,000,000,000,000")],
)  # fmt: skip
def test_a_quantity_reads_as_a_person_says_it(value: float | None, unit: str, words: str) -> None:
    assert quantity(value, unit) == words


@pytest.mark.parametrize(
    ("value", "key", "said"),
    [
        (812, "consumer_lag_ms", "812 ms"),
        (431_000, "oldest_pending_age_ms", "7 min"),
        (1_036_800, "uptime_seconds", "12 days"),
        (2_841.606, "db_size_mb", "2,842 MB"),
        (0.995, "success_rate", "99.5 %"),
        (3.25, "enqueue_rate_events_per_sec", "3.25 events/s"),
        (0.00042, "", "0.00042"),
        (1_204_811, "", "1,204,811"),
        (True, "", "yes"),
        (None, "", "None"),
        (12_345, "pid", "12345"),
        (12_345, "server_pid", "12345"),
        (6_379, "port", "6379"),
        (1_234, "report", "1,234"),
        (16_777_216, "room_bytes", "16.8 MB"),
        (1_420, "queue_depth", "1,420"),
        (4_200, "first_seen_ms", "4.2 s"),
        ("ok", "x_ms", "ok"),
    ],
)
def test_a_field_is_said_in_its_unit(value: object, key: str, said: str) -> None:
    assert field_value(value, key) == said


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


def test_every_verdict_has_its_words() -> None:
    assert set(HEALTH) == {Status.GREEN, Status.YELLOW, Status.ORANGE, Status.RED, Status.UNKNOWN}
    assert verdict(samples.empty()) == "UNKNOWN: whether the pipeline is healthy is not known (no check was run)"


def test_a_report_by_other_thresholds_says_so() -> None:
    report = samples.healthy()
    assert other_thresholds(report) == ""
    changed = report.model_copy(update={"other_thresholds": ["dead-letters", "queue-depth"]})
    assert other_thresholds(changed).endswith("when the evidence was taken: dead-letters, queue-depth")


@pytest.mark.parametrize(
    ("generated_at", "text"),
    [("2026-03-14T10:26:53.589+01:00", "2026-03-14 09:26:53 UTC"), ("soon\x1b", "soon\ufffd"),
     ("", "at an unknown time")],
)  # fmt: skip
def test_a_report_says_when_the_pipeline_was_examined(generated_at: str, text: str) -> None:
    assert clock(samples.healthy().model_copy(update={"generated_at": generated_at})) == text


def test_the_cause_of_a_finding_is_an_id_where_it_was_judged_and_a_reason_where_not() -> None:
    red = Finding(status=Status.RED, summary="x", cause="poison-message")
    assert "follows from: poison-message" in details(red)
    unread = Finding(status=Status.UNKNOWN, summary="x", cause="Redis does not answer")
    assert "cause: Redis does not answer" in details(unread)
    assert why(Finding(status=Status.RED, summary="x")) == {}
