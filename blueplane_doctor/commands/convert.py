"""Show a report that was kept as JSON in any format; nothing is examined."""

from pathlib import Path
from typing import Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.command_line.report_output import format_for, format_named, in_file, view_of
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.judging.kept import read_report
from blueplane_doctor.reports.base import Format
from blueplane_doctor.text.console import show, write_file

COMMAND = new_command(__doc__)


@command(
    COMMAND,
    "verbose",
    "quiet",
    format="Format to show it in, default table.",
    output="Write to this file instead of stdout; without --format, in the format of its suffix; repeatable.",
)
def convert(
    given: Invocation,
    report: Annotated[Path, typer.Argument(metavar="REPORT.json", help="A report of --format json.")],
) -> int:
    """Exit code 0 whatever the report says, but for a format whose reader goes by codes of its own (Nagios)."""
    options = given.options
    view = view_of(options)
    if options.output:
        forms = [_format_of(path, options.format) for path in options.output]
        content = read_report(report)
        for path, form in zip(options.output, forms, strict=True):
            write_file(path, form.render(content, in_file(view)))
        return 0
    form = format_named(options.format or "table")
    content = read_report(report)
    show(form.render(content, view), markup=form.markup, commands=form.commands)
    return form.exit_code(content) if form.exit_code else 0


def _format_of(path: Path, name: str | None) -> Format:
    """The format that --format names, else that of the file's suffix. Raises UsageError."""
    if name:
        return format_named(name)
    return format_for(path)
