"""`instrument`: start a Blueplane server so that its writes, hooks and monitors are measured."""

import os
import sys
from typing import Annotated

import typer

from blueplane_doctor.commands.base import command, invocation


@command(
    "instrument",
    "Run a command and measure its writes, hooks and monitors: blueplane-doctor instrument -- python …",
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
)
def instrument(
    context: typer.Context,
    arguments: Annotated[list[str], typer.Argument(help="The command and its arguments.", metavar="COMMAND…")],
) -> int:
    """Never returns but by raising: the command takes this process over."""
    from blueplane_doctor.pipeline import TARGETS
    from blueplane_doctor.recording.launching import check_url, environment_for, launch

    settings = invocation(context).load().settings
    check_url(settings.redis_url)
    environment = environment_for(settings.redis_url, [*TARGETS, *settings.instrument_targets], os.environ)
    sys.stdout.flush()
    launch(arguments, environment)
