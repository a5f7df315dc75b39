"""`convert`: an old report, kept as JSON, in any format."""

from pathlib import Path
from typing import Annotated

import typer

from blueplane_doctor.commands.base import command, format_for, format_named, invocation, put, view_of


@command("convert", "Show a report that was kept as JSON in any format; nothing is examined.")
def convert(
    context: typer.Context,
    report: Annotated[Path, typer.Argument(metavar="REPORT.json", help="A report of --format json.")],
    format_name: Annotated[str, typer.Option("--format", "-f", help="Format to show it in.", metavar="NAME")] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file instead of stdout; without --format, in the format of its suffix.",
            metavar="FILE",
        ),
    ] = None,
) -> int:
    """Exit code 0 whatever the report says, but for a format whose reader goes by codes of its own (Nagios)."""
    from blueplane_doctor.reports.json import read_report

    form = format_for(output) if output and not format_name else format_named(format_name or "table")
    read = read_report(report)
    put(form.render(read, view_of(invocation(context))), output)
    return form.exit_code(read) if form.exit_code and not output else 0
