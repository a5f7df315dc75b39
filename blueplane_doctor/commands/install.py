"""`install`: named steps towards a watched pipeline, each shown before it is done; see `uninstall` for the way back."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import DryRun, Invocation, Yes, command, invocation, say, show, view_of
from blueplane_doctor.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from blueplane_doctor.installing.plan import Step, Talk
    from blueplane_doctor.model import Report

STEPS = ("dependencies", "redis", "database", "hooks", "services", "verify")


@command("install", "Install hooks, services and what is missing of Redis and database, step by step.")
def install(
    context: typer.Context,
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
    from blueplane_doctor.installing import plan

    refuse_windows()
    given = invocation(context)
    settings = plan.with_absolute_paths(given.load().settings)
    site = plan.Site(settings, core=core and core.absolute(), claude=claude, enable=enable)
    done = plan.install(chosen_steps(only, given), site, talk(dry_run, yes))
    return ExitCode.OK if done else ExitCode.FINDINGS


def refuse_windows() -> None:
    """Raise UsageError where files have neither owners nor modes to be kept, and the hook cannot read its input."""
    if os.name == "nt":
        raise UsageError("install and uninstall work on Linux and macOS, not on Windows", "see docs/INSTALLATION.md")


def chosen_steps(only: Sequence[str] | None, given: Invocation) -> "list[Step]":
    """The steps of that name, in their own order; all when none is named. Raises UsageError."""
    from blueplane_doctor.installing.database_step import DatabaseStep
    from blueplane_doctor.installing.dependencies import DependenciesStep, VerifyStep
    from blueplane_doctor.installing.hooks_step import HooksStep
    from blueplane_doctor.installing.redis_step import RedisStep
    from blueplane_doctor.installing.services_step import ServicesStep

    def tell(report: "Report") -> None:
        from blueplane_doctor.reports import table

        show(table.render(report, replace(view_of(given), color=False)))

    if strange := sorted(set(only or ()) - set(STEPS)):
        raise UsageError(f"--only {strange[0]}: there is no such step", f"one of {', '.join(STEPS)}")
    steps: list[Step] = [
        DependenciesStep(), RedisStep(), DatabaseStep(), HooksStep(), ServicesStep(), VerifyStep(tell)
    ]  # fmt: skip
    return [step for step in steps if not only or step.name in only]


def talk(dry_run: bool, yes: bool) -> "Talk":
    """Speak on stdout, which is the document here; ask on stderr."""
    from blueplane_doctor.installing.plan import Talk

    return Talk(say=lambda text: show(text + "\n"), agree=lambda question: yes or asked(question), dry_run=dry_run)


def asked(question: str) -> bool:
    """A person's answer; without a person, nothing is agreed to. Raises UsageError then."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            "nobody can be asked here, so nothing is changed", "add --yes, or --dry-run to see the changes"
        )
    say(question + " [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def main() -> None:
    """`blueplane install`."""
    from blueplane_doctor.cli import app

    app(["install", *sys.argv[1:]], prog_name="blueplane-doctor")
