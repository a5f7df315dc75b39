"""What one run read: it can be saved, and judged again (kept.py)."""

import json
from dataclasses import dataclass, field

from blueplane_doctor import __version__
from blueplane_doctor.model import Tool
from blueplane_doctor.records.base import Record

EVIDENCE_VERSION = 2


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
    """The evidence as JSON text; `kept.evidence_from` gives the same evidence back."""
    records = {}
    for name, record in sorted(evidence.records.items()):
        records[name] = record.model_dump()
    content = {
        "evidence_version": EVIDENCE_VERSION,
        "tool": Tool(version=__version__).model_dump(),
        "taken_at": evidence.taken_at,
        "duration_ms": evidence.duration_ms,
        "records": records,
        "missing": dict(sorted(evidence.missing.items())),
        "durations": dict(sorted(evidence.durations.items())),
        "thresholds": evidence.thresholds,
    }
    return json.dumps(content, indent=2, ensure_ascii=True) + "\n"
