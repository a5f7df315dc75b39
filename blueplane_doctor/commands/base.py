"""What commands share: the settings of the command line, output, and errors turned into exit codes."""

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
from typing import TYPE_CHECKING, Any, BinaryIO, ParamSpec

import typer

from blueplane_doctor.errors import DoctorError, ExitCode, UsageError

if TYPE_CHECKING:
    from blueplane_doctor.reports.base import Format, View
    from blueplane_doctor.settings import Loaded

Parameters = ParamSpec("Parameters")
_QUIET_SECONDS = 1.0
"""A run shorter than this shows no progress."""


@dataclass(frozen=True)
class Invocation:
    """The options that stand before a subcommand."""

    flags: dict[str, Any] = field(default_factory=dict)
    settings_file: Path | None = None
    verbose: bool = False
    quiet: bool = False

    def load(self) -> "Loaded":
        """The settings in force. Raises SettingsError."""
        from blueplane_doctor.settings import load

        return load(self.flags, file=self.settings_file)


def invocation(context: typer.Context) -> Invocation:
    """The options that stood before this subcommand."""
    found = context.find_object(Invocation)
    return found or Invocation()


def guarded(command: Callable[Parameters, int | None]) -> Callable[Parameters, None]:
    """Make a command end with its exit code, and say errors in one sentence on stderr."""

    @wraps(command)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            code = command(*args, **kwargs) or ExitCode.OK
        except DoctorError as error:
            say(f"blueplane-doctor: {error.message}")
            if error.hint:
                say(f"  try: {error.hint}")
            code = error.exit_code
        except KeyboardInterrupt:
            say("blueplane-doctor: interrupted")
            code = ExitCode.INTERRUPTED
        except BrokenPipeError:
            # The reader went away (`| head`); Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = ExitCode.OK
        except Exception as error:
            code = _internal(error)
        raise typer.Exit(int(code))

    return run


def _internal(error: Exception) -> ExitCode:
    """A defect of the doctor: where, and of which kind; its text could quote what was examined."""
    import traceback

    say(f"blueplane-doctor: internal error: {type(error).__name__}. This is a defect of the doctor; please report:")
    for frame in traceback.extract_tb(error.__traceback__)[-6:]:
        say(f"  {Path(frame.filename).name} line {frame.lineno} in {frame.name}")
    return ExitCode.INTERNAL


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str, option: str) -> float:
    """A span of time in seconds: `90s`, `30m`, `6h`, `2d`, or a bare number of seconds. Raises UsageError."""
    unit = text[-1:] if text[-1:] in _UNITS else ""
    number = text.removesuffix(unit)
    try:
        value = float(number)
        if not 0 <= value < float("inf"):
            raise ValueError
    except ValueError:
        raise UsageError(f"{option} {text}: not a span of time", "a number and s, m, h or d: 90s, 30m, 6h") from None
    return value * _UNITS.get(unit, 1.0)


def say(text: str) -> None:
    """A line on stderr: progress, warnings, errors. stdout is the document's alone."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text + "\n")


def show(text: str) -> None:
    """The document, on stdout."""
    sys.stdout.write(text)
    sys.stdout.flush()


def view_of(given: Invocation) -> "View":
    """How stdout wants to be written to: its width, and colour only for a person (https://no-color.org)."""
    from blueplane_doctor.reports.base import View

    terminal = sys.stdout.isatty()
    color = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return View(
        verbose=given.verbose,
        quiet=given.quiet,
        color=color,
        width=min(get_terminal_size((100, 24)).columns, 160) if terminal else 100,
    )


def chosen_formats(name: str, outputs: "list[Path]") -> "tuple[Format, list[tuple[Path, Format]]]":
    """The format for stdout, and one for each file by its suffix. Raises UsageError before anything is done."""
    from blueplane_doctor.discovery import find_format, find_formats

    form = find_format(name)
    if form is None:
        raise UsageError(f"--format {name}: there is no such format", f"one of {', '.join(sorted(find_formats()))}")
    by_suffix = {suffix: f for f in find_formats().values() for suffix in f.suffixes} if outputs else {}
    for path in outputs:
        if path.suffix.lower() not in by_suffix:
            raise UsageError(f"--output {path}: no format has this suffix", f"one of {', '.join(sorted(by_suffix))}")
        if not path.parent.is_dir() or path.is_dir():
            raise UsageError(f"--output {path}: there is no folder for it, or it is one itself", "name another file")
    return form, [(path, by_suffix[path.suffix.lower()]) for path in outputs]


@contextlib.contextmanager
def progress() -> "Iterator[Callable[[int, int], None] | None]":
    """Tells a person at a terminal how far a long examination is, on stderr; gives None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    began = last = time.monotonic()
    shown = False

    def tell(done: int, everything: int) -> None:
        nonlocal last, shown
        now = time.monotonic()
        if now - began > _QUIET_SECONDS and now - last > _QUIET_SECONDS / 4:
            last, shown = now, True
            sys.stderr.write(f"\r\x1b[K{done:,} of {max(done, everything):,} messages read …")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def write_file(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write whole or not at all: a half-written report must not look like one. Raises UsageError.

    A private file can be read by its owner alone; others by whom the umask lets.
    """
    try:
        with _beside(path) as (file, temporary):
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.chmod(temporary, 0o600 if private else 0o644 & ~_umask())
            os.replace(temporary, path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
