"""Which format a report is shown in, and how wide and colourful."""

import os
import sys
from pathlib import Path
from shutil import get_terminal_size

from blueplane_doctor.errors import UsageError
from blueplane_doctor.plugins.discovery import find_format, find_formats
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.settings.options import Options

DEFAULT_WIDTH = 100
"""Columns where stdout is no terminal, and of a report in a file."""
# Longer lines are hard to read, and a terminal may be of any width.
_WIDEST = 160


def view_of(options: Options) -> View:
    """How stdout wants to be written to: colour only for a person (https://no-color.org)."""
    terminal = sys.stdout.isatty()
    width = DEFAULT_WIDTH
    if terminal:
        width = min(get_terminal_size((DEFAULT_WIDTH, 24)).columns, _WIDEST)
    return View(
        verbose=bool(options.verbose),
        quiet=bool(options.quiet),
        color=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        width=width,
    )


def in_file(view: View) -> View:
    """The same report in a file: whole, without colour, and as wide as where stdout is no terminal."""
    return view._replace(color=False, quiet=False, width=DEFAULT_WIDTH)


def format_named(name: str) -> Format:
    """The format of that name, loaded alone. Raises UsageError."""
    form = find_format(name)
    if form is None:
        raise UsageError(f"--format {name}: there is no such format", f"one of {', '.join(sorted(find_formats()))}")
    return form


def format_for(path: Path) -> Format:
    """The format that has the suffix of this file. Raises UsageError."""
    by_suffix = {}
    for form in find_formats().values():
        for suffix in form.suffixes:
            by_suffix[suffix] = form
    if path.suffix.lower() not in by_suffix:
        raise UsageError(f"--output {path}: no format has this suffix", f"one of {', '.join(sorted(by_suffix))}")
    return by_suffix[path.suffix.lower()]
