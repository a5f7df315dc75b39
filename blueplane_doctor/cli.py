"""The command line: parse, call one function, print, exit."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from blueplane_doctor import __version__
from blueplane_doctor.commands import __path__ as commands_path
from blueplane_doctor.commands.base import (
    Invocation,
    chosen_formats,
    guarded,
    show,
    view_of,
    write_file,
)
from blueplane_doctor.commands.examine import Run, examined
from blueplane_doctor.errors import DoctorError

FILE_WIDTH = 100
"""Columns of a report in a file: as when stdout is no terminal."""


class _Commands(TyperGroup):
    """The commands of commands/, loaded when one is named or all are listed: a plain examination needs none."""

    _loaded = False

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # typer's own context
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        loaded = typer.Typer(rich_markup_mode=None, add_completion=False)
        for info in sorted(iter_modules(commands_path), key=lambda i: i.name):
            module = import_module(f"blueplane_doctor.commands.{info.name}")
            if hasattr(module, "register"):
                module.register(loaded)
        self.commands.update(typer.main.get_group(loaded).commands)


app = typer.Typer(
    name="blueplane-doctor",
    cls=_Commands,
    help="Tell the truth about a Blueplane telemetry pipeline. Without a command: examine it and report.",
    rich_markup_mode=None,  # rich help costs 80 ms at every start
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        show(f"blueplane-doctor {__version__}\n")
        raise typer.Exit


def _variable(name: str) -> str:
    return f"[env: BLUEPLANE_DOCTOR_{name}]"


@app.callback(invoke_without_command=True)
def examine(
    context: typer.Context,
    redis_url: Annotated[
        str | None, typer.Option(help=f"The Redis to examine. {_variable('REDIS_URL')}", metavar="URL")
    ] = None,
    history_url: Annotated[
        str | None,
        typer.Option(
            help=f"The Redis that holds the history, default: the examined one. {_variable('HISTORY_URL')}",
            metavar="URL",
        ),
    ] = None,
    database: Annotated[
        Path | None, typer.Option(help=f"The telemetry database. {_variable('DATABASE')}", metavar="FILE")
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(help=f"Blueplane's home, default ~/.blueplane. {_variable('HOME')}", metavar="DIR"),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            help="The doctor's settings, default doctor.yaml in the home.",
            metavar="FILE",
            envvar="BLUEPLANE_DOCTOR_SETTINGS",
        ),
    ] = None,
    checks: Annotated[
        list[Path] | None,
        typer.Option(help=f"Your own checks: a folder or file; repeatable. {_variable('CHECKS')}", metavar="DIR"),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(help=f"Run only these: ids, areas, globs; repeatable. {_variable('SELECT')}", metavar="WORDS"),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help=f"Leave these out: ids, areas, globs; repeatable. {_variable('IGNORE')}", metavar="WORDS"),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            help=f"Exit with 1 from here on: yellow, orange (default), red, new:COLOUR. {_variable('FAIL_ON')}",
            metavar="COLOUR",
        ),
    ] = None,
    strict: Annotated[
        bool | None,
        typer.Option("--strict/--no-strict", help=f"Exit with 3 for unknown and skipped too. {_variable('STRICT')}"),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(help=f"Seconds for the whole run, default 30. {_variable('TIMEOUT')}", metavar="SECONDS"),
    ] = None,
    format_name: Annotated[
        str,
        typer.Option("--format", "-f", help="Format on stdout.", metavar="NAME", envvar="BLUEPLANE_DOCTOR_FORMAT"),
    ] = "table",
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the report to a file as well, in the format of its suffix; repeatable.",
            metavar="FILE",
            envvar="BLUEPLANE_DOCTOR_OUTPUT",
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            help="Mark what is new, worse, same, better or fixed beside this report.",
            metavar="REPORT.json",
            envvar="BLUEPLANE_DOCTOR_BASELINE",
        ),
    ] = None,
    waivers: Annotated[
        Path | None,
        typer.Option(
            help="Waivers kept beside the code: a YAML list.", metavar="FILE", envvar="BLUEPLANE_DOCTOR_WAIVERS"
        ),
    ] = None,
    wait: Annotated[
        str | None,
        typer.Option(
            help="Examine again until the run would not fail, at most so long: 60s, 5m.",
            metavar="TIME",
            envvar="BLUEPLANE_DOCTOR_WAIT",
        ),
    ] = None,
    every: Annotated[
        str,
        typer.Option(help="Time between two looks of --wait.", metavar="TIME", envvar="BLUEPLANE_DOCTOR_EVERY"),
    ] = "2s",
    save_evidence: Annotated[
        Path | None,
        typer.Option(
            help="Keep what was read (no payloads), to be judged again.",
            metavar="FILE",
            envvar="BLUEPLANE_DOCTOR_SAVE_EVIDENCE",
        ),
    ] = None,
    from_evidence: Annotated[
        Path | None,
        typer.Option(
            help="Judge what --save-evidence kept; nothing is read but this file.",
            metavar="FILE",
            envvar="BLUEPLANE_DOCTOR_FROM_EVIDENCE",
        ),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show green findings too.", envvar="BLUEPLANE_DOCTOR_VERBOSE"),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show the verdict alone.", envvar="BLUEPLANE_DOCTOR_QUIET")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Tell the truth about a Blueplane telemetry pipeline. Without a command: examine it and report."""
    flags = {
        "redis_url": redis_url,
        "history_url": history_url,
        "database": database,
        "home": home,
        "checks": checks or None,
        "select": _words(select),
        "ignore": _words(ignore),
        "fail_on": fail_on,
        "strict": strict,
        "timeout": timeout,
    }
    given = Invocation({n: v for n, v in flags.items() if v is not None}, settings, verbose, quiet)
    context.obj = given
    if context.invoked_subcommand is None:
        run = Run(output or [], baseline, waivers, wait, every, save_evidence, from_evidence)
        _examine(given, format_name, run)


@guarded
def _examine(given: Invocation, format_name: str, run: "Run") -> int:
    """With a format that has exit codes of its own, as nagios, errors come in its form too."""
    form, files = chosen_formats(format_name, run.outputs)
    try:
        report = examined(given, run)
    except DoctorError as error:
        if form.error is None:
            raise
        text, code = form.error(error.message)
        show(text)
        return code
    file_view = replace(view_of(given), color=False, width=FILE_WIDTH)
    for path, file_form in files:
        write_file(path, file_form.render(report, file_view))
    show(form.render(report, view_of(given)))
    return form.exit_code(report) if form.exit_code else report.exit_code


def _words(given: list[str] | None) -> list[str] | None:
    return [word for text in given for word in text.replace(",", " ").split()] if given else None
