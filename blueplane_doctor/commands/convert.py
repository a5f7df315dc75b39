"""`convert`: an old report, kept as JSON, in any format."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import guarded, invocation, show, view_of, write_file

if TYPE_CHECKING:
    from blueplane_doctor.reports.base import Format


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("convert", help="Show a report that was kept as JSON in any format; nothing is examined.")
    @guarded
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
        return _convert(context, report, format_name, output)


def _convert(context: typer.Context, path: Path, format_name: str, output: Path | None) -> int:
    """Exit code 0 whatever the report says, but for a format whose reader goes by codes of its own (Nagios)."""
    from blueplane_doctor.reports.json import read_report

    form = _chosen(format_name, output)
    report = read_report(path)
    text = form.render(report, view_of(invocation(context)))
    if output:
        write_file(output, text)
        return 0
    show(text)
    return form.exit_code(report) if form.exit_code else 0


def _chosen(name: str, output: Path | None) -> "Format":
    from blueplane_doctor.discovery import find_formats
    from blueplane_doctor.errors import UsageError

    formats = find_formats()
    if not name and output:
        by_suffix = {suffix: form for form in formats.values() for suffix in form.suffixes}
        if output.suffix.lower() not in by_suffix:
            raise UsageError(f"--output {output}: no format has this suffix", "name a format with --format")
        return by_suffix[output.suffix.lower()]
    if (name or "table") not in formats:
        raise UsageError(f"--format {name}: there is no such format", f"one of {', '.join(sorted(formats))}")
    return formats[name or "table"]
