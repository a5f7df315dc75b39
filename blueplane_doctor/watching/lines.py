"""A round as one line of JSON, for programs that watch."""

import json
from typing import Any

from blueplane_doctor.watching.rounds import Changed, Round


def line(round_: Round) -> str:
    """The round as one object on one line, with a line feed at its end."""
    report = round_.report
    said = {
        "round": round_.number,
        "generated_at": report.generated_at,
        "status": report.status.value,
        "exit_code": report.exit_code,
        "counts": report.counts,
        "changed": [_changed(one) for one in round_.changed],
        "unread": dict(round_.unread),
        "metrics": dict(round_.numbers),
    }
    return json.dumps(said, separators=(",", ":")) + "\n"


def _changed(one: Changed) -> dict[str, Any]:
    return {
        "id": one.finding.id,
        "change": one.change.value,
        "was": one.was.value if one.was else None,
        "status": one.finding.status.value,
        "summary": one.finding.summary,
    }
