"""Show the JSON Schema of the JSON report (schema report) or of doctor.yaml (schema settings)."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.json_schemas import DIALECT, json_schema
from blueplane_doctor.model import Report
from blueplane_doctor.plugins.discovery import find_monitors
from blueplane_doctor.settings.view import settings_schema
from blueplane_doctor.text.console import show_json

COMMAND = new_command(__doc__)


class _Subject(StrEnum):
    """What has a schema."""

    REPORT = "report"
    SETTINGS = "settings"


@command(COMMAND)
def schema(
    given: Invocation,
    subject: Annotated[
        _Subject, typer.Argument(metavar="report|settings", help="Whose schema; default report.")
    ] = _Subject.REPORT,
) -> None:
    """The schema is always JSON."""
    if subject is _Subject.SETTINGS:
        show_json(settings_schema())
    else:
        show_json(report_schema())


def report_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `--format json` writes."""
    monitors = {}
    for name, monitor in sorted(find_monitors().items()):
        if monitor.in_metrics:
            monitors[name] = monitor.record
    definitions = json_schema(Report, *monitors.values())
    schema = definitions.pop("Report")
    records = {}
    for name, record in monitors.items():
        records[name] = {"anyOf": [{"$ref": f"#/$defs/{record.__name__}"}, {"type": "null"}]}
    # A report always has all of its fields.
    for part in (schema, *definitions.values()):
        if "properties" in part:
            part["required"] = list(part["properties"])
    schema["properties"]["metrics"] = {
        "type": "object",
        "description": "Health records by name; null for one that was not read.",
        "properties": records,
        "required": sorted(records),
        # Those of monitors from outside the package.
        "additionalProperties": {"type": ["object", "null"]},
    }
    return {"$schema": DIALECT, **schema, "$defs": definitions}
