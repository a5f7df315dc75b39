"""JSON: the report as it is."""

from blueplane_doctor.model import Report
from blueplane_doctor.reports.base import Format, View


def render(report: Report, view: View) -> str:
    """The whole report, indented, ending in a newline."""
    return report.model_dump_json(indent=2) + "\n"


FORMAT = Format("json", (".json",), render)
