"""Install hooks, services and what is missing of Redis and database, step by step."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.command_line.report_output import view_of
from blueplane_doctor.commands.base import DryRun, Yes, command, new_command
from blueplane_doctor.errors import ExitCode, UsageError
from blueplane_doctor.installing import plan
from blueplane_doctor.installing.database_step import DatabaseStep
from blueplane_doctor.installing.dependencies import DependenciesStep, VerifyStep
from blueplane_doctor.installing.hooks_step import HooksStep
from blueplane_doctor.installing.notify_step import NotifyStep
from blueplane_doctor.installing.redis_step import RedisStep
from blueplane_doctor.installing.services_step import ServicesStep
from blueplane_doctor.model import Report
from blueplane_doctor.reports import table
from blueplane_doctor.settings.options import EXAMINING
from blueplane_doctor.text.characters import lines
from blueplane_doctor.text.console import confirmed, show

COMMAND = new_command(__doc__)
STEPS = ("dependencies", "redis", "database", "hooks", "notify", "services", "verify")


@command(COMMAND, *EXAMINING, "verbose", "quiet", "notify")
def install(
    given: Invocation,
    dry_run: DryRun = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help=f"Do this step alone; repeatable: {', '.join(STEPS)}.", metavar="STEP"),
    ] = None,
    yes: Yes = False,
    core: Annotated[
        Path | None,
        typer.Option("--core", help="A checkout of the pipeline: its script makes the database.", metavar="DIR"),
    ] = None,
    claude: Annotated[bool, typer.Option("--claude", help="Install Claude Code's hooks too.")] = False,
    enable: Annotated[bool, typer.Option("--enable", help="Enable and start the services.")] = False,
) -> int:
    """Exit code 1 when a step was not done. `uninstall` undoes all of it."""
    refuse_windows()
    settings = plan.with_absolute_paths(given.load().settings)
    site = plan.Site(
        settings,
        core=core and core.absolute(),
        claude=claude,
        enable=enable,
        notify=given.options.notify or (),
    )
    done = plan.install(chosen_steps(only, given), site, talk(dry_run, yes))
    return ExitCode.OK if done else ExitCode.FINDINGS


def refuse_windows() -> None:
    """Raise UsageError where files have neither owners nor modes to be kept, and the hook cannot read its input."""
    if os.name == "nt":
        raise UsageError("install and uninstall work on Linux and macOS, not on Windows", "see docs/INSTALLATION.md")


def chosen_steps(only: Sequence[str] | None, given: Invocation) -> list[plan.Step]:
    """The steps of that name, in their own order; all when none is named. Raises UsageError."""

    def show_report(report: Report) -> None:
        show(table.render(report, view_of(given.options)._replace(color=False)))

    unknown = sorted(set(only or ()) - set(STEPS))
    if unknown:
        raise UsageError(f"--only {unknown[0]}: there is no such step", f"one of {', '.join(STEPS)}")
    steps: list[plan.Step] = [
        DependenciesStep(),
        RedisStep(),
        DatabaseStep(),
        HooksStep(),
        NotifyStep(),
        ServicesStep(),
        VerifyStep(show_report),
    ]
    return [step for step in steps if not only or step.name in only]


def talk(dry_run: bool, yes: bool) -> plan.Talk:
    """Speak on stdout, which is the document here; ask on stderr."""
    return plan.Talk(
        say=lambda text: show(lines(text) + "\n"),  # what is shown may come from a file of others
        agree=lambda question: yes or confirmed(question),
        dry_run=dry_run,
        to_person=sys.stdout.isatty(),
    )
