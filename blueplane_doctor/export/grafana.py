"""A Grafana dashboard over the metrics that `serve` gives: one panel a check, coloured by the scales in force."""

import json
from collections.abc import Sequence
from typing import Any

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.export.prometheus_rules import STATUS, VALUE
from blueplane_doctor.model import Status
from blueplane_doctor.scales import Scale

SOURCE = {"type": "prometheus", "uid": "${source}"}
CHOSEN = 'instance=~"$instance"'
COLUMNS, WIDTH, HEIGHT = 3, 8, 7
_WORDS = ("green", "yellow", "orange", "red")


def render(specs: Sequence[CheckSpec]) -> str:
    """The dashboard's JSON, to import."""
    panels: list[dict[str, Any]] = [_worst(), _table()]
    top = HEIGHT
    for area in sorted({spec.area for spec in specs}):
        panels.append(_panel(area.replace("-", " ").capitalize(), "row", 0, top, 24, 1))
        top += 1
        found = [spec for spec in specs if spec.area == area]
        for number, spec in enumerate(found):
            place = number % COLUMNS * WIDTH, top + number // COLUMNS * HEIGHT
            panels.append(_check(spec, *place))
        top += (len(found) + COLUMNS - 1) // COLUMNS * HEIGHT
    for number, panel in enumerate(panels, 1):
        panel["id"] = number
    return json.dumps(_dashboard(panels), indent=2, ensure_ascii=False) + "\n"


def _dashboard(panels: list[dict[str, Any]]) -> dict[str, Any]:
    instance = {
        "name": "instance",
        "label": "Machine",
        "type": "query",
        "datasource": SOURCE,
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


def _panel(title: str, kind: str, x: int, y: int, width: int, height: int) -> dict[str, Any]:
    return {"title": title, "type": kind, "gridPos": {"x": x, "y": y, "w": width, "h": height}}


def _worst() -> dict[str, Any]:
    panel = _panel("Worst of all", "stat", 0, 0, WIDTH, HEIGHT)
    return panel | {
        "datasource": SOURCE,
        "targets": [_target(f"max by (instance) (blueplane_doctor_report_status{{{CHOSEN}}})", "{{instance}}")],
        "fieldConfig": {"defaults": {"mappings": _colours(), "thresholds": _status_steps()}, "overrides": []},
        "options": {"colorMode": "background", "reduceOptions": {"calcs": ["lastNotNull"]}},
    }


def _table() -> dict[str, Any]:
    panel = _panel("Checks over time", "state-timeline", WIDTH, 0, 2 * WIDTH, HEIGHT)
    return panel | {
        "datasource": SOURCE,
        "targets": [_target(f"max by (id) ({STATUS}{{{CHOSEN}}}) > 0", "{{id}}")],
        "fieldConfig": {"defaults": {"mappings": _colours(), "thresholds": _status_steps()}, "overrides": []},
    }


def _check(spec: CheckSpec, x: int, y: int) -> dict[str, Any]:
    numeric = spec.scale is not None and spec.scale.direction != "states"
    chosen = f'{{id="{spec.id}",{CHOSEN}}}'
    defaults: dict[str, Any] = {"thresholds": _steps(spec.scale) if numeric and spec.scale else _status_steps()}
    if numeric and spec.scale:
        defaults |= {"unit": f"suffix: {spec.scale.unit}", "custom": {"thresholdsStyle": {"mode": "line"}}}
    else:
        defaults |= {"mappings": _colours()}
    panel = _panel(spec.title, "timeseries" if numeric else "state-timeline", x, y, WIDTH, HEIGHT)
    return panel | {
        "description": spec.doc,
        "datasource": SOURCE,
        "targets": [_target(f"{VALUE if numeric else STATUS}{chosen}", "{{instance}}")],
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }


def _target(expression: str, legend: str) -> dict[str, Any]:
    return {"refId": "A", "datasource": SOURCE, "expr": expression, "legendFormat": legend}


def _colours() -> list[dict[str, Any]]:
    named = {str(Status(word).severity): {"text": word, "color": word, "index": n} for n, word in enumerate(_WORDS)}
    return [{"type": "value", "options": named | {"-1": {"text": "unknown", "color": "gray", "index": 4}}}]


def _status_steps() -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "gray", "value": None}]
    return {"mode": "absolute", "steps": steps + [{"color": word, "value": n} for n, word in enumerate(_WORDS)]}


def _steps(scale: Scale) -> dict[str, Any]:
    """Colours from the lowest value up, as Grafana has them."""
    colours, values = ["green", *scale.bounds], [bound.value for bound in scale.bounds.values()]
    if scale.direction == "falling":
        colours, values = colours[::-1], values[::-1]
    steps = [{"color": colour, "value": value} for colour, value in zip(colours, [None, *values], strict=True)]
    return {"mode": "absolute", "steps": steps}
