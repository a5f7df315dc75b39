"""`export`: what Prometheus and Grafana need to watch what `serve` gives."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import command, commands, invocation, put

if TYPE_CHECKING:
    from blueplane_doctor.checkapi import CheckSpec

Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file instead.", metavar="FILE")]
group = typer.Typer(
    help="Make alerting rules and dashboards from the scales in force.",
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands.add_typer(group, name="export")


@command("prometheus-rules", "Alerting rules for Prometheus.", group)
def prometheus_rules(context: typer.Context, output: Output = None) -> None:
    from blueplane_doctor.export.prometheus_rules import render

    put(render(_checks(context)), output)


@command("grafana", "A dashboard for Grafana.", group)
def grafana(context: typer.Context, output: Output = None) -> None:
    from blueplane_doctor.export.grafana import render

    put(render(_checks(context)), output)


def _checks(context: typer.Context) -> "list[CheckSpec]":
    from blueplane_doctor.diagnose import Doctor

    return Doctor(invocation(context).load().settings).checks
