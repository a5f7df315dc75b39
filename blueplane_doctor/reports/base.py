"""What every format is."""

from collections.abc import Callable
from typing import NamedTuple

from blueplane_doctor.model import Report


class View(NamedTuple):
    """How a person wants to see a report; formats for programs take no notice."""

    verbose: bool = False
    """Show green findings and evidence too."""
    quiet: bool = False
    """Show the verdict alone; concerns stdout, for a file is always whole."""
    color: bool = False
    width: int = 100
    """Columns of the terminal."""


class Format(NamedTuple):
    """A way to show a report. `render` must be pure: the same report and view give the same text."""

    name: str
    suffixes: tuple[str, ...]
    """File names for which `-o FILE` chooses it."""
    render: Callable[[Report, View], str]
    exit_code: Callable[[Report], int] | None = None
    """Rules of its own for what the process ends with; None: the report's exit code."""
    markup: bool = False
    """Whether it is HTML or XML, where a character that an encoding lacks has a reference."""
    commands: bool = False
    """Whether its lines are commands of a CI runner."""
    error: Callable[[str], tuple[str, int]] | None = None
    """Text and exit code for a run that could not examine anything; None: the usual words on stderr."""
