"""The plugin line, by a reader written from the plugin guidelines, and its exit codes."""

import re
from dataclasses import dataclass

import pytest

from blueplane_doctor.checkapi import Scale
from blueplane_doctor.model import Finding, Report, Status
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.nagios import exit_code, render, status_line
from tests.reports import samples
from tests.reports.hostile import REPORTS

NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
RANGE = rf"@?(?:(?:~|{NUMBER})?:)?(?:{NUMBER})?"
VALUE = re.compile(
    rf"'(?P<label>(?:[^'=]|'')+)'=(?P<value>{NUMBER})(?P<unit>us|ms|s|%|[KMGT]?B|c)?"
    rf"(?:;(?P<warning>{RANGE})(?:;(?P<critical>{RANGE})(?:;(?:{NUMBER})?(?:;(?:{NUMBER})?)?)?)?)?"
)


@dataclass
class Performance:
    value: float
    unit: str
    warning: str
    critical: str


def parsed(line: str) -> tuple[str, str, dict[str, Performance]]:
    """State, text and performance data of a plugin's one line."""
    assert line.endswith("\n") and line.count("\n") == 1 and line.count("|") <= 1
    said, _, data = line.removesuffix("\n").partition("|")
    head = re.fullmatch(r"BLUEPLANE (OK|WARNING|CRITICAL|UNKNOWN) - (.+)", said)
    assert head, said
    values = {}
    for text in data.split(" ") if data else []:
        found = VALUE.fullmatch(text)
        assert found, text
        values[found["label"]] = Performance(
            float(found["value"]), found["unit"] or "", found["warning"] or "", found["critical"] or ""
        )
    return head[1], head[2], values


def alerts(value: float, given: str) -> bool:
    """Whether a range alerts for a value: outside of it, or with `@` inside; ends belong to the inside."""
    if not given:
        return False
    inverted, text = given.startswith("@"), given.removeprefix("@")
    start, _, end = text.rpartition(":")
    low = float("-inf") if start == "~" else float(start or 0)
    inside = low <= value <= (float(end) if end else float("inf"))
    return inside if inverted else not inside


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_is_a_line_of_the_guidelines_grammar(report: str) -> None:
    made = REPORTS[report]()
    state, _, _ = parsed(render(made, View()))
    assert state == ("OK", "WARNING", "CRITICAL", "UNKNOWN")[exit_code(made)]


def test_the_line_names_the_first_cause() -> None:
    _, text, values = parsed(render(REPORTS["mixed"](), View()))
    assert text.endswith(
        "10 green): A producer sends payloads that the writer drops: 1,180 messages are acknowledged and not "
        "written: payload is a list instead of an object."
    )
    assert values["chain-breaks"].critical == "@10:"  # what a cause explains keeps its number and its bounds


def test_without_a_cause_the_line_names_the_worst_findings() -> None:
    _, text, _ = parsed(render(REPORTS["compared"]().model_copy(update={"causes": []}), View()))
    assert text.startswith("RED since 09:18 UTC (9 min): the pipeline is unhealthy (checks: 3 red, 1 error, ")
    assert "2 waived): chain-breaks (new): 1,234 messages were" in text
    assert "dead-letters" not in text  # waived


def test_quiet_is_the_verdict_alone() -> None:
    assert ": chain-breaks" not in render(REPORTS["mixed"](), View(quiet=True)).partition("|")[0]


SCALES = [
    Scale.rising(unit="ms", yellow=10, orange=50, red_above=100),
    Scale.rising(unit="s", yellow_above=0.5, red=1_000_000),
    Scale.rising(unit="messages", orange=1, red=10),
    Scale.falling(unit="%", yellow=99, orange_below=95, red_below=90, highest=100),
    Scale.falling(unit="/s", yellow=0.25, red=0.125, highest=None),
]


@pytest.mark.parametrize("scale", SCALES, ids=lambda s: f"{s.direction}-{s.unit}")
def test_the_ranges_alert_exactly_where_the_scale_changes_colour(scale: Scale) -> None:
    edges = [bound.value for bound in scale.bounds.values()]
    for value in [0.0, *(edge + step for edge in edges for step in (-0.01, 0, 0.01))]:
        finding = samples.named("x", "a", scale.grade(value, "s"))
        [performance] = parsed(render(samples.report_of([finding]), View()))[2].values()
        assert alerts(performance.value, performance.warning) == (finding.status is not Status.GREEN), value
        assert alerts(performance.value, performance.critical) == (finding.status is Status.RED), value


@pytest.mark.parametrize(("unit", "shown"), [("ms", "ms"), ("s", "s"), ("%", "%"), ("MB", "MB"), ("messages", "")])
def test_only_units_of_the_grammar_are_given(unit: str, shown: str) -> None:
    finding = Finding(status=Status.GREEN, summary="s", id="x", observed=1, unit=unit)
    assert parsed(render(samples.report_of([finding]), View()))[2]["x"].unit == shown


@pytest.mark.parametrize(("value", "shown"), [(1e-7, 1e-7), (1e21, 1e21), (10**19, 1e19), (-3.5, -3.5), (0.0, 0)])
def test_numbers_have_no_exponent(value: float, shown: float) -> None:
    finding = Finding(status=Status.GREEN, summary="s", id="x", observed=value)
    assert parsed(render(samples.report_of([finding]), View()))[2]["x"].value == shown


@pytest.mark.parametrize("value", ["down", None, float("nan"), float("inf")])
def test_what_is_no_number_is_no_performance_data(value: float | str | None) -> None:
    finding = Finding(status=Status.GREEN, summary="s", id="x", observed=value)
    assert "|" not in render(samples.report_of([finding]), View())


def _report(*statuses: Status, exit_with: int = 0) -> Report:
    return samples.report_of([Finding(status=s, summary="s", id=s.value) for s in statuses], exit_code=exit_with)


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (_report(Status.GREEN), 0),
        (_report(Status.GREEN, Status.YELLOW), 1),
        (_report(Status.GREEN, Status.ORANGE, Status.ERROR), 1),
        (_report(Status.RED, Status.ERROR), 2),
        (_report(Status.GREEN, Status.ERROR), 3),
        (_report(Status.GREEN, Status.UNKNOWN, Status.SKIPPED), 0),
        (_report(Status.GREEN, Status.UNKNOWN, exit_with=3), 3),
        (_report(Status.UNKNOWN, Status.SKIPPED), 3),
        (_report(), 3),
    ],
    ids=["green", "yellow", "orange", "red", "error", "unknown", "unknown-strict", "nothing-judged", "empty"],
)
def test_exit_codes(report: Report, code: int) -> None:
    assert exit_code(report) == code


def test_a_waived_red_does_not_alarm() -> None:
    report = REPORTS["compared"]()
    waiver = next(f.waiver for f in report.findings if f.waiver)
    red = Finding(status=Status.RED, summary="s", id="x", waiver=waiver)
    made = samples.report_of([red, Finding(status=Status.GREEN, summary="s", id="y")])
    assert exit_code(made.model_copy(update={"status": Status.GREEN})) == 0


def test_a_run_without_a_report_has_a_line_too() -> None:
    assert status_line(3, "redis://x: no | answer\n\\") == "BLUEPLANE UNKNOWN - redis://x: no / answer /\n"
