"""`schema`: the JSON Schema of the report."""

from typing import Any

from blueplane_doctor.commands.base import command, show_json


@command("schema", "Show the JSON Schema of the JSON report.")
def schema() -> None:
    show_json(report_schema())


def report_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `--format json` writes."""
    from blueplane_doctor.discovery import find_monitors
    from blueplane_doctor.model import Report

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
    _describe(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _describe(schema: dict[str, Any]) -> None:
    from blueplane_doctor.model import Record, descriptions_of

    records = {record.__name__: record for record in Record.__subclasses__()}
    for name, part in {**schema["$defs"], "Report": schema}.items():
        meanings = descriptions_of(records[name]) if name in records else {}
        for attribute, described in part.get("properties", {}).items():
            if attribute in meanings:
                described.setdefault("description", meanings[attribute])
