"""`python -m blueplane_doctor`, the `blueplane-doctor` command, and the commands of `blueplane`."""

import gc
import io
import os
import sys
from collections.abc import Sequence

from blueplane_doctor import plain_run
from blueplane_doctor.process import hidden_arguments, light_imports
from blueplane_doctor.text.characters import PlainStream


def guard_the_streams() -> None:
    """Let stdout and stderr replace what their encoding cannot hold, and stderr hold no commands.

    Output in cp1252 must not end in an error, and neither a terminal nor a CI runner obey a name that is quoted.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed: who does that wants the exit code alone
            # The file takes the descriptor that was closed, which no database and no socket gets then.
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  open as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None without a console, another class under a test
            stream.reconfigure(errors="replace")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = PlainStream(sys.stderr)


def start_light() -> None:
    """Leave out what a start does not need."""
    # A short life with many imports: looking for garbage among the 90,000 objects of a run is for nothing.
    gc.set_threshold(100_000, 20, 50)
    light_imports.leave_out_plugins()


def main() -> None:
    """Tell the truth about a Blueplane telemetry pipeline."""
    hidden_arguments.take_or_hide()
    start_light()
    guard_the_streams()
    options = plain_run.plain_options(sys.argv[1:])
    try:
        if options is not None:
            plain_run.run_plain(options)
        _run_with_typer(sys.argv[1:])
    finally:
        gc.freeze()  # else the interpreter looks for garbage once more before it ends


def install() -> None:
    """Install hooks, services and what is missing of Redis and database, step by step."""
    _run_command("install")


def uninstall() -> None:
    """Undo what install did; what others changed or use since stays."""
    _run_command("uninstall")


def _run_command(name: str) -> None:
    """Run one command with the arguments of this process, as `blueplane NAME …` does."""
    hidden_arguments.take_or_hide()
    guard_the_streams()
    _run_with_typer([name, *sys.argv[1:]])


def _run_with_typer(arguments: Sequence[str]) -> None:
    from blueplane_doctor.cli import run_program  # with typer, which a plain run does without

    run_program(arguments)


if __name__ == "__main__":
    main()
