"""The JSON Schema of the report, health records included, and what the attributes of a record mean.

pydantic can read the docstrings too, but does so for every class at every start, a tenth of a run's processor time.
"""

import ast
import inspect
import textwrap
from typing import Any

from blueplane_doctor.model import Record, Report


def report_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `--format json` writes."""
    from blueplane_doctor.discovery import find_monitors

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
        "additionalProperties": False,
    }
    _describe(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def descriptions_of(record: type) -> dict[str, str]:
    """The docstring under each attribute of a class; empty where the source was not shipped."""
    try:
        source = textwrap.dedent(inspect.getsource(record))
    except (OSError, TypeError):
        return {}
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        attribute.target.id: inspect.cleandoc(below.value.value)
        for attribute, below in zip(body.body, body.body[1:], strict=False)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _describe(schema: dict[str, Any]) -> None:
    """Put the attributes' docstrings beside them."""
    records = {record.__name__: record for record in Record.__subclasses__()}
    for name, part in {**schema["$defs"], "Report": schema}.items():
        meanings = descriptions_of(records[name]) if name in records else {}
        for attribute, described in part.get("properties", {}).items():
            if attribute in meanings:
                described.setdefault("description", meanings[attribute])
