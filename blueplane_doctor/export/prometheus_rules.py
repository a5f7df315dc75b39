"""Alerting rules for Prometheus over the metrics that `serve` gives: one a cause, and one for each level of a scale.

A check whose finding follows from a cause raises no alert of its own, so that one fault wakes once.
"""

from collections.abc import Sequence
from typing import Any

import yaml

from blueplane_doctor.causeapi import EVERYTHING, CauseSpec
from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.model import Status
from blueplane_doctor.reports.prometheus import PREFIX
from blueplane_doctor.scales import LEVELS, Scale, scale_words

STATUS = f"{PREFIX}check_status"
VALUE = f"{PREFIX}check_observed_value"
CAUSE = f"{PREFIX}cause_active"
CAUSE_STATUS = f"{PREFIX}cause_status"
_EXPLAINED = f"{PREFIX}check_cause_info"
_SEVERITIES = {"yellow": "info", "orange": "warning", "red": "critical"}
_PATIENCE = {"yellow": "15m", "orange": "5m", "red": "1m"}
"""How long a level must last; what ends by itself before is not worth waking anybody."""

_PATIENCE_OF_CAUSES = "30s"
"""Less than that of any check."""
_SEVERITY_OF_CAUSES = "{{ if ge $value 3.0 }}critical{{ else if ge $value 2.0 }}warning{{ else }}info{{ end }}"
"""By the worst status that follows from it: that is the value of the rule's expression."""

_HEAD = """\
# Made by `blueplane-doctor export prometheus-rules` from the scales in force; make it anew when they change.
#
# One fault wakes once: a check whose finding follows from a cause raises no alert of its own, only the cause does.
# For alertmanager.yml, so that neither what a cause keeps from being read nor a lower level of one check wakes again:
#
# inhibit_rules:
#   - source_matchers: ['cause=~"%s"']
#     target_matchers: ['alertname="BlueplaneHealthUnknown"']
#     equal: [instance]
#   - source_matchers: ['check!=""', 'severity="critical"']
#     target_matchers: ['check!=""', 'severity=~"warning|info"']
#     equal: [instance, check]
"""

_Rule = dict[str, Any]


def render(specs: Sequence[CheckSpec], causes: Sequence[CauseSpec]) -> str:
    """The file, for `rule_files:` of prometheus.yml: rules of these checks, and of the causes that they can show."""
    causes = _shown_by(causes, specs)
    groups = [{"name": "blueplane-doctor", "rules": _of_the_service()}]
    if causes:
        groups.append({"name": "blueplane-doctor-causes", "rules": list(map(_rule_of_cause, causes))})
    for area in sorted({spec.area for spec in specs}):
        rules: list[_Rule] = []
        for spec in specs:
            if spec.area == area:
                rules += rules_of(spec)
        if rules:
            groups.append({"name": f"blueplane-doctor-{area}", "rules": rules})
    head = _HEAD % "|".join(spec.id for spec in causes if EVERYTHING in spec.brings)
    return head + yaml.safe_dump({"groups": groups}, sort_keys=False, allow_unicode=True, width=120)


def _shown_by(causes: Sequence[CauseSpec], checks: Sequence[CheckSpec]) -> list[CauseSpec]:
    """The causes of which one sign at least is among the checks, each id once, in order of id."""
    ids = {spec.id for spec in checks}
    by_id = {spec.id: spec for spec in causes if ids.intersection(spec.shown_by)}
    return [by_id[name] for name in sorted(by_id)]


def _rule_of_cause(spec: CauseSpec) -> _Rule:
    """The one rule of a cause; how urgent it is, is told by the worst finding that follows from it."""
    chosen = f'{{cause="{spec.id}"}}'
    return {
        "alert": "BlueplaneCause" + spec.id.title().replace("-", ""),
        "expr": f"{CAUSE_STATUS}{chosen} and {CAUSE}{chosen} == 1",
        "for": _PATIENCE_OF_CAUSES,
        "labels": {"severity": _SEVERITY_OF_CAUSES, "area": "causes", "cause": spec.id},
        "annotations": {
            "summary": f"{spec.title} ({{{{ $labels.instance }}}})",
            "description": f"{spec.title}. It shows in: {', '.join(spec.shown_by)}.",
            "runbook": f"blueplane-doctor checks {spec.id}",
        },
    }


def rules_of(spec: CheckSpec) -> list[_Rule]:
    """One rule for each level that the check can reach."""
    return [_rule(spec, level) for level in _levels(spec.scale)]


def _levels(scale: Scale | None) -> list[str]:
    if scale is None:
        return list(LEVELS)
    if scale.direction == "states":
        return [level for level in LEVELS if Status(level) in scale.words.values()]
    return list(scale.bounds)


def _rule(spec: CheckSpec, level: str) -> _Rule:
    return {
        "alert": alert_name(spec, level),
        "expr": expression(spec, level),
        "for": _PATIENCE[level],
        "labels": {"severity": _SEVERITIES[level], "area": spec.area, "check": spec.id},
        "annotations": {
            "summary": _summary(spec, level),
            "description": _description(spec, level),
            "runbook": f"blueplane-doctor checks {spec.id}",
        },
    }


def _summary(spec: CheckSpec, level: str) -> str:
    """What is wrong and where, and the value where there is one; what stands in braces is filled in by Prometheus.

    A check's title says what is right, so an alert does not begin with it.
    """
    text = f"{spec.id} is {level} on {{{{ $labels.instance }}}}"
    if spec.scale is None or spec.scale.direction == "states":
        return text
    return f"{text}: {{{{ $value | humanize }}}} {spec.scale.unit}".rstrip()


def _description(spec: CheckSpec, level: str) -> str:
    """Which values the level stands for."""
    if spec.scale is None:
        return f"{spec.id} is {level}. It checks: {spec.title}."
    values = scale_words(spec.scale)[level]
    graded = f"{values} {spec.scale.unit}".rstrip()
    return f"{spec.id} is {level} ({graded}). It checks: {spec.title}."


def alert_name(spec: CheckSpec, level: str) -> str:
    """`BlueplaneQueueDepthRed`."""
    return "Blueplane" + f"{spec.id}-{level}".title().replace("-", "")


def expression(spec: CheckSpec, level: str) -> str:
    """The value beyond its bound, while the doctor grades it so: a throughput of 0 while idle is shown, not graded.

    Not while the finding follows from a cause, which has an alert.
    """
    chosen = f'{{id="{spec.id}"}}'
    graded = f"{STATUS}{chosen} == {Status(level).severity}"
    alone = f"unless ignoring (unit, cause) {_EXPLAINED}{chosen}"
    if spec.scale is None or spec.scale.direction == "states":
        return f"{graded} {alone}"
    bound = spec.scale.bounds[level]
    sign = ">" if spec.scale.direction == "rising" else "<"
    if bound.inclusive:
        sign += "="
    return f"{VALUE}{chosen} {sign} {bound.value:.15g} and ignoring (unit) {graded} {alone}"


def _of_the_service() -> list[_Rule]:
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
                "description": "Nothing is known of any pipeline. See whether blueplane-doctor serve runs.",
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
