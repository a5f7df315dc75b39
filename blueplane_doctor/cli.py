"""The command line: its commands, which are loaded when they are named, and without one the main job."""

import sys
from collections.abc import Sequence
from inspect import Parameter
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from blueplane_doctor import __version__
from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands import command_names, load_command, summary_of
from blueplane_doctor.commands.base import (
    HELP_SETTINGS,
    Given,
    guarded,
    parameters,
    split_off,
    with_parameters,
)
from blueplane_doctor.errors import ExitCode, UsageError, did_you_mean
from blueplane_doctor.process.interruption import end_at_once
from blueplane_doctor.settings.options import OPTIONS, Options
from blueplane_doctor.text.console import complain, give_up_full_stderr, give_up_stdout, show

_EXAMINE = "without a command the pipeline is examined"
_INSTEAD = {
    **dict.fromkeys(("diagnose", "doctor", "examine", "health", "report", "run", "status", "test"), _EXAMINE),
    **dict.fromkeys(("fix", "heal"), "see blueplane-doctor repair --help"),
    "explain": "blueplane-doctor checks ID explains a check",
    "help": "see --help",
    "version": "see --version",
}
"""Commands of other tools that people type, and what does it here."""


class _Commands(TyperGroup):
    """The commands of commands/. Only the named one is imported, for it takes longer than everything else here."""

    def list_commands(self, ctx: Any) -> list[str]:
        return command_names()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return load_command(cmd_name) if cmd_name in command_names() else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        names = command_names()
        if args[0] not in names and not args[0].startswith("-"):
            instead = _INSTEAD.get(args[0]) or did_you_mean(args[0], names, "see --help")
            ctx.fail(f"there is no command {args[0]!r}; {instead}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        rows = [(name, summary_of(name)) for name in command_names()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


app = typer.Typer(
    name="blueplane-doctor",
    cls=_Commands,
    help=(
        "Tell the truth about a Blueplane telemetry pipeline. Without a command: examine it and report. "
        "Options may stand before a command and after it; the later one counts, and lists add up."
    ),
    rich_markup_mode=None,  # rich help costs 80 ms at every start
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings=HELP_SETTINGS,
)


def _version(wanted: bool) -> None:
    if wanted:
        show(f"blueplane-doctor {__version__}\n")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
]


def _root(context: typer.Context, version: bool, **values: Any) -> None:
    """Without a command, the main job; before one, the options that it is given."""
    given = split_off(context, OPTIONS, values)
    context.obj = given
    if context.invoked_subcommand is None:
        try:
            _examine(given)
        except typer.Exit as end:
            end_at_once(end.exit_code)
            raise


@guarded
def _examine(given: Given) -> int:
    from blueplane_doctor.main_job import run  # a command, --help and --version do without it

    return run(Invocation(Options(**{**given.environment.given(), **given.typed.given()})))


def _declare_root() -> None:
    version = Parameter("version", Parameter.KEYWORD_ONLY, default=False, annotation=Version)
    helps = {name: option.help for name, option in OPTIONS.items()}
    with_parameters(_root, [*parameters(helps), version])
    app.callback(invoke_without_command=True)(_root)


_declare_root()


def run_program(arguments: Sequence[str] | None = None) -> None:
    """The program with these arguments; by default those that it was started with."""
    try:
        app(arguments, prog_name="blueplane-doctor")
    except UsageError as error:  # of --version
        complain(error.message, error.hint)
        sys.exit(error.exit_code)
    except OSError as error:  # help, or what is wrong with the command line, cannot be written
        give_up_stdout()
        complain(f"the output cannot be written: {error.strerror or error}")
        sys.exit(ExitCode.USAGE)
    finally:
        give_up_full_stderr()
