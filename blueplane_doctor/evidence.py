"""What one run read: it can be saved and judged again."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from blueplane_doctor import __version__
from blueplane_doctor.errors import UsageError
from blueplane_doctor.model import Record, Tool, first_problem

EVIDENCE_VERSION = 1
_HINT = "name a file that --save-evidence has written"


@dataclass
class Evidence:
    """The health records of one run, or why one is missing. Holds counts, IDs, types and times; no payload."""

    taken_at: str
    """ISO 8601, UTC: the time at which everything is judged."""
    duration_ms: float = 0.0
    records: dict[str, Record] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """For each record that could not be read, why."""
    durations: dict[str, float] = field(default_factory=dict)
    """Milliseconds that each monitor took."""
    thresholds: dict[str, dict[str, float | None]] | None = None
    """Those of the settings in force when it was taken, by check and level; None where that is not known."""


def to_json(evidence: Evidence) -> str:
    """The evidence as JSON text; `from_json` gives the same evidence back."""
    content = {
        "evidence_version": EVIDENCE_VERSION,
        "tool": Tool(version=__version__).model_dump(),
        "taken_at": evidence.taken_at,
        "duration_ms": evidence.duration_ms,
        "records": {name: record.model_dump(mode="json") for name, record in sorted(evidence.records.items())},
        "missing": dict(sorted(evidence.missing.items())),
        "durations": dict(sorted(evidence.durations.items())),
        "thresholds": evidence.thresholds,
    }
    return json.dumps(content, indent=2, ensure_ascii=True) + "\n"


def from_json(text: str | bytes, path: Path, monitor_paths: Iterable[Path] = ()) -> Evidence:
    """Evidence from JSON text; `path` is named in errors. Raises UsageError.

    `monitor_paths`: where the user's own monitors are; a record whose monitor is not found is left out.
    """
    from blueplane_doctor.discovery import find_monitors

    monitors = find_monitors(monitor_paths)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {type(error).__name__}", _HINT) from error
    if not isinstance(content, dict) or "evidence_version" not in content:
        raise UsageError(f"{path} is JSON, but no evidence of blueplane-doctor", _HINT)
    if content["evidence_version"] != EVIDENCE_VERSION:
        raise UsageError(
            f"{path} is evidence of another version; this blueplane-doctor reads version {EVIDENCE_VERSION}",
            "judge it with the version of blueplane-doctor that took it",
        )
    try:
        return Evidence(
            taken_at=str(content["taken_at"]),
            duration_ms=float(content["duration_ms"]),
            records={
                name: monitors[name].record.model_validate(value)
                for name, value in content["records"].items()
                if name in monitors
            },
            missing={str(name): str(cause) for name, cause in content["missing"].items()},
            durations={str(name): float(took) for name, took in content["durations"].items()},
            thresholds=_thresholds(content.get("thresholds")),
        )
    except ValidationError as error:
        where, said = first_problem(error)
        raise UsageError(f"{path}: {error.title}.{where}: {said}", _HINT) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path} is not whole: {type(error).__name__}", _HINT) from error


def _thresholds(content: Any) -> dict[str, dict[str, float | None]] | None:
    """Raises AttributeError, TypeError or ValueError for what is no map of maps."""
    if content is None:
        return None
    return {str(check): dict(levels) for check, levels in content.items()}


def read_evidence(path: Path, monitor_paths: Iterable[Path] = ()) -> Evidence:
    """Evidence that was saved. Raises UsageError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", _HINT) from error
    return from_json(text, path, monitor_paths)
