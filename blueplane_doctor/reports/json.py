"""JSON: the report as it is; kept.py reads it back."""

from typing import Any

from blueplane_doctor.model import Report
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.text.characters import document


def render(report: Report, view: View) -> str:
    """The whole report, indented, ending in a newline. What is not seen is escaped, for terminals show files too."""
    try:
        text = report.model_dump_json(indent=2)
    except UnicodeError:  # a lone surrogate, as in a file name that is no UTF-8: JSON cannot hold it
        text = Report.model_validate(_encodable(report.model_dump())).model_dump_json(indent=2)
    return document(text) + "\n"


def _encodable(value: Any) -> Any:
    """The same with every lone surrogate replaced."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        members = {}
        for key, item in value.items():
            members[_encodable(key)] = _encodable(item)
        return members
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value


FORMAT = Format("json", (".json",), render)
