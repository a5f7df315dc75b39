"""`schema`: the JSON Schema of the report."""

from blueplane_doctor.commands.base import command, show_json


@command("schema", "Show the JSON Schema of the JSON report.")
def schema() -> None:
    from blueplane_doctor.schema import report_schema

    show_json(report_schema())
