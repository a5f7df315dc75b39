"""Phrases about one finding that formats share: its standing, what was observed, its evidence, what to do."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from blueplane_doctor.model import Change, Finding, Status
from blueplane_doctor.reports.phrases import WHOLE_TEXT, block, line, quantity
from blueplane_doctor.scales import scale_words

_ITEMS = 25
"""Of one list of evidence that are shown; the JSON report has them all."""
_DEPTH = 6
_ENCODED = json.JSONEncoder(ensure_ascii=False)
_PLAIN = (str, int, bool, type(None))


def standing(finding: Finding, emphasis: str = "") -> str:
    """A finding's status, whether it is waived, and how it compares with the baseline: `red, waived, worse`.

    `emphasis`: put around the last of these, as markup has it.
    """
    qualities = [finding.status.words]
    if finding.waiver:
        qualities.append("waived")
    if finding.change:
        qualities.append(f"{emphasis}{finding.change.value}{emphasis}")
    return ", ".join(qualities)


def is_news(finding: Finding) -> bool:
    """Whether it is another than in the baseline, where there is one."""
    return finding.change not in (None, Change.SAME)


def is_quiet(finding: Finding) -> bool:
    """Whether there is nothing to say: it is green and was so before, or rests on what was never set up."""
    if finding.status is Status.NOT_SET_UP:
        return True
    return finding.status is Status.GREEN and not is_news(finding)


def waived(finding: Finding) -> str:
    """Why a finding does not count, who says so, and until when; empty when it is not waived."""
    if not finding.waiver:
        return ""
    waiver = finding.waiver
    text = "waived"
    if waiver.owner:
        text += f" by {line(waiver.owner)}"
    if waiver.expires:
        text += f" until {line(waiver.expires)}"
    return f"{text}: {line(waiver.reason)}"


def observed(finding: Finding) -> str:
    """The judged value with its unit; empty when there was none."""
    value = finding.observed
    if value is None:
        return ""
    if isinstance(value, str):
        return f"{line(value)} {line(finding.unit)}".strip()
    return quantity(value, finding.unit)


def scale(finding: Finding) -> str:
    """What each colour stands for: `green < 100, red ≥ 100`."""
    if finding.scale is None:
        return ""
    levels = []
    for colour, words in scale_words(finding.scale).items():
        levels.append(f"{colour} {line(words)}")
    return ", ".join(levels)


def evidence(finding: Finding) -> str:
    """What was read, a line for each value and each item of a list, long lists cut; empty when there is nothing."""
    lines: list[str] = []
    for name, value in _shortened(finding.evidence, _DEPTH).items():
        if isinstance(value, list):
            lines.append(f"{line(name)}:")
            for item in value:
                lines.append(f"  {_compact(item)}")
        else:
            lines.append(f"{line(name)}: {_compact(value)}")
    return block("\n".join(lines))


def _compact(value: Any) -> str:
    if isinstance(value, str):
        return value
    return _ENCODED.encode(value)


def advice(findings: Iterable[Finding], *, causes: bool = False) -> dict[tuple[str, ...], list[str]]:
    """Each text with its commands once, and the ids of all findings that advise it.

    With `causes` also, as bare texts, why a finding was not judged.
    """
    advised: dict[tuple[str, ...], list[str]] = {}
    for finding in findings:
        if causes and finding.cause and finding.status.severity < 0:
            advised.setdefault((finding.cause,), []).append(finding.id)
        if finding.remedy:
            advised.setdefault((finding.remedy.text, *finding.remedy.commands), []).append(finding.id)
    return advised


def why(finding: Finding) -> dict[str, str]:
    """`follows from` and the id of a cause, or `cause` and why nothing was judged; empty where neither is known."""
    if not finding.cause:
        return {}
    if finding.status.severity > 0:
        return {"follows from": line(finding.cause)}
    return {"cause": block(finding.cause)}


def details(finding: Finding) -> str:
    """All that is known of a finding beyond its summary, as plain text of several lines."""
    parts = {
        "waiver": waived(finding),
        "baseline": finding.change or "",
        "observed": observed(finding),
        "scale": scale(finding),
    }
    parts |= why(finding)
    lines = []
    for name, words in parts.items():
        if words:
            lines.append(f"{name}: {words}")
    if finding.remedy:
        lines.append(f"what to do: {line(finding.remedy.text, WHOLE_TEXT)}")
        for command in finding.remedy.commands:
            lines.append(f"    $ {line(command)}")
    text = evidence(finding)
    if text:
        lines.append(f"evidence:\n{text}")
    return "\n".join(lines)


def _shortened(value: Any, depth: int) -> Any:
    """As JSON would hold it, but with an end in length and in depth."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return None
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        members = {}
        for key, item in value.items():
            members[str(key)] = _shortened(item, depth - 1)
        return members
    if isinstance(value, list | tuple):
        items = [_shortened(item, depth - 1) for item in value[:_ITEMS]]
        if len(value) > _ITEMS:
            items.append(f"… and {len(value) - _ITEMS:,} more")
        return items
    return _shortened(msgspec.to_builtins(value, enc_hook=str), depth - 1)  # what a check made itself
