"""What several formats say in the same words, and text of a report made fit to be shown: it is taken for hostile."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from blueplane_doctor.model import Finding, Report
from blueplane_doctor.text import plain

EVIDENCE_ITEMS = 25
"""Items of one list of evidence that are shown; the JSON report has them all."""
EVIDENCE_DEPTH = 6
BLOCK_CHARACTERS = 4_000
LINE_CHARACTERS = 400
_ENCODED = json.JSONEncoder(ensure_ascii=False)
_PLAIN = (str, int, bool, type(None))
_SEPARATORS = str.maketrans("\u2028\u2029", "\N{REPLACEMENT CHARACTER}" * 2)


def line(text: object, limit: int = LINE_CHARACTERS) -> str:
    """Text as one line, without characters that control, hide or reorder it; longer text ends in `…`."""
    joined = " ".join(str(text)[: limit * 2].split())
    return joined if len(joined) <= limit and joined.isprintable() else plain(joined, limit)


def block(text: str, limit: int = BLOCK_CHARACTERS) -> str:
    """The same for text of several lines, which stay lines."""
    kept = text if len(text) <= limit else text[:limit] + "\n…"
    lines = kept.replace("\r\n", "\n").expandtabs(4).split("\n")
    return "\n".join(part if part.isprintable() else plain(part, len(part)).translate(_SEPARATORS) for part in lines)


def verdict(report: Report) -> str:
    """The worst colour and how many findings have which status: `RED (1 red, 12 green)`."""
    counted = [f"{count} {line(status)}" for status, count in report.counts.items() if count]
    return f"{report.status.value.upper()} ({', '.join(counted) or 'no check was run'})"


def standing(finding: Finding) -> str:
    """A finding's status, whether it is waived, and how it compares with the baseline: `red, waived, worse`."""
    return ", ".join([finding.status.value, *_qualities(finding)])


def _qualities(finding: Finding) -> Iterable[str]:
    if finding.waiver:
        yield "waived"
    if finding.change:
        yield finding.change.value


def waived(finding: Finding) -> str:
    """Why a finding does not count, who says so, and until when; empty when it is not waived."""
    if not finding.waiver:
        return ""
    owner = f" by {line(finding.waiver.owner)}" if finding.waiver.owner else ""
    until = f" until {line(finding.waiver.expires)}" if finding.waiver.expires else ""
    return f"waived{owner}{until}: {line(finding.waiver.reason)}"


def observed(finding: Finding) -> str:
    """The judged value with its unit; empty when there was none."""
    value = finding.observed
    if value is None:
        return ""
    shown = line(value) if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:,g}"
    return f"{shown} {line(finding.unit)}".strip()


def scale(finding: Finding) -> str:
    """What each colour stands for: `green < 100, red ≥ 100`."""
    return ", ".join(f"{line(colour)} {line(words)}" for colour, words in finding.scale.items())


def evidence(finding: Finding) -> str:
    """What was read, a line for each value and each item of a list, long lists cut; empty when there is nothing."""
    lines: list[str] = []
    for name, value in _shortened(finding.evidence, EVIDENCE_DEPTH).items():
        if isinstance(value, list):
            lines += [f"{line(name)}:", *(f"  {_compact(item)}" for item in value)]
        else:
            lines.append(f"{line(name)}: {_compact(value)}")
    return block("\n".join(lines))


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else _ENCODED.encode(value)


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
        more = [f"… and {len(value) - EVIDENCE_ITEMS:,} more"] if len(value) > EVIDENCE_ITEMS else []
        return [_shortened(item, depth - 1) for item in value[:EVIDENCE_ITEMS]] + more
    from pydantic_core import to_jsonable_python

    return _shortened(to_jsonable_python(value, fallback=str), depth - 1)
