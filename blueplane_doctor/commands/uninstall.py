"""`uninstall`: undoes what `install` wrote into its journal, last step first, and nothing else."""

import sys
from typing import Annotated

import typer

from blueplane_doctor.commands.base import DryRun, Yes, command, invocation
from blueplane_doctor.commands.install import STEPS, chosen_steps, refuse_windows, talk
from blueplane_doctor.errors import ExitCode


@command("uninstall", "Undo what install did; what others changed or use since stays.")
def uninstall(
    context: typer.Context,
    dry_run: DryRun = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help=f"Undo this step alone; repeatable: {', '.join(STEPS)}.", metavar="STEP"),
    ] = None,
    yes: Yes = False,
) -> int:
    from blueplane_doctor.installing import plan

    refuse_windows()
    given = invocation(context)
    site = plan.Site(plan.with_absolute_paths(given.load().settings))
    done = plan.uninstall(chosen_steps(only, given), site, talk(dry_run, yes))
    return ExitCode.OK if done else ExitCode.FINDINGS


def main() -> None:
    """`blueplane uninstall`."""
    from blueplane_doctor.cli import app

    app(["uninstall", *sys.argv[1:]], prog_name="blueplane-doctor")
