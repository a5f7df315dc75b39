"""Waivers: findings that are known, have a reason and an owner, and do not count until a day."""

import operator
import re
from collections.abc import Callable, Iterable
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import ValidationError, field_validator

from blueplane_doctor.errors import SettingsError
from blueplane_doctor.model import Finding, Record, Remedy, Status, Waiver, first_problem

_COMPARISON = re.compile(r"\s*(<=|>=|==|!=|<|>)?\s*(.*?)\s*\Z", re.DOTALL)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}


class WaiverRule(Record):
    """One waiver, as it is written in the settings or in a file beside the code."""

    id: str
    """Id of the check, or a glob of ids."""
    reason: str
    """Why it may be so; shown in every report."""
    owner: str = ""
    expires: date | None = None
    """From this day on the finding counts again; null: never."""
    when: dict[str, str | int | float | bool] = {}
    """Conditions, all of which must hold: `observed`, or a name in the finding's evidence (`a.b` goes down), to a
    value or a comparison such as `<= 20`."""

    @field_validator("reason")
    @classmethod
    def _a_reason(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a waiver needs a reason")
        return value


def read_waivers(path: Path) -> list[WaiverRule]:
    """The waivers of a YAML file: a list, or a map with `waivers`. Raises SettingsError."""
    from blueplane_doctor.settings_files import read_yaml_value

    content = read_yaml_value(path)
    if isinstance(content, dict) and set(content) == {"waivers"}:
        content = content["waivers"]
    if not isinstance(content, list):
        raise SettingsError(f"{path}: must hold a list of waivers", "each with id and reason; see the README")
    rules = []
    for number, entry in enumerate(content, 1):
        try:
            rules.append(WaiverRule.model_validate(entry))
        except ValidationError as error:
            where, said = first_problem(error)
            raise SettingsError(f"{path}: waiver {number}: {where}: {said}", "each has id and reason") from None
    return rules


def waived(findings: Iterable[Finding], rules: Iterable[WaiverRule], today: date) -> list[Finding]:
    """The findings with their waivers; a waiver that is over, or meets nothing, becomes a finding itself.

    Only what is not green can be waived. `today` is the day on which the evidence was taken.
    """
    ours = list(findings)
    extra = []
    for number, rule in enumerate(rules, 1):
        met = [f for f in ours if f.status is not Status.GREEN and fnmatchcase(f.id, rule.id) and _holds(rule, f)]
        over = rule.expires is not None and today >= rule.expires
        if over or not met:
            told, remedy = "matches no finding", "Take it out; what it was for is gone."
            if over:
                told, remedy = f"ended on {rule.expires}", "Take it out, or decide anew."
            extra.append(
                Finding(
                    id=f"waiver:{number}",
                    area="waivers",
                    status=Status.YELLOW,
                    summary=f"The waiver for {rule.id} {told}",
                    observed=rule.id,
                    remedy=Remedy(text=remedy),
                    evidence={"reason": rule.reason, "owner": rule.owner},
                )
            )
        else:
            waiver = Waiver(reason=rule.reason, owner=rule.owner, expires=str(rule.expires or ""))
            ours = [f.model_copy(update={"waiver": f.waiver or waiver}) if f in met else f for f in ours]
    return [*ours, *extra]


def _holds(rule: WaiverRule, finding: Finding) -> bool:
    return all(_compare(_value(finding, path), wanted) for path, wanted in rule.when.items())


def _value(finding: Finding, path: str) -> Any:
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
    sign, text = _COMPARISON.findall(wanted)[0]
    compare = _OPERATORS[sign or "=="]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return compare(float(value), float(text))
        except ValueError:
            return False
    return sign in ("", "==", "!=") and compare(str(value), text)
