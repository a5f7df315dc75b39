"""`instrument`: start a Blueplane server so that its writes, hooks and monitors are measured."""

import os
import sys
from typing import Annotated

import typer

from blueplane_doctor.commands.base import guarded, invocation


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "instrument",
        help="Run a command and measure its writes, hooks and monitors: blueplane-doctor instrument -- python …",
        context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
    )
    @guarded
    def instrument(
        context: typer.Context,
        command: Annotated[list[str], typer.Argument(help="The command and its arguments.", metavar="COMMAND…")],
    ) -> int:
        return _become(context, command)


def _become(context: typer.Context, command: list[str]) -> int:
    """Never returns but by raising: the command takes this process over."""
    from blueplane_doctor.recording.launching import check_url, environment_for, launch
    from blueplane_doctor.recording.targets import TARGETS

    settings = invocation(context).load().settings
    targets = [*TARGETS, *settings.instrument_targets]
    check_url(settings.redis_url)
    environment = environment_for(settings.redis_url, targets, os.environ)
    sys.stdout.flush()
    launch(command, environment)
