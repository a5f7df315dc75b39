"""`export`: what Prometheus and Grafana need to watch what `serve` gives."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import guarded, invocation, show, write_file

if TYPE_CHECKING:
    from blueplane_doctor.checkapi import CheckSpec

Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file instead.", metavar="FILE")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Make alerting rules and dashboards from the scales in force.",
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.add_typer(group, name="export")

    @group.command("prometheus-rules", help="Alerting rules for Prometheus.")
    @guarded
    def prometheus_rules(context: typer.Context, output: Output = None) -> None:
        from blueplane_doctor.export.prometheus_rules import render

        _put(render(_checks(context)), output)

    @group.command("grafana", help="A dashboard for Grafana.")
    @guarded
    def grafana(context: typer.Context, output: Output = None) -> None:
        from blueplane_doctor.export.grafana import render

        _put(render(_checks(context)), output)


def _checks(context: typer.Context) -> "list[CheckSpec]":
    """The selected checks, with the settings' numbers."""
    from blueplane_doctor.discovery import find_checks
    from blueplane_doctor.selection import selected

    settings = invocation(context).load().settings
    return selected(find_checks(settings.check_folders).checks, settings)


def _put(text: str, output: Path | None) -> None:
    if output:
        write_file(output, text)
    else:
        show(text)
