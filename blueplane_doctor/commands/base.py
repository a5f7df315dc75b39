"""What commands share: how they are declared, their settings and output, and errors turned into exit codes."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from blueplane_doctor.errors import DoctorError, ExitCode, UsageError

if TYPE_CHECKING:
    from blueplane_doctor.reports.base import Format, View
    from blueplane_doctor.settings import Loaded

Parameters = ParamSpec("Parameters")
Json = Annotated[bool, typer.Option("--json", help="Show JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the exact changes, and make none.")]

commands = typer.Typer(rich_markup_mode=None, add_completion=False)
"""Every command, once its file is imported."""
_QUIET_SECONDS = 1.0
"""A run shorter than this shows no progress."""


@dataclass(frozen=True)
class Invocation:
    """The options that stand before a subcommand."""

    flags: dict[str, Any] = field(default_factory=dict)
    settings_file: Path | None = None
    verbose: bool = False
    quiet: bool = False

    @property
    def home(self) -> Path:
        """Blueplane's home by flags and environment, for who can do without all settings."""
        return Path(self.flags.get("home") or os.environ.get("BLUEPLANE_DOCTOR_HOME") or "~/.blueplane").expanduser()

    def load(self) -> "Loaded":
        """The settings in force. Raises SettingsError."""
        from blueplane_doctor.settings import load

        return load(self.flags, file=self.settings_file)


def invocation(context: typer.Context) -> Invocation:
    """The options that stood before this subcommand."""
    return context.find_object(Invocation) or Invocation()


def command(
    name: str, help_text: str, group: typer.Typer = commands, **more: Any
) -> Callable[[Callable[Parameters, int | None]], Callable[Parameters, None]]:
    """Declare a command: a function that returns its exit code, or None for 0."""
    return lambda function: group.command(name, help=help_text, **more)(guarded(function))


def guarded(function: Callable[Parameters, int | None]) -> Callable[Parameters, None]:
    """Make a command end with its exit code, and say errors in one sentence on stderr."""

    @wraps(function)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            code = function(*args, **kwargs) or ExitCode.OK
        except DoctorError as error:
            complain(error.message, error.hint)
            code = error.exit_code
        except KeyboardInterrupt:
            complain("interrupted")
            code = ExitCode.INTERRUPTED
        except BrokenPipeError:
            # The reader went away (`| head`); Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = ExitCode.OK
        except Exception as error:  # a defect of the doctor; its text could quote what was examined
            import traceback

            complain(f"internal error: {type(error).__name__}. This is a defect of the doctor; please report:")
            for frame in traceback.extract_tb(error.__traceback__)[-6:]:
                say(f"  {Path(frame.filename).name} line {frame.lineno} in {frame.name}")
            code = ExitCode.INTERNAL
        raise typer.Exit(int(code))

    return run


def say(text: str) -> None:
    """A line on stderr: progress, warnings, errors. stdout is the document's alone."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text + "\n")


def complain(text: str, hint: str = "") -> None:
    """A warning or an error on stderr, and what to try."""
    say(f"blueplane-doctor: {text}")
    if hint:
        say(f"  try: {hint}")


def show(text: str) -> None:
    """The document, on stdout."""
    sys.stdout.write(text)
    sys.stdout.flush()


def show_json(value: Any) -> None:
    """A document in JSON, on stdout."""
    import json

    show(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def show_table(rows: list[list[Any]], headers: list[str]) -> None:
    """A table, on stdout."""
    from tabulate import tabulate

    show(tabulate(rows, headers, "simple", disable_numparse=True) + "\n")


def put(text: str, output: Path | None) -> None:
    """The document, into a file where one is named."""
    if output:
        write_file(output, text)
    else:
        show(text)


def view_of(given: Invocation) -> "View":
    """How stdout wants to be written to: colour only for a person (https://no-color.org)."""
    from blueplane_doctor.reports.base import View

    terminal = sys.stdout.isatty()
    return View(
        verbose=given.verbose,
        quiet=given.quiet,
        color=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        width=min(get_terminal_size((100, 24)).columns, 160) if terminal else 100,
    )


def format_named(name: str) -> "Format":
    """The format of that name, loaded alone. Raises UsageError."""
    from blueplane_doctor.discovery import find_format, find_formats

    if found := find_format(name):
        return found
    raise UsageError(f"--format {name}: there is no such format", f"one of {', '.join(sorted(find_formats()))}")


def format_for(path: Path) -> "Format":
    """The format that has the suffix of this file. Raises UsageError."""
    from blueplane_doctor.discovery import find_formats

    by_suffix = {suffix: form for form in find_formats().values() for suffix in form.suffixes}
    if path.suffix.lower() not in by_suffix:
        raise UsageError(f"--output {path}: no format has this suffix", f"one of {', '.join(sorted(by_suffix))}")
    return by_suffix[path.suffix.lower()]


def step_aside() -> None:
    """Let the pipeline come first on a machine that has too little for both."""
    with contextlib.suppress(OSError, AttributeError):  # AttributeError: there is no nice on Windows
        os.nice(15)


@contextlib.contextmanager
def progress() -> "Iterator[Callable[[int, int], None] | None]":
    """Tells a person at a terminal how far a long examination is; gives None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    began = last = time.monotonic()

    def tell(done: int, everything: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - began > _QUIET_SECONDS and now - last > _QUIET_SECONDS / 4:
            last = now
            sys.stderr.write(f"\r\x1b[K{done:,} of {max(done, everything):,} messages read …")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if last > began:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def write_file(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write whole or not at all: a half-written report must not look like one. Raises UsageError.

    A private file can be read by its owner alone; others by whom the umask lets.
    """
    os.umask(umask := os.umask(0o022))
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
            os.chmod(temporary, 0o600 if private else 0o644 & ~umask)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
