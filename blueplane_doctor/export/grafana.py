"""A Grafana dashboard over the metrics that `serve` gives: a panel for each check, coloured by the scales in force,
and one for each metric that is drawn.
"""

import json
from collections.abc import Sequence
from typing import Any

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.export.prometheus_rules import CAUSE, CAUSE_STATUS, STATUS, VALUE
from blueplane_doctor.metrics import CHARTED, Metric
from blueplane_doctor.model import Status
from blueplane_doctor.reports.prometheus import PREFIX
from blueplane_doctor.scales import Scale
from blueplane_doctor.text.quantities import FRACTION

_SOURCE = {"type": "prometheus", "uid": "${source}"}
_CHOSEN = 'instance=~"$instance"'
_COLUMNS = 3
_WIDTH = 8
_HEIGHT = 7
"""Of a panel, in units of Grafana's grid."""
_WORDS = ("green", "yellow", "orange", "red")
_UNITS = {"ms": "s", "min": "s", "MB": "bytes", "events/min": "suffix: events/s", FRACTION: "percentunit"}
"""Grafana's names of the units in which Prometheus has the metrics of these units."""

_Panel = dict[str, Any]


def render(specs: Sequence[CheckSpec]) -> str:
    """The dashboard's JSON, to import."""
    panels: list[_Panel] = [_worst(), _causes(), _table()]
    top = 2 * _HEIGHT
    for area in sorted({spec.area for spec in specs}):
        section = []
        for spec in specs:
            if spec.area == area:
                section.append(_check(spec))
        top = _add_section(panels, area.replace("-", " ").capitalize(), section, top)
    _add_section(panels, "Measurements", list(map(_metric, CHARTED)), top)
    for number, panel in enumerate(panels, 1):
        panel["id"] = number
    return json.dumps(_dashboard(panels), indent=2, ensure_ascii=False) + "\n"


def _add_section(panels: list[_Panel], title: str, section: list[_Panel], top: int) -> int:
    """Add a heading and panels below it, three beside each other; gives the line below them."""
    panels.append({"title": title, "type": "row", "gridPos": _place(0, top, 24, 1)})
    top += 1
    for number, panel in enumerate(section):
        row, column = divmod(number, _COLUMNS)
        panels.append(panel | {"gridPos": _place(column * _WIDTH, top + row * _HEIGHT, _WIDTH, _HEIGHT)})
    rows = -(-len(section) // _COLUMNS)  # rounded up
    return top + rows * _HEIGHT


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    """In units of Grafana's grid, which is 24 wide."""
    return {"x": x, "y": y, "w": width, "h": height}


def _dashboard(panels: list[_Panel]) -> dict[str, Any]:
    instance = {
        "name": "instance",
        "label": "Machine",
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values({STATUS}, instance)",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }
    source = {"name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"}
    return {
        "uid": "blueplane-doctor",
        "title": "Blueplane pipeline health",
        "tags": ["blueplane"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [source, instance]},
        "panels": panels,
    }


def _worst() -> _Panel:
    expression = f"max by (instance) ({PREFIX}report_status{{{_CHOSEN}}})"
    defaults = {"mappings": _colours(), "thresholds": _status_steps()}
    panel = _panel("Worst of all", "stat", expression, defaults, gridPos=_place(0, 0, _WIDTH, _HEIGHT))
    return panel | {"options": {"colorMode": "background", "reduceOptions": {"calcs": ["lastNotNull"]}}}


def _panel(
    title: str, kind: str, expression: str, defaults: dict[str, Any], *, legend: str = "{{instance}}", **more: Any
) -> _Panel:
    """A panel of one series; `defaults`: how its values look."""
    return {
        "title": title,
        "type": kind,
        **more,
        "datasource": _SOURCE,
        "targets": [{"refId": "A", "datasource": _SOURCE, "expr": expression, "legendFormat": legend}],
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }


def _causes() -> _Panel:
    active = f"{CAUSE_STATUS}{{{_CHOSEN}}} and {CAUSE}{{{_CHOSEN}}} == 1"
    panel = _timeline("Causes over time", f"max by (cause) ({active})", "{{cause}}")
    return panel | {"gridPos": _place(_WIDTH, 0, 2 * _WIDTH, _HEIGHT)}


def _table() -> _Panel:
    panel = _timeline("Checks over time", f"max by (id) ({STATUS}{{{_CHOSEN}}}) > 0", "{{id}}")
    return panel | {"gridPos": _place(0, _HEIGHT, _COLUMNS * _WIDTH, _HEIGHT)}


def _timeline(title: str, expression: str, legend: str) -> _Panel:
    defaults = {"mappings": _colours(), "thresholds": _status_steps()}
    return _panel(title, "state-timeline", expression, defaults, legend=legend)


def _check(spec: CheckSpec) -> _Panel:
    chosen = f'{{id="{spec.id}",{_CHOSEN}}}'
    if spec.scale is None or spec.scale.direction == "states":
        kind = "state-timeline"
        target = f"{STATUS}{chosen}"
        defaults = {"thresholds": _status_steps(), "mappings": _colours()}
    else:
        kind = "timeseries"
        target = f"{VALUE}{chosen}"
        defaults = {
            "thresholds": _steps(spec.scale),
            "unit": f"suffix: {spec.scale.unit}",
            "custom": {"thresholdsStyle": {"mode": "line"}},
        }
    return _panel(spec.title, kind, target, defaults, description=spec.doc)


def _metric(metric: Metric) -> _Panel:
    """A metric of the catalogue as `serve` gives it: in its base unit."""
    expression = f"{PREFIX}{metric.prometheus}{{{_CHOSEN}}}"
    unit = _UNITS.get(metric.unit, f"suffix: {metric.unit}")
    return _panel(metric.label, "timeseries", expression, {"unit": unit}, description=metric.help)


def _colours() -> list[dict[str, Any]]:
    """The words for the codes of a status."""
    options = {}
    for place, word in enumerate(_WORDS):
        options[str(Status(word).severity)] = {"text": word, "color": word, "index": place}
    options["-1"] = {"text": "unknown", "color": "gray", "index": len(_WORDS)}
    return [{"type": "value", "options": options}]


def _status_steps() -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "gray", "value": None}]
    for word in _WORDS:
        steps.append({"color": word, "value": Status(word).severity})
    return {"mode": "absolute", "steps": steps}


def _steps(scale: Scale) -> dict[str, Any]:
    """Colours from the lowest value up, as Grafana has them; the first step has no value."""
    colours = ["green", *scale.bounds]
    values = [bound.value for bound in scale.bounds.values()]
    if scale.direction == "falling":
        colours.reverse()
        values.reverse()
    steps: list[dict[str, Any]] = []
    for colour, value in zip(colours, [None, *values], strict=True):
        steps.append({"color": colour, "value": value})
    return {"mode": "absolute", "steps": steps}
