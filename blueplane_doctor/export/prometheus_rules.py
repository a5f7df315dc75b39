"""Alerting rules for Prometheus, one for each level of each check's scale, over the metrics that `serve` gives."""

from collections.abc import Sequence
from typing import Any

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.model import Status
from blueplane_doctor.scales import LEVELS, Scale, scale_words

STATUS, VALUE = "blueplane_doctor_check_status", "blueplane_doctor_check_observed_value"
SEVERITIES = {"yellow": "info", "orange": "warning", "red": "critical"}
PATIENCE = {"yellow": "15m", "orange": "5m", "red": "1m"}
"""How long a level must last; what mends itself before is not worth waking anybody."""

Rule = dict[str, Any]


def render(specs: Sequence[CheckSpec]) -> str:
    """The file, for `rule_files:` of prometheus.yml."""
    import yaml

    groups = [{"name": "blueplane-doctor", "rules": _of_the_service()}]
    for area in sorted({spec.area for spec in specs}):
        rules = [rule for spec in specs if spec.area == area for rule in rules_of(spec)]
        groups.append({"name": f"blueplane-doctor-{area}", "rules": rules})
    head = "# Made by `blueplane-doctor export prometheus-rules` from the scales in force; make it anew when they do.\n"
    filled = {"groups": [group for group in groups if group["rules"]]}
    return head + yaml.safe_dump(filled, sort_keys=False, allow_unicode=True, width=120)


def rules_of(spec: CheckSpec) -> list[Rule]:
    """One rule for each level that the check can reach."""
    return [_rule(spec, level) for level in _levels(spec.scale)]


def _levels(scale: Scale | None) -> list[str]:
    if scale is None:
        return list(LEVELS)
    if scale.direction == "states":
        return [level for level in LEVELS if Status(level) in scale.words.values()]
    return list(scale.bounds)


def _rule(spec: CheckSpec, level: str) -> Rule:
    unit = f" {spec.scale.unit}" if spec.scale and spec.scale.unit else ""
    numeric = spec.scale is not None and spec.scale.direction != "states"
    described = scale_words(spec.scale).get(level, "") if spec.scale else ""
    return {
        "alert": alert_name(spec, level),
        "expr": expression(spec, level),
        "for": PATIENCE[level],
        "labels": {"severity": SEVERITIES[level], "area": spec.area, "check": spec.id},
        "annotations": {
            "summary": f"{spec.title} on {{{{ $labels.instance }}}}"
            + (f": {{{{ $value | humanize }}}}{unit.replace('%', ' %')}" if numeric else ""),
            "description": f"{spec.id} is {level}" + (f" ({described}{unit})" if described else "") + ".",
            "runbook": f"blueplane-doctor explain {spec.id}",
        },
    }


def alert_name(spec: CheckSpec, level: str) -> str:
    """`BlueplaneQueueDepthRed`."""
    return "Blueplane" + f"{spec.id}-{level}".title().replace("-", "")


def expression(spec: CheckSpec, level: str) -> str:
    """The value beyond its bound, while the doctor grades it so: a throughput of 0 while idle is shown, not graded."""
    chosen = f'{{id="{spec.id}"}}'
    graded = f"{STATUS}{chosen} == {Status(level).severity}"
    if spec.scale is None or spec.scale.direction == "states":
        return graded
    bound = spec.scale.bounds[level]
    sign = ">" if spec.scale.direction == "rising" else "<"
    sign += "=" if bound.inclusive else ""
    return f"{VALUE}{chosen} {sign} {bound.value:.15g} and ignoring (unit) {graded}"


def _of_the_service() -> list[Rule]:
    """What no check can say."""
    labels = {"severity": "critical", "area": "doctor"}
    return [
        {
            "alert": "BlueplaneDoctorAbsent",
            "expr": "absent(blueplane_doctor_report_status)",
            "for": "5m",
            "labels": labels,
            "annotations": {
                "summary": "No blueplane-doctor is scraped",
                "description": "Nothing is known of any pipeline. See whether `blueplane-doctor serve` runs.",
            },
        },
        {
            "alert": "BlueplaneDoctorStale",
            "expr": "blueplane_doctor_report_age_seconds > 30",
            "for": "1m",
            "labels": labels,
            "annotations": {
                "summary": "The examination on {{ $labels.instance }} hangs",
                "description": "The newest look is {{ $value | humanizeDuration }} old.",
            },
        },
        {
            "alert": "BlueplaneHealthUnknown",
            "expr": "blueplane_doctor_report_status == -1",
            "for": "2m",
            "labels": labels,
            "annotations": {
                "summary": "The health of the pipeline on {{ $labels.instance }} is not known",
                "description": "Something that must be read does not answer.",
            },
        },
    ]
