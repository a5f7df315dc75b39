"""Prometheus' text format, for node_exporter's textfile collector. Names and codes are stable; HELP explains them."""

from collections.abc import Iterator, Mapping
from math import isfinite
from types import SimpleNamespace
from typing import Any, NamedTuple

from blueplane_doctor.metrics import METRICS, Metric
from blueplane_doctor.model import Finding, Report
from blueplane_doctor.readings import readings
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.phrases import line
from blueplane_doctor.text.times import parse_time

PREFIX = "blueplane_doctor_"
_CODES = "0 green, 1 yellow, 2 orange, 3 red, -1 not judged (unknown, skipped or broken)"
_EXPORTED = tuple(metric for metric in METRICS if metric.prometheus)

_Values = dict[tuple[str, ...], float]
"""A family's numbers by the values of its labels."""


class _Gauge(NamedTuple):
    """One family, before the library has to be there."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: _Values


def render(report: Report, view: View) -> str:
    """Gauges alone, for each run is a new measurement. What is not known is left out, never 0."""
    from prometheus_client import core, exposition  # heavy, and every format is loaded to find one

    gauges = (
        *_of_the_run(report),
        *_of_the_causes(report),
        *_of_the_checks(sorted(report.findings, key=lambda finding: finding.id)),
        *_of_the_records(report.metrics),
    )
    families = []
    for gauge in gauges:
        family = core.GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
        for key, value in sorted(gauge.values.items()):
            family.add_metric(key, value)
        families.append(family)
    registry: Any = SimpleNamespace(collect=lambda: families)  # nothing else is asked of it
    return exposition.generate_latest(registry).decode()


def _of_the_run(report: Report) -> Iterator[_Gauge]:
    yield _gauge("report_status", f"The worst status of what counts: {_CODES}.", {(): report.status.severity})
    yield _gauge("report_timestamp_seconds", "When the examination began.", _moment(report.generated_at))
    yield _gauge("report_duration_seconds", "Time that reading took.", {(): report.duration_ms / 1000})
    numbers: _Values = {}
    for status, count in report.counts.items():
        numbers[(line(status),)] = float(count)
    yield _gauge("report_findings", "Findings of each status; waived ones are counted as waived.", numbers, "status")


def _of_the_causes(report: Report) -> Iterator[_Gauge]:
    """Every known cause has a number, so that it is seen to end; several of one id count once."""
    active: _Values = {}
    statuses: _Values = {}
    for name in report.known_causes:
        active[(line(name),)] = 0
        statuses[(line(name),)] = 0
    for cause in reversed(report.causes):  # the worst of one id comes last, and stays
        active[(line(cause.id),)] = 1
        statuses[(line(cause.id),)] = cause.status.severity
    yield _gauge("cause_active", "1 while a cause is there, 0 while it is not.", active, "cause")
    yield _gauge("cause_status", f"The worst status that follows from a cause: {_CODES}.", statuses, "cause")
    explained: _Values = {}
    for finding in report.findings:
        if finding.cause and finding.status.severity > 0 and not finding.waiver:
            explained[line(finding.id), line(finding.area), line(finding.cause)] = 1
    text = "1 for a check whose finding follows from a cause."
    yield _gauge("check_cause_info", text, explained, "id", "area", "cause")


def _of_the_checks(findings: list[Finding]) -> Iterator[_Gauge]:
    statuses: _Values = {}
    values: _Values = {}
    waivers: _Values = {}
    changes: _Values = {}
    for finding in findings:
        key = (line(finding.id), line(finding.area))
        statuses[key] = finding.status.severity
        observed = finding.observed
        if isinstance(observed, int | float) and isfinite(observed):
            values[*key, line(finding.unit)] = observed
        if finding.waiver:
            waiver = finding.waiver
            waivers[*key, line(waiver.reason), line(waiver.owner), line(waiver.expires)] = 1
        if finding.change:
            changes[*key, finding.change.value] = 1
    yield _gauge("check_status", f"Status of a check: {_CODES}.", statuses, "id", "area")
    yield _gauge("check_observed_value", "What a check judged, in its unit.", values, "id", "area", "unit")
    labels = ("id", "area", "reason", "owner", "expires")
    yield _gauge("check_waiver_info", "1 for a check whose finding is waived: it does not count.", waivers, *labels)
    yield _gauge("check_change_info", "1 for a check's change since the baseline.", changes, "id", "area", "change")


def _of_the_records(records: Mapping[str, Any]) -> Iterator[_Gauge]:
    values: dict[str, _Values] = {metric.path: {} for metric in _EXPORTED}
    for reading in readings(records):
        number = reading.number
        if number is not None and reading.metric.path in values:
            # Rounded, for 4.2 ms times 0.001 is 0.0042000000000000006.
            in_base_unit = float(f"{number * reading.metric.factor:.13g}")
            labels = tuple(map(line, reading.labels))
            values[reading.metric.path][labels] = in_base_unit
    for metric in _EXPORTED:
        yield _gauge(metric.prometheus, _help(metric), values[metric.path], *metric.labels)


def _help(metric: Metric) -> str:
    if not metric.states:
        return metric.help
    codes = []
    for word, code in metric.states.items():
        codes.append(f"{code} {word}")
    return f"{metric.help}: {', '.join(codes)}."


def _gauge(name: str, text: str, values: _Values, *labels: str) -> _Gauge:
    return _Gauge(PREFIX + name, text, labels, values)


def _moment(text: str) -> _Values:
    moment = parse_time(text)
    if moment is None:
        return {}
    return {(): moment.timestamp()}


FORMAT = Format("prometheus", (".prom",), render)
