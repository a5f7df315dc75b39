"""The command line, and its main job: examine, or judge what was kept; once, or until all is well; print, exit."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from blueplane_doctor import __version__
from blueplane_doctor.commands import __path__ as commands_path
from blueplane_doctor.commands.base import (
    Invocation,
    commands,
    complain,
    format_for,
    format_named,
    guarded,
    progress,
    show,
    step_aside,
    view_of,
    write_file,
)
from blueplane_doctor.errors import DoctorError, UsageError
from blueplane_doctor.times import seconds_in

if TYPE_CHECKING:
    from blueplane_doctor.model import Report

_FILE_WIDTH = 100
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
        if not self._loaded:
            self._loaded = True
            for name in sorted(info.name for info in iter_modules(commands_path)):
                import_module(f"blueplane_doctor.commands.{name}")
            self.commands.update(typer.main.get_group(commands).commands)


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


def _setting(name: str, help_text: str, metavar: str | None = None, *flags: str) -> Any:
    """An option for a setting, whose variable is read with the settings."""
    return typer.Option(*flags, help=f"{help_text} [env: BLUEPLANE_DOCTOR_{name}]", metavar=metavar)


def _own(name: str, help_text: str, metavar: str | None = None, *flags: str) -> Any:
    """An option of the command line alone, which reads its variable here."""
    return typer.Option(*flags, help=help_text, metavar=metavar, envvar=f"BLUEPLANE_DOCTOR_{name}")


@app.callback(invoke_without_command=True)
def examine(
    context: typer.Context,
    redis_url: Annotated[str | None, _setting("REDIS_URL", "The Redis to examine.", "URL")] = None,
    history_url: Annotated[
        str | None,
        _setting("HISTORY_URL", "The Redis that holds the history, default: the examined one.", "URL"),
    ] = None,
    database: Annotated[Path | None, _setting("DATABASE", "The telemetry database.", "FILE")] = None,
    home: Annotated[Path | None, _setting("HOME", "Blueplane's home, default ~/.blueplane.", "DIR")] = None,
    settings: Annotated[
        Path | None, _own("SETTINGS", "The doctor's settings, default doctor.yaml in the home.", "FILE")
    ] = None,
    checks: Annotated[
        list[Path] | None, _setting("CHECKS", "Your own checks: a folder or file; repeatable.", "DIR")
    ] = None,
    monitors: Annotated[
        list[Path] | None, _setting("MONITORS", "Your own monitors: a folder or file; repeatable.", "DIR")
    ] = None,
    select: Annotated[
        list[str] | None, _setting("SELECT", "Run only these: ids, areas, globs; repeatable.", "WORDS")
    ] = None,
    ignore: Annotated[
        list[str] | None, _setting("IGNORE", "Leave these out: ids, areas, globs; repeatable.", "WORDS")
    ] = None,
    fail_on: Annotated[
        str | None,
        _setting("FAIL_ON", "Exit with 1 from here on: yellow, orange (default), red, new:COLOUR.", "COLOUR"),
    ] = None,
    strict: Annotated[
        bool | None, _setting("STRICT", "Exit with 3 for unknown and skipped too.", None, "--strict/--no-strict")
    ] = None,
    timeout: Annotated[float | None, _setting("TIMEOUT", "Seconds for the whole run, default 30.", "SECONDS")] = None,
    format_name: Annotated[str, _own("FORMAT", "Format on stdout.", "NAME", "--format", "-f")] = "table",
    output: Annotated[
        list[Path] | None,
        _own(
            "OUTPUT",
            "Write the report to a file as well, in the format of its suffix; repeatable.",
            "FILE",
            "--output",
            "-o",
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        _own("BASELINE", "Mark what is new, worse, same, better or fixed beside this report.", "REPORT.json"),
    ] = None,
    waivers: Annotated[Path | None, _own("WAIVERS", "Waivers kept beside the code: a YAML list.", "FILE")] = None,
    wait: Annotated[
        str | None, _own("WAIT", "Examine again until the run would not fail, at most so long: 60s, 5m.", "TIME")
    ] = None,
    every: Annotated[str, _own("EVERY", "Time between two looks of --wait.", "TIME")] = "2s",
    save_evidence: Annotated[
        Path | None, _own("SAVE_EVIDENCE", "Keep what was read (no payloads), to be judged again.", "FILE")
    ] = None,
    from_evidence: Annotated[
        Path | None,
        _own("FROM_EVIDENCE", "Judge what --save-evidence kept; nothing is read but this file.", "FILE"),
    ] = None,
    verbose: Annotated[bool, _own("VERBOSE", "Show green findings too.", None, "--verbose", "-v")] = False,
    quiet: Annotated[bool, _own("QUIET", "Show the verdict alone.", None, "--quiet", "-q")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Without a subcommand, the main job; before one, the options that it goes by."""
    flags = {
        "redis_url": redis_url,
        "history_url": history_url,
        "database": database,
        "home": home,
        "checks": checks or None,
        "monitors": monitors or None,
        "select": select and ",".join(select),
        "ignore": ignore and ",".join(ignore),
        "fail_on": fail_on,
        "strict": strict,
        "timeout": timeout,
    }
    given = {name: value for name, value in flags.items() if value is not None}
    context.obj = Invocation(given, settings, verbose, quiet)
    if context.invoked_subcommand is None:
        look = partial(_examined, context.obj, baseline, waivers, wait, every, save_evidence, from_evidence)
        _examine(context.obj, format_name, output or [], look)


@guarded
def _examine(given: Invocation, format_name: str, outputs: list[Path], look: "Callable[[], Report]") -> int:
    """With a format that has exit codes of its own, as nagios, errors come in its form too."""
    form = format_named(format_name)
    files = [(path, format_for(path)) for path in outputs]
    for path in outputs:
        if not path.parent.is_dir() or path.is_dir():
            raise UsageError(f"--output {path}: there is no folder for it, or it is one itself", "name another file")
    try:
        report = look()
    except DoctorError as error:
        if form.error is None:
            raise
        text, code = form.error(error.message)
        show(text)
        return code
    view = view_of(given)
    for path, file_form in files:
        write_file(path, file_form.render(report, replace(view, color=False, width=_FILE_WIDTH)))
    show(form.render(report, view))
    return form.exit_code(report) if form.exit_code else report.exit_code


def _examined(
    given: Invocation,
    baseline: Path | None,
    waivers: Path | None,
    wait: str | None,
    every: str,
    save_evidence: Path | None,
    from_evidence: Path | None,
) -> "Report":
    """The report; with --wait the first that is good enough, or the last."""
    step_aside()
    if from_evidence and (wait or save_evidence):
        raise UsageError("--from-evidence reads one file; it goes with neither --wait nor --save-evidence")
    limit = seconds_in(wait, "--wait") if wait else 0.0
    pause = seconds_in(every, "--every")
    settings = given.load().settings
    from blueplane_doctor.diagnose import Doctor
    from blueplane_doctor.discovery import meaningless
    from blueplane_doctor.evidence import read_evidence, to_json

    if waivers:
        from blueplane_doctor.waivers import read_waivers

        settings = settings.model_copy(update={"waivers": [*settings.waivers, *read_waivers(waivers)]})
    earlier = None
    if baseline:
        from blueplane_doctor.reports.json import read_report

        earlier = read_report(baseline)
    elif settings.fail_on_new:
        raise UsageError("--fail-on new:… needs a report to compare with", "name it with --baseline REPORT.json")
    doctor = Doctor(settings, earlier)
    for word in meaningless(settings, doctor.found.checks):
        complain(f"warning: {word} in --select or --ignore means no check")
    end = time.monotonic() + limit
    while True:
        if from_evidence:
            evidence = read_evidence(from_evidence, settings.monitor_folders)
        else:
            with progress() as tell:
                evidence = doctor.collect(tell)
        report = doctor.judge(evidence)
        if report.exit_code == 0 or time.monotonic() + pause > end:
            break
        time.sleep(pause)
    if save_evidence:
        write_file(save_evidence, to_json(evidence))
    return report
