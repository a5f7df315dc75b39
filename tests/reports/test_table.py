"""The table: whole outputs, and what a person must not miss in it."""

import pytest

from blueplane_doctor.demo.faults import FAULTS, demo_pipeline
from blueplane_doctor.model import Finding, Remedy, Report, Status
from blueplane_doctor.reports import table
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.cause_phrases import on_their_own
from tests.golden.compare import Golden
from tests.helpers import examined
from tests.parameters import one_quick
from tests.reports import samples

REPORTS = {"healthy": samples.healthy, "mixed": samples.mixed, "empty": samples.empty}
VIEWS = {
    "normal": View(),
    "verbose": View(verbose=True),
    "quiet": View(quiet=True),
    "colour": View(color=True),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("report", REPORTS)
def test_table_is_as_the_golden_file(report: str, view: str, golden: Golden) -> None:
    golden(f"{report}-{view}.table.txt", table.render(REPORTS[report](), VIEWS[view]))


def rendered(*findings: Finding, **view: object) -> str:
    """The table of these findings."""
    return table.render(samples.report_of(list(findings)), View(**view))  # type: ignore[arg-type]


def found(status: Status, **more: object) -> Finding:
    """A finding of that status."""
    values = {"status": status, "summary": "A sentence", "id": "my-check", "area": "mine", **more}
    return Finding.model_validate(values)


def test_colours_change_nothing_but_colours() -> None:
    import re

    plain = table.render(samples.mixed(), View())
    coloured = table.render(samples.mixed(), View(color=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain != coloured


@pytest.mark.parametrize("width", [60, 80, 160])
def test_lines_fit_where_words_allow_it(width: int) -> None:
    lines = table.render(samples.mixed(), View(width=width)).splitlines()
    long = [line for line in lines[1:] if len(line) > max(width, 90) and "$" not in line]
    assert not long


@pytest.mark.parametrize("width", [30, 40, 60])
def test_a_narrow_terminal_gets_lines_and_whole_words(width: int) -> None:
    report = samples.mixed()
    text = table.render(report, View(width=width))
    elsewhere = ("green", "unknown", "skipped", "not_set_up")
    for cause in report.causes:
        assert " ".join(cause.title.split()) in " ".join(text.split())
    shown = [finding for finding in on_their_own(report) if finding.status not in elsewhere]
    assert len(shown) == 3
    for finding in shown:
        assert f"\n{finding.status.value} {finding.id}\n" in text
        for word in finding.summary.split():
            assert word in text.split()
    too_long = [line for line in text.splitlines() if len(line) > width and "$" not in line]
    assert all(len(line.split()) == 1 for line in too_long)


@pytest.mark.parametrize(
    ("observed", "unit", "shown"),
    [
        (1_234, "messages", "1,234 messages"),
        (0.5, "s", "500 ms"),
        (1_728_000.5, "s", "20 days"),
        (259_200.123, "s", "3 days"),
        (0.0004, "s", "0.4 ms"),
        (100.0, "%", "100 %"),
        ("pid only", "", "pid only"),
        (None, "s", ""),
    ],
)
def test_observed(observed: object, unit: str, shown: str) -> None:
    line = next(x for x in rendered(found(Status.RED, observed=observed, unit=unit)).splitlines() if "my-check" in x)
    assert line.split("my-check")[1].split("A sentence")[0].strip() == shown


def test_text_from_outside_cannot_move_the_cursor() -> None:
    hostile = "\x1b[2J\rgone\u202e"
    text = rendered(
        found(Status.RED, summary=hostile, observed=hostile, remedy=Remedy(text=hostile, commands=[hostile])),
        found(Status.UNKNOWN, id="other", cause=hostile),
        verbose=True,
    )
    assert not {"\x1b", "\r", "\u202e"} & set(text)


def test_the_evidence_is_shown_when_asked_for() -> None:
    read = found(Status.GREEN, evidence={"groups": ["processors", "others"], "pending": 3})
    assert "processors" not in rendered(read)
    assert rendered(read, verbose=True).endswith(
        "What was read\nmy-check\n    groups:\n      processors\n      others\n    pending: 3\n"
    )


def test_one_cause_is_said_once_for_all_its_checks() -> None:
    text = rendered(
        found(Status.SKIPPED, id="b", cause="Redis is gone"), found(Status.SKIPPED, id="a", cause="Redis is gone")
    )
    assert text.count("Redis is gone") == 1
    assert "skipped: a, b: Redis is gone" in text


def test_many_checks_of_one_cause_are_counted_and_named_when_asked_for() -> None:
    many = [found(Status.SKIPPED, id=f"check-{number}", cause="Redis is gone") for number in range(9)]
    assert "skipped: 9 checks (-v names them): Redis is gone" in rendered(*many)
    assert "check-8" not in rendered(*many)
    assert "check-8" in rendered(*many, verbose=True)
    assert "9 checks" not in rendered(*many, verbose=True)


def test_nothing_selected_has_no_empty_parts() -> None:
    text = table.render(samples.empty(), View())
    assert "(;" not in text and "( " not in text


def test_the_verdict_of_every_status() -> None:
    for status in Status:
        report: Report = samples.report_of([found(status, cause="c")])
        text = table.render(report, View(quiet=True))
        assert text.startswith(f"{report.status.upper()}: ") and "the pipeline is " in text


def test_red_is_unhealthy() -> None:
    text = table.render(samples.report_of([found(Status.RED)]), View(quiet=True))
    assert text.startswith("RED: the pipeline is unhealthy (checks: 1 red)")


def test_the_table_says_when_the_pipeline_was_examined_and_by_which_thresholds() -> None:
    report = samples.healthy().model_copy(update={"other_thresholds": ["queue-depth"]})
    text = table.render(report, View(width=200))
    assert text.splitlines()[1] == "Examined 2026-03-14 09:26:53 UTC in 182 ms"
    assert "Judged by other thresholds than those in force when the evidence was taken: queue-depth" in text


@pytest.mark.parametrize("name", one_quick(sorted(FAULTS)))
def test_any_single_fault_fits_a_terminal_of_24_lines_and_80_columns(name: str) -> None:
    with demo_pipeline([name]) as pipeline:
        report = examined(pipeline)
    rows = 0
    for line in table.render(report, View(width=80)).splitlines():
        rows += max(1, -(-len(line) // 80))  # a command is never broken, so that a terminal does it
    assert rows <= 23, "the last line is the prompt's"
    assert table.render(report, View(width=80, quiet=True)).count("\n") == 1
