"""Readings: the values that a report has for the metrics of the catalogue; and the metric of a recorded name."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from blueplane_doctor.metrics import MAX, METRICS, PLACEHOLDER, RECORDS, STATE, STREAM_ID, TIME, Metric
from blueplane_doctor.privacy.known_names import IN_METRICS
from blueplane_doctor.privacy.public_text import hidden
from blueplane_doctor.text.characters import Public
from blueplane_doctor.text.patterns import pattern
from blueplane_doctor.text.plain_numbers import is_in_bounds
from blueplane_doctor.text.times import parse_time

_UNFIT = pattern(r"[^A-Za-z0-9_:.-]+")
_LONGEST_NAME = 120
_AMBIGUOUS = frozenset(
    {"files", "lines", "messages", "minutes_left", "missing", "rows_deleted", "success_rate", "written"}
)
"""Names of fields that mean another thing in another record."""
_BY_PATH = {metric.path: metric for metric in METRICS}
_BY_NAME = {
    metric.name: metric
    for metric in reversed(METRICS)
    if metric.name not in _AMBIGUOUS and not PLACEHOLDER.fullmatch(metric.name)
}
"""By the last part of the path, for fields in tables of evidence; the first of the same name counts."""


class Reading(NamedTuple):
    """One value of a metric in one report."""

    metric: Metric
    name: str
    """The metric's path with the real names in it: `queue.groups.processors.pending`."""
    labels: tuple[str, ...]
    """The real names, in the order of the metric's labels."""
    value: Any
    """As it stands in the record; None where it is not known."""

    @property
    def number(self) -> float | None:
        """The value as a number in the metric's unit; None where it is not known, or is none."""
        return _number_of(self.metric, self.value)


def readings(records: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Reading]:
    """Every metric of the health records that could be read; of other monitors' records every number."""
    for metric in METRICS:
        record = records.get(metric.record)
        if not isinstance(record, Mapping):
            continue
        _, *parts = metric.path.split(".")
        if metric.source:
            parts[-1] = metric.source
        for labels, value in _resolved(record, parts, ()):
            yield Reading(metric, _full_name(metric, labels), labels, value)
    for name, record in records.items():
        if name not in RECORDS and isinstance(record, Mapping):
            yield from _numbers_below(fit(name), record)


def _number_of(metric: Metric, value: object) -> float | None:
    """A value as a number: yes and no as 1 and 0, a state by its code, a time in seconds since 1970."""
    if metric.unit == STATE:
        if value is None:
            return None
        return float(metric.code(value))
    if isinstance(value, str):
        return _number_in_text(metric, value)
    if isinstance(value, int | float) and is_in_bounds(value):
        return float(value)
    return None


def metric_of(name: str) -> Metric | None:
    """The metric of a recorded name: for `queue.groups.processors.pending` that of `queue.groups.{group}.pending`."""
    metric, _ = _metric_and_names(name)
    return metric


@lru_cache(4096)
def _metric_and_names(name: str) -> tuple[Metric | None, tuple[str, ...]]:
    """The metric, and what stands in the places of the names in braces."""
    if name in _BY_PATH:
        return _BY_PATH[name], ()
    for metric, form in _patterns():
        match = form.fullmatch(name)
        if match:
            return metric, match.groups()
    return None, ()


@lru_cache(1)
def _patterns() -> tuple[tuple[Metric, re.Pattern[str]], ...]:
    """The metrics with a name in their path, each with what its recorded names look like."""
    patterns = []
    for metric in METRICS:
        if metric.labels:
            literals = map(re.escape, PLACEHOLDER.split(metric.path)[::2])
            patterns.append((metric, pattern("(.+)".join(literals))))
    return tuple(patterns)


def shown_metric(name: str) -> Public:
    """The name of a recorded metric where the catalogue knows it, with known names in it; else its fingerprint."""
    metric, parts = _metric_and_names(name)
    if metric is None:
        return hidden(name)
    for part in parts:
        if part not in _FITTED and not FINGERPRINT.fullmatch(part):
            return hidden(name)
    return Public(name)


def step_of(name: str) -> str:
    """How the minutes of one step become the value of a recorded metric."""
    metric = metric_of(name)
    if metric is None:
        return MAX  # a monitor of one's own may count, and the mean of counts is no count
    return metric.step


def field_metric(name: str) -> Metric | None:
    """The metric whose field has this name, wherever it stands: for tables that know only names.

    None for a name that means another thing in another record.
    """
    return _BY_NAME.get(name)


FINGERPRINT = pattern(r"_hidden-[0-9a-f]{8}_")
"""As `fit` leaves it."""


def fit(name: str) -> str:
    """A name from the pipeline as it may stand in the name of a metric."""
    return _UNFIT.sub("_", name)[:_LONGEST_NAME]


def _number_in_text(metric: Metric, text: str) -> float | None:
    if metric.unit == TIME:
        moment = parse_time(text)
        if moment is not None:
            return moment.timestamp()
    if metric.unit == STREAM_ID:
        milliseconds = text.partition("-")[0]
        if milliseconds.isascii() and milliseconds.isdigit():
            return float(milliseconds)
    return None


def _resolved(value: Any, parts: Sequence[str], labels: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values at the end of a path, each with the names that were put for its placeholders."""
    if not parts:
        yield labels, value
        return
    part, *rest = parts
    if part.startswith("{"):
        for name, member in _members(value, part.strip("{}")):
            yield from _resolved(member, rest, (*labels, name))
        return
    if isinstance(value, Mapping):
        yield from _resolved(value.get(part), rest, labels)
    else:
        yield from _resolved(None, rest, labels)


def _members(value: object, label: str) -> Iterator[tuple[str, Any]]:
    """Name and value of each member of a map, or of each record of a list."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield str(name), member
        return
    if not isinstance(value, Sequence) or isinstance(value, str):
        return
    for member in value:
        # Readers carry no custody, and of a group that does not exist nothing is known.
        if isinstance(member, Mapping) and member.get("role") != "reader" and member.get("exists", True):
            yield str(member.get(label) or member.get("name")), member


def _full_name(metric: Metric, labels: Iterable[str]) -> str:
    name = metric.path
    for placeholder, label in zip(metric.labels, labels, strict=True):
        name = name.replace(f"{{{placeholder}}}", fit(label))
    return name


def _numbers_below(path: str, record: Mapping[str, Any]) -> Iterator[Reading]:
    """The numbers of a record that the catalogue does not know, of nested records too; lists have no stable names."""
    for key, value in record.items():
        name = f"{path}.{fit(str(key))}"
        if isinstance(value, Mapping):
            yield from _numbers_below(name, value)
        elif isinstance(value, int | float):
            yield Reading(Metric(name, name, "", "", ""), name, (), value)


_FITTED = frozenset(map(fit, IN_METRICS))
