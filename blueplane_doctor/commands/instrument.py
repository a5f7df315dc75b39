"""Run a command and measure its writes, hooks and monitors: blueplane-doctor instrument -- python …"""

import os
import sys
from typing import Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.recording.launching import check_url, environment_for, launch

COMMAND = new_command(__doc__)


@command(
    COMMAND,
    "redis_url",
    "home",
    "settings",
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
)
def instrument(
    given: Invocation,
    arguments: Annotated[list[str], typer.Argument(help="The command and its arguments.", metavar="COMMAND")],
) -> int:
    """Never returns but by raising: the command takes this process over."""
    settings = given.load().settings
    check_url(settings.redis_url)
    targets = settings.measured_targets
    environment = environment_for(settings.redis_url, targets, os.environ, settings.home)
    sys.stdout.flush()
    launch(arguments, environment)
