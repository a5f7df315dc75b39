"""The contract that every member of a folder keeps: checks, causes, monitors, formats."""

import re
from inspect import signature

import pytest

from blueplane_doctor.causeapi import EVERYTHING, STAGES, CauseSpec, Findings
from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.model import Finding, Report, Status
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.plugins.discovery import find_checks, find_formats, find_monitors
from blueplane_doctor.records.base import Record
from blueplane_doctor.repair.planning import find_targets
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.scales import scale_words
from tests.checks.builders import assert_sound, built_in, empty_records, healthy_records
from tests.reports import samples

CHECKS = [pytest.param(spec, id=spec.id) for spec in built_in().values()]
CAUSES = [pytest.param(spec, id=spec.id) for spec in find_checks().causes]
MONITORS = [pytest.param(name, monitor, id=name) for name, monitor in find_monitors().items()]
FORMATS = [pytest.param(form, id=name) for name, form in find_formats().items()]
REQUIRED = {
    "queue-depth",
    "pending-messages",
    "consumer-lag",
    "dead-letters",
    "write-success",
    "write-p95",
    "write-throughput",
    "hook-success",
    "capture-rate",
    "database-monitor",
    "hook-inactivity",
    "hook-spool",
    "hook-losses",
    "stuck-consumers",
    "orphaned-messages",
    "retry-storm",
    "writer-missing",
    "queue-headroom",
    "lost-before-delivery",
    "chain-breaks",
    "dead-letter-growth",
    "wal-size",
    "undrained-buffer",
    "server-alive",
    "same-pipeline",
    "server-settings",
    "server-errors",
    "clock-skew",
    "redis-reachable",
    "database-reachable",
    "database-writable",
    "redis-durability",
    "disk-space",
    "redis-clients",
    "redis-memory",
    "redis-writable",
    "backlog-trend",
    "time-to-loss",
    "wal-growth",
    "loss-between-samples",
    "delivery-delay",
    "cursor-completeness",
    "cursor-last-changes",
    "capture-wiring",
}


def test_every_check_that_was_promised_is_there() -> None:
    assert set(built_in()) >= REQUIRED


@pytest.mark.parametrize("spec", CHECKS)
def test_a_check_says_what_it_is(spec: CheckSpec) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", spec.id), "kebab-case"
    assert spec.function.__name__ == "check_" + spec.id.replace("-", "_")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", spec.area)
    assert spec.doc.strip(), "an explanation"
    assert 10 < len(spec.title) < 120
    assert not spec.title.endswith(".")
    first_paragraph = spec.doc.partition("\n\n")[0]
    assert len(first_paragraph.splitlines()) == 1, "the title is one line"
    assert spec.origin == "built-in"


@pytest.mark.parametrize("spec", CHECKS)
def test_a_check_needs_records_that_exist_and_grades_by_a_scale(spec: CheckSpec) -> None:
    assert spec.needs, "nothing to judge"
    assert set(spec.needs) <= set(find_monitors())
    assert spec.scale, "every built-in check has a scale"
    assert "scale" in signature(spec.function).parameters
    assert "green" in scale_words(spec.scale)
    assert spec.scale.direction == "states" or spec.scale.unit, "numbers have a unit"


@pytest.mark.parametrize("spec", CHECKS)
def test_a_check_finds_a_healthy_pipeline_healthy(spec: CheckSpec) -> None:
    finding = spec.run(healthy_records())
    assert_sound(finding)
    assert finding.status in (Status.GREEN, Status.UNKNOWN)
    assert finding.status is Status.GREEN or spec.id in ("write-p95", "write-success", "hook-success"), (
        "only what nobody measures without the recorder is unknown"
    )


@pytest.mark.parametrize("spec", CHECKS)
def test_a_check_survives_a_pipeline_without_data(spec: CheckSpec) -> None:
    finding = spec.run(empty_records())
    assert isinstance(finding, Finding)
    assert_sound(finding)
    finding.model_dump_json()


@pytest.mark.parametrize("spec", CHECKS)
def test_a_check_gives_the_same_finding_twice(spec: CheckSpec) -> None:
    assert spec.run(healthy_records()) == spec.run(healthy_records())


@pytest.mark.parametrize(("name", "monitor"), MONITORS)
def test_a_monitor_has_a_name_and_a_frozen_record_and_both_are_explained(name: str, monitor: type[Monitor]) -> None:
    assert monitor.name == name == name.lower()
    assert issubclass(monitor.record, Record)
    assert monitor.record.__struct_config__.frozen
    assert monitor.__doc__ and monitor.record.__doc__ and monitor.collect.__doc__


def test_the_builders_know_every_record_that_a_check_needs() -> None:
    needed = {name for spec in built_in().values() for name in spec.needs}
    for records in (healthy_records(), empty_records()):
        assert needed <= set(records)
        assert all(isinstance(record, find_monitors()[name].record) for name, record in records.items())


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_has_a_name_and_suffixes(form: Format) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]*", form.name)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in form.suffixes)


def test_no_two_formats_want_the_same_suffix() -> None:
    suffixes = [suffix for form in find_formats().values() for suffix in form.suffixes]
    assert sorted(suffixes) == sorted(set(suffixes))


VIEWS = {
    "plain": View(),
    "verbose": View(verbose=True),
    "quiet": View(quiet=True),
    "colour": View(color=True, width=60),
}
REPORTS = {"healthy": samples.healthy, "mixed": samples.mixed, "empty": samples.empty}


@pytest.mark.parametrize("view", [pytest.param(view, id=name) for name, view in VIEWS.items()])
@pytest.mark.parametrize("report", [pytest.param(make(), id=name) for name, make in REPORTS.items()])
@pytest.mark.parametrize("form", FORMATS)
def test_a_format_renders_every_report_to_the_same_text_twice(form: Format, report: Report, view: View) -> None:
    before = report.model_copy(deep=True)
    text = form.render(report, view)
    assert text.strip()
    assert text == form.render(report.model_copy(deep=True), view)
    assert report == before, "a renderer changes nothing"


@pytest.mark.parametrize("spec", CAUSES)
def test_a_cause_says_what_it_is(spec: CauseSpec) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", spec.id), "kebab-case"
    assert spec.function.__name__ == "cause_" + spec.id.replace("-", "_")
    assert 10 < len(spec.title) < 80, "a title that fits a line of a terminal"
    assert len(spec.doc.partition("\n\n")[0].splitlines()) == 1, "the title is one line"
    assert spec.stage in STAGES
    assert spec.origin == "built-in"


@pytest.mark.parametrize("spec", CAUSES)
def test_a_cause_names_checks_causes_and_records_that_exist(spec: CauseSpec) -> None:
    checks = set(built_in())
    assert spec.shown_by
    assert set(spec.shown_by) <= checks
    assert set(spec.brings) <= checks | {EVERYTHING}
    assert set(spec.follows) <= {other.id for other in find_checks().causes} - {spec.id}
    assert set(spec.needs) <= set(find_monitors())


@pytest.mark.parametrize("spec", CAUSES)
def test_a_cause_names_the_repair_that_heals_it_or_says_why_none_does(spec: CauseSpec) -> None:
    if spec.id == "dead-letters":  # which filter is meant depends on when they came
        return
    assert bool(spec.repair) != bool(spec.no_repair)
    assert not spec.no_repair or spec.no_repair.endswith(".")
    for word in spec.repair.split():
        assert word.startswith("--") or word in find_targets()


@pytest.mark.parametrize("spec", CAUSES)
def test_a_cause_is_not_there_where_all_is_healthy_or_nothing_is_known(spec: CauseSpec) -> None:
    green = Findings(Finding(id=name, status=Status.GREEN, summary="x") for name in built_in())
    assert spec.run(healthy_records(), green) == []
    assert spec.run(empty_records(), Findings([])) == []
