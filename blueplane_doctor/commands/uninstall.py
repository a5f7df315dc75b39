"""Undo what install did; what others changed or use since stays."""

from typing import Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import DryRun, Yes, command, new_command
from blueplane_doctor.commands.install import STEPS, chosen_steps, refuse_windows, talk
from blueplane_doctor.errors import ExitCode
from blueplane_doctor.installing import plan
from blueplane_doctor.settings.options import PIPELINE

COMMAND = new_command(__doc__)


@command(COMMAND, *PIPELINE)
def uninstall(
    given: Invocation,
    dry_run: DryRun = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help=f"Undo this step alone; repeatable: {', '.join(STEPS)}.", metavar="STEP"),
    ] = None,
    yes: Yes = False,
) -> int:
    """Follows install's own journal, last step first. Exit code 1 when a step could not be undone."""
    refuse_windows()
    site = plan.Site(plan.with_absolute_paths(given.load().settings))
    done = plan.uninstall(chosen_steps(only, given), site, talk(dry_run, yes))
    return ExitCode.OK if done else ExitCode.FINDINGS
