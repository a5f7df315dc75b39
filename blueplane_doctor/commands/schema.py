"""Show the JSON Schema of the JSON report (schema report) or of doctor.yaml (schema settings)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from blueplane_doctor.commands.base import Invocation, command, new_command
from blueplane_doctor.console import show_json
from blueplane_doctor.discovery import find_monitors
from blueplane_doctor.model import Record, Report, descriptions_of
from blueplane_doctor.settings_view import settings_schema

COMMAND = new_command(__doc__)
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Subject(StrEnum):
    """What has a schema."""

    REPORT = "report"
    SETTINGS = "settings"


@command(COMMAND)
def schema(
    given: Invocation,
    subject: Annotated[
        _Subject, typer.Argument(metavar="[report|settings]", help="Whose schema; default report.")
    ] = _Subject.REPORT,
) -> None:
    """The schema is always JSON."""
    if subject is _Subject.SETTINGS:
        show_json(settings_schema())
    else:
        show_json(report_schema())


def report_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `--format json` writes."""
    schema = Report.model_json_schema(mode="serialization")
    definitions = schema.setdefault("$defs", {})
    records: dict[str, Any] = {}
    for name, monitor in sorted(find_monitors().items()):
        if not monitor.in_metrics:
            continue
        record = monitor.record.model_json_schema(mode="serialization", ref_template="#/$defs/{model}")
        definitions |= record.pop("$defs", {})
        definitions[monitor.record.__name__] = record
        records[name] = {"anyOf": [{"$ref": f"#/$defs/{monitor.record.__name__}"}, {"type": "null"}]}
    schema["properties"]["metrics"] = {
        "type": "object",
        "description": "Health records by name; null for one that was not read.",
        "properties": records,
        "required": sorted(records),
        # Those of monitors from outside the package.
        "additionalProperties": {"type": ["object", "null"]},
    }
    _describe({**definitions, "Report": schema})
    return {"$schema": _DIALECT, **schema}


def _describe(parts: Mapping[str, Any]) -> None:
    """Put the records' own docstrings of attributes into the parts of a schema, by name of the record."""
    records = {record.__name__: record for record in Record.__subclasses__()}
    for name, part in parts.items():
        if name not in records:
            continue
        meanings = descriptions_of(records[name])
        for attribute, described in part.get("properties", {}).items():
            if attribute in meanings:
                described.setdefault("description", meanings[attribute])
