"""What a command shows, writes and asks: documents on stdout or in a file, everything else on stderr."""

import contextlib
import json
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from blueplane_doctor.errors import UsageError
from blueplane_doctor.process.light_imports import tempfile
from blueplane_doctor.text.characters import document, lines, plain
from blueplane_doctor.text.tables import fitted, terminal_width

_LONGEST_LINE = 4_000
"""Characters of a message."""
_PIPE_ROOM = 4_096
"""A pipe that is ready takes so many bytes at once (PIPE_BUF)."""
_QUIET_SECONDS = 1.0
"""A run shorter than this shows no progress."""


def say(text: str) -> None:
    """A line on stderr: progress, warnings, errors. stdout is the document's alone."""
    with contextlib.suppress(OSError):
        sys.stderr.write(lines(text) + "\n")


def complain(text: str, hint: str = "") -> None:
    """A warning or an error on stderr, and what to try."""
    say(f"blueplane-doctor: {plain(text, _LONGEST_LINE)}")
    if hint:
        say(f"  try: {plain(hint, _LONGEST_LINE)}")


def say_if_read(text: str) -> None:
    """A line on stderr, if somebody reads it: a full pipe would keep a service from its work for good."""
    line = text.replace("\n", " ")[: _PIPE_ROOM - 1] + "\n"
    with contextlib.suppress(OSError, ValueError):
        _, writable, _ = select.select([], [sys.stderr], [], 0)
        if writable:
            sys.stderr.write(line)
            sys.stderr.flush()


def remark(text: str) -> None:
    """What a service has to say while it runs, if somebody reads it."""
    say_if_read(f"blueplane-doctor: {plain(text, _LONGEST_LINE)}")


def show(text: str, *, markup: bool = False, commands: bool = False) -> None:
    """The document, on stdout. Raises UsageError if it is full.

    `markup`: HTML or XML, which names itself as UTF-8; `commands`: its lines are meant for a CI runner.
    """
    if not commands:
        text = document(text, is_markup=markup)
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
    if markup and encoding not in ("utf-8", "utf8"):
        # In another encoding its bytes would not be UTF-8. As ASCII with character references they are.
        text = text.encode("ascii", "xmlcharrefreplace").decode()
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader went away: no error
        raise
    except OSError as error:
        give_up_stdout()
        raise UsageError(f"the output cannot be written: {error.strerror or error}", "make room for it") from error


def give_up_stdout() -> None:
    """Send what stdout still holds nowhere: Python would complain once more when it flushes at exit."""
    _send_nowhere(sys.stdout)


def give_up_full_stderr() -> None:
    """Send nowhere what a full stderr holds: Python would flush it at exit, and end with a code of its own."""
    try:
        sys.stderr.flush()
    except OSError:
        _send_nowhere(sys.stderr)


def _send_nowhere(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def show_json(value: Any) -> None:
    """A document in JSON, on stdout."""
    show(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def show_table(rows: list[list[Any]], headers: list[str]) -> None:
    """A table, on stdout; on a terminal as wide as it is."""
    show(fitted(rows, headers, terminal_width()))


def show_or_write(text: str, output: Path | None) -> None:
    """The document, into a file where one is named."""
    if output:
        write_file(output, text)
    else:
        show(text)


def confirmed(question: str, hint: str = "add --yes, or --dry-run to see the changes") -> bool:
    """A person's answer; without a person, nothing is agreed to. Raises UsageError then, with this hint."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("nobody can be asked here, so nothing is changed", hint)
    say(question + " [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def step_aside() -> None:
    """Let the pipeline come first on a machine that has too little for both."""
    with contextlib.suppress(OSError, AttributeError):  # AttributeError: there is no nice on Windows
        os.nice(15)


@contextlib.contextmanager
def progress(what: str = "messages read") -> "Iterator[Callable[[int, int], None] | None]":
    """Tells a person at a terminal how far a long examination is; gives None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    began = time.monotonic()
    last = began
    terminal = getattr(sys.stderr, "unguarded", sys.stderr)

    def tell(done: int, everything: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - began > _QUIET_SECONDS and now - last > _QUIET_SECONDS / 4:
            last = now
            terminal.write(f"\r\x1b[K{done:,} of {max(done, everything):,} {what} …")
            terminal.flush()

    try:
        yield tell
    finally:
        if last > began:
            terminal.write("\r\x1b[K")
            terminal.flush()


def write_file(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write whole or not at all: a half-written report must not look like one. Raises UsageError.

    A private file can be read by its owner alone; others by whom the umask lets.
    """
    umask = os.umask(0o022)  # it can only be read by setting it
    os.umask(umask)
    data = content.encode() if isinstance(content, str) else content
    mode = 0o600 if private else 0o644 & ~umask
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
