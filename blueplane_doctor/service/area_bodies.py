"""The bodies of the answers on one area: the metrics that the requirements name, as the metric catalogue lists them."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, create_model

from blueplane_doctor.metrics import METRICS, STATE, TIME, Metric
from blueplane_doctor.model import Record

Body = TypeVar("Body", bound=BaseModel)
EXAMPLES = {"ms": 180, "%": 100.0, "MB": 48.2, TIME: "2026-03-14T09:26:52Z", "events/s": 4.5, "events/min": 270.0}
"""By unit, for the document; other numbers are counts."""
_COUNT_EXAMPLE = 12


def body_of(area: str, record: type[Record], base: type[Body]) -> type[Body]:
    """The body for an area: `base`, and the metrics of the area's health record that HTTP answers hold.

    Every value may be null, for a record may not be read.
    """
    metrics = {}
    for metric in METRICS:
        if metric.http and metric.record == area:
            metrics[metric.path.partition(".")[2]] = metric
    return _model(record, metrics, area.capitalize(), base)


def _model(record: type[Record], metrics: Mapping[str, Metric], title: str, base: type[Body]) -> type[Body]:
    """A body with these metrics of a record, by their paths below it; records in it become bodies of their own."""
    fields: dict[str, Any] = {}
    of_parts: dict[str, dict[str, Metric]] = {}
    for path, metric in metrics.items():
        name, _, below = path.partition(".")
        if below and _is_record(record.model_fields[name].annotation):
            of_parts.setdefault(name, {})[below] = metric
            fields[name] = None  # its place; the body follows when all its metrics are known
        else:
            fields[name] = _field(record, name, metric)
    for name, part in of_parts.items():
        kind: Any = record.model_fields[name].annotation
        fields[name] = (_model(kind, part, kind.__name__, BaseModel), ...)
    model: type[Body] = create_model(title, __base__=base, __doc__=_first_line(record), **fields)
    return model


def _field(record: type[Record], name: str, metric: Metric) -> tuple[Any, Any]:
    """Type and description of a metric's field."""
    if metric.unit == STATE:
        return Literal[tuple(metric.states)], Field(description=f"{metric.help}.")
    kind: Any = record.model_fields[name].annotation
    described = Field(description=metric.help, examples=[_example(kind, metric)])
    return kind | None, described


def _example(kind: object, metric: Metric) -> object:
    if kind in (bool, bool | None):
        return True
    if metric.labels:
        return {"afterFileEdit": False, "beforeSubmitPrompt": True}
    return EXAMPLES.get(metric.unit, _COUNT_EXAMPLE)


def _is_record(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Record)


def _first_line(record: type[Record]) -> str:
    return (record.__doc__ or "").partition("\n")[0]
