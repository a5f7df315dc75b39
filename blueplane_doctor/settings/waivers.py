"""Waivers: findings that are known, have a reason, an owner and an end, and do not count until that day."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from blueplane_doctor.errors import SettingsError, did_you_mean
from blueplane_doctor.findings import WAIVER_AREA
from blueplane_doctor.model import Finding, Remedy, Status, Waiver
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import InvalidRecord
from blueplane_doctor.settings.files import read_yaml_value

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}
"""The longer ones first: each begins with one of the others."""
_REQUIRED = ("id", "reason", "owner", "expires")
_HINT = "each has id, reason, owner and expires; see the README"


class WaiverRule(Record):
    """One waiver, as it is written in the settings or in a file beside the code."""

    id: str
    """Id of the check, or a glob of ids."""
    reason: str
    """Why it may be so; shown in every report."""
    owner: str
    """Who answers for it: a person or a team."""
    expires: date
    """From this day on the finding counts again."""
    when: dict[str, str | int | float | bool] = {}
    """Conditions, all of which must hold: `observed`, or a name in the finding's evidence (`a.b` goes down), to a
    value or a comparison such as `<= 20`."""

    @classmethod
    def prepared(cls, value: Any) -> Any:
        """Name what is missing or mistyped, all of it at once."""
        if not isinstance(value, Mapping):
            return value
        for name in value:
            if name not in cls.model_fields:
                hint = did_you_mean(str(name), cls.model_fields, f"it has {', '.join(cls.model_fields)}")
                raise ValueError(f"a waiver has no field '{str(name)[:60]}', {hint}")
        missing = [name for name in _REQUIRED if not str(value.get(name) or "").strip()]
        if missing:
            raise ValueError(f"a waiver needs {' and '.join(missing)}")
        return value


def read_waivers(path: Path) -> list[WaiverRule]:
    """The waivers of a YAML file: a list, or a map with `waivers`. Raises SettingsError."""
    content = read_yaml_value(path)
    if isinstance(content, dict) and set(content) == {"waivers"}:
        content = content["waivers"]
    if not isinstance(content, list):
        raise SettingsError(f"{path}: must hold a list of waivers", _HINT)
    rules = []
    for number, entry in enumerate(content, 1):
        try:
            rules.append(WaiverRule.model_validate(entry))
        except InvalidRecord as error:
            place = f"waiver {number}: {error.place}" if error.place else f"waiver {number}"
            raise SettingsError(f"{path}: {place}: {error.message}", _HINT) from None
    return rules


def waived(
    findings: Iterable[Finding], rules: Iterable[WaiverRule], today: date, check_ids: Iterable[str] = ()
) -> list[Finding]:
    """The findings with their waivers; a waiver that is over, or meets nothing, becomes a finding itself.

    Only what is not green can be waived. Where a check was not judged, whether its waiver meets anything is unknown.
    `today`: the day on which the evidence was taken. `check_ids`: the ids of all checks, also of those that did not
    run; a waiver for one of these is neither used nor reported.
    """
    current = list(findings)
    ran = {finding.id for finding in current}
    known = ran.union(check_ids)
    reported = []
    for number, rule in enumerate(rules, 1):
        if today >= rule.expires:
            summary = f"The waiver for {rule.id} ended on {rule.expires}"
            reported.append(_report(number, rule, summary, "Remove it, or give it another end."))
        elif any(_matches(rule, finding) for finding in current):
            current = [_with_waiver(finding, rule) for finding in current]
        elif not _any_match(rule.id, known):
            hint = did_you_mean(rule.id, sorted(known), "See the ids: blueplane-doctor checks.")
            reported.append(_report(number, rule, f"The waiver for {rule.id} names no check", hint))
        elif unjudged := [finding.id for finding in current if _is_unjudged(rule, finding)]:
            reported.append(_not_judged(number, rule, unjudged))
        elif _any_match(rule.id, ran):
            summary = f"The waiver for {rule.id} matches no finding"
            reported.append(_report(number, rule, summary, "Remove it, if its reason no longer exists."))
    return [*current, *reported]


def _matches(rule: WaiverRule, finding: Finding) -> bool:
    return finding.status is not Status.GREEN and fnmatchcase(finding.id, rule.id) and _holds(rule, finding)


def _is_unjudged(rule: WaiverRule, finding: Finding) -> bool:
    return finding.status.severity < 0 and fnmatchcase(finding.id, rule.id)


def _any_match(pattern: str, ids: Iterable[str]) -> bool:
    return any(fnmatchcase(identity, pattern) for identity in ids)


def _with_waiver(finding: Finding, rule: WaiverRule) -> Finding:
    """The finding with the waiver, if it matches; the first that matches stays."""
    if finding.waiver is not None or not _matches(rule, finding):
        return finding
    waiver = Waiver(reason=rule.reason, owner=rule.owner, expires=str(rule.expires))
    return finding.model_copy(update={"waiver": waiver})


def _report(number: int, rule: WaiverRule, summary: str, advice: str) -> Finding:
    remedy = Remedy(text=advice[0].upper() + advice[1:])
    return _finding(number, rule, status=Status.YELLOW, summary=summary, remedy=remedy)


def _not_judged(number: int, rule: WaiverRule, checks: Sequence[str]) -> Finding:
    verb = "was" if len(checks) == 1 else "were"
    summary = f"Whether the waiver for {rule.id} is still needed is not known"
    cause = f"{', '.join(checks)} {verb} not judged"
    return _finding(number, rule, status=Status.UNKNOWN, summary=summary, cause=cause)


def _finding(number: int, rule: WaiverRule, **told: Any) -> Finding:
    """The finding about a waiver. `told`: the fields in which one differs from another."""
    evidence = {"reason": rule.reason, "owner": rule.owner}
    return Finding(id=f"waiver:{number}", area=WAIVER_AREA, observed=rule.id, evidence=evidence, **told)


def _holds(rule: WaiverRule, finding: Finding) -> bool:
    return all(_compare(_value(finding, path), wanted) for path, wanted in rule.when.items())


def _value(finding: Finding, path: str) -> Any:
    """What a condition looks at; None where the evidence does not have it."""
    if path == "observed":
        return finding.observed
    value: Any = finding.evidence
    if path in value:
        return value[path]
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _compare(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, str):
        return bool(value == wanted)
    sign = ""
    text = wanted.strip()
    for known in _OPERATORS:
        if text.startswith(known):
            sign = known
            text = text.removeprefix(known).strip()
            break
    compare = _OPERATORS[sign or "=="]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return compare(float(value), float(text))
        except ValueError:
            return False
    # Text has no order that a waiver could mean.
    return sign in ("", "==", "!=") and compare(str(value), text)
