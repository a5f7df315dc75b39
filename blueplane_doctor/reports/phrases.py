"""What formats say in the same words, and text of a report made fit to be shown: it is taken for hostile."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from blueplane_doctor.model import Change, Finding, Report, Status
from blueplane_doctor.scales import scale_words
from blueplane_doctor.text import plain
from blueplane_doctor.times import span

_ITEMS = 25
"""Of one list of evidence that are shown; the JSON report has them all."""
_DEPTH = 6
_ENCODED = json.JSONEncoder(ensure_ascii=False)
_PLAIN = (str, int, bool, type(None))
_SEPARATORS = str.maketrans("\u2028\u2029", "\N{REPLACEMENT CHARACTER}" * 2)


def line(text: object, limit: int = 400) -> str:
    """Text as one line, without characters that control, hide or reorder it; longer text ends in `…`."""
    joined = " ".join(str(text)[: limit * 2].split())
    return joined if len(joined) <= limit and joined.isprintable() else plain(joined, limit)


def block(text: str, limit: int = 4_000) -> str:
    """The same for text of several lines, which stay lines."""
    kept = text if len(text) <= limit else text[:limit] + "\n…"
    lines = kept.replace("\r\n", "\n").expandtabs(4).split("\n")
    return "\n".join(part if part.isprintable() else plain(part, len(part)).translate(_SEPARATORS) for part in lines)


def verdict(report: Report) -> str:
    """The worst colour and how many findings have which status: `RED (1 red, 12 green)`."""
    return f"{report.status.value.upper()} ({tally(report)})"


def tally(report: Report) -> str:
    """How many findings have which status: `1 red, 12 green`."""
    counted = [f"{count} {line(status)}" for status, count in report.counts.items() if count]
    return ", ".join(counted) or "no check was run"


def standing(finding: Finding) -> str:
    """A finding's status, whether it is waived, and how it compares with the baseline: `red, waived, worse`."""
    qualities = ["waived"] if finding.waiver else []
    qualities += [finding.change.value] if finding.change else []
    return ", ".join([finding.status.value, *qualities])


def is_news(finding: Finding) -> bool:
    """Whether it is another than in the baseline, where there is one."""
    return finding.change not in (None, Change.SAME)


def is_well(finding: Finding) -> bool:
    """Green, and so it was before."""
    return finding.status is Status.GREEN and not is_news(finding)


def waived(finding: Finding) -> str:
    """Why a finding does not count, who says so, and until when; empty when it is not waived."""
    if not finding.waiver:
        return ""
    waiver = finding.waiver
    owner = f" by {line(waiver.owner)}" if waiver.owner else ""
    until = f" until {line(waiver.expires)}" if waiver.expires else ""
    return f"waived{owner}{until}: {line(waiver.reason)}"


def observed(finding: Finding) -> str:
    """The judged value with its unit; empty when there was none."""
    value = finding.observed
    if value is None:
        return ""
    shown = line(value) if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:,g}"
    return f"{shown} {line(finding.unit)}".strip()


def quantity(value: float | None, unit: object = "") -> str:
    """A value with its unit, as a person reads it: `1,204 messages`, `2.5 s` for milliseconds, `–` for none."""
    if value is None:
        return "–"
    if unit == "ms" and 0 <= value < 1e15:
        return span(value)
    amount = f"{value:,.2f}".rstrip("0").rstrip(".") if 0.01 <= abs(value) < 1e15 else f"{value:g}"
    return f"{amount}{'' if unit == '%' or not unit else ' '}{unit or ''}"


def scale(finding: Finding) -> str:
    """What each colour stands for: `green < 100, red ≥ 100`."""
    if finding.scale is None:
        return ""
    return ", ".join(f"{colour} {line(words)}" for colour, words in scale_words(finding.scale).items())


def evidence(finding: Finding) -> str:
    """What was read, a line for each value and each item of a list, long lists cut; empty when there is nothing."""
    lines: list[str] = []
    for name, value in _shortened(finding.evidence, _DEPTH).items():
        if isinstance(value, list):
            lines += [f"{line(name)}:", *(f"  {_compact(item)}" for item in value)]
        else:
            lines.append(f"{line(name)}: {_compact(value)}")
    return block("\n".join(lines))


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else _ENCODED.encode(value)


def advice(findings: Iterable[Finding], *, causes: bool = False) -> dict[tuple[str, ...], list[str]]:
    """Each text with its commands once, and the ids of all findings that advise it; `causes` too, as bare texts."""
    advised: dict[tuple[str, ...], list[str]] = {}
    for finding in findings:
        if causes and finding.cause:
            advised.setdefault((finding.cause,), []).append(finding.id)
        if finding.remedy:
            advised.setdefault((finding.remedy.text, *finding.remedy.commands), []).append(finding.id)
    return advised


def details(finding: Finding) -> str:
    """All that is known of a finding beyond its summary, as plain text of several lines."""
    remedy = finding.remedy
    said = {
        "waiver": waived(finding),
        "baseline": finding.change.value if finding.change else "",
        "observed": observed(finding),
        "scale": scale(finding),
        "cause": block(finding.cause),
        "what to do": line(remedy.text) if remedy else "",
    }
    lines = [f"{name}: {text}" for name, text in said.items() if text]
    lines += [f"    $ {line(command)}" for command in remedy.commands] if remedy else []
    lines += [f"evidence:\n{text}"] if (text := evidence(finding)) else []
    return "\n".join(lines)


def _shortened(value: Any, depth: int) -> Any:
    """As JSON would hold it, but without end neither in length nor in depth."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): item if type(item) in _PLAIN else _shortened(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        more = [f"… and {len(value) - _ITEMS:,} more"] if len(value) > _ITEMS else []
        return [_shortened(item, depth - 1) for item in value[:_ITEMS]] + more
    from pydantic_core import to_jsonable_python

    return _shortened(to_jsonable_python(value, fallback=str), depth - 1)
