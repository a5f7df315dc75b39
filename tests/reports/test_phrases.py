"""What formats say in the same words: quantities, fields, scales, and where a report comes from."""

import pytest

from blueplane_doctor.model import Status
from blueplane_doctor.reports.phrases import (
    HEALTH,
    block,
    clock,
    field_value,
    line,
    other_thresholds,
    quantity,
    tally,
    verdict,
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


def test_every_verdict_has_its_words() -> None:
    assert set(HEALTH) == {Status.GREEN, Status.YELLOW, Status.ORANGE, Status.RED, Status.UNKNOWN}
    assert verdict(samples.empty()) == "UNKNOWN: whether the pipeline is healthy is not known (no check was run)"


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (
            {"red": 3, "orange": 1, "not_set_up": 2, "green": 21, "waived": 1},
            "checks: 3 red, 1 orange, 2 not set up, 21 green, 1 waived",
        ),
        ({"green": 1, "red": 0}, "checks: 1 green"),
        ({}, "no check was run"),
    ],
)
def test_findings_are_counted_by_status(counts: dict[str, int], said: str) -> None:
    assert tally(samples.healthy().model_copy(update={"counts": counts})) == said


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


def test_no_line_is_a_command_of_a_ci_runner() -> None:
    shown = block("k\n::error::a\n ::b ##[error]c") + "\n" + line("::error::d ##vso[e]")
    assert not [part for part in shown.splitlines() if part.lstrip().startswith("::")]
    assert "##" not in shown
