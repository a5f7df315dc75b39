"""`schema`: the JSON Schema of the report."""

import json

import typer

from blueplane_doctor.commands.base import guarded, show


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("schema", help="Show the JSON Schema of the JSON report.")
    @guarded
    def schema() -> int:
        from blueplane_doctor.schema import report_schema

        show(json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n")
        return 0
