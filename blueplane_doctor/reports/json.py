"""JSON: the report as it is, and read back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from blueplane_doctor.errors import UsageError
from blueplane_doctor.model import SCHEMA_VERSION, Report
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.phrases import line

_HINT = "name a file that blueplane-doctor --format json has written"


def render(report: Report, view: View) -> str:
    """The whole report, indented, ending in a newline."""
    try:
        return report.model_dump_json(indent=2) + "\n"
    except PydanticSerializationError:  # a lone surrogate, as in a file name that is no UTF-8: JSON cannot hold it
        return Report.model_validate(_encodable(report.model_dump())).model_dump_json(indent=2) + "\n"


def _encodable(value: Any) -> Any:
    """The same with every lone surrogate replaced."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list | tuple) else value


def read_report(path: Path) -> Report:
    """The report in a file. Raises UsageError when it cannot be read, or is not a report of this schema version."""
    values = _read(path)
    if not isinstance(values, dict) or "schema_version" not in values or "findings" not in values:
        raise UsageError(f"{path} is JSON, but not a report of blueplane-doctor", _HINT)
    version = values["schema_version"]
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"{path} is a report of schema version {line(version, 40)}; this blueplane-doctor reads {SCHEMA_VERSION}",
            "read it with the version of blueplane-doctor that wrote it",
        )
    try:
        report = Report.model_validate(values)
        return report.model_copy(update={"metrics": _checked(report.metrics)})
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(line(part, 60) for part in problem["loc"])
        raise UsageError(f"{path} is not a report of blueplane-doctor: {where}: {problem['msg']}", _HINT) from None


def _checked(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The health records as this version makes them: formats may take for granted what is in them.

    Raises ValidationError. A record of a monitor that is not there is kept as it is.
    """
    from blueplane_doctor.discovery import find_monitors

    known = {name: monitor for name, monitor in find_monitors().items() if metrics.get(name) is not None}
    records = {name: monitor.record.model_validate(metrics[name]) for name, monitor in known.items()}
    return {**metrics, **{name: record.model_dump(mode="json") for name, record in records.items()}}


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not JSON: it is no text", _HINT) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{path} is not JSON: {error.msg} ({place})", _HINT) from error
    except (RecursionError, ValueError) as error:  # nested too deeply; a number of too many digits
        raise UsageError(f"{path} is not a report of blueplane-doctor: {type(error).__name__}", _HINT) from error


FORMAT = Format("json", (".json",), render)
