"""A run without a command, from arguments that need no explanation: the examination alone, without typer.

Typer takes a tenth of a small examination to load, with pydantic by which it reads options (docs/BENCHMARKS.md). It
reads whatever this does not: commands, help, mistakes, short options in one word, variables of the command line.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from blueplane_doctor.command_line.invocation import Invocation, exit_code_of
from blueplane_doctor.process.interruption import end_at_once
from blueplane_doctor.settings.options import COMMAND_LINE_VARIABLES, OPTIONS, Option, Options
from blueplane_doctor.text.console import give_up_full_stderr


class _NotPlain(Exception):
    """Typer is to read the arguments."""


def plain_options(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Options | None:
    """The options that these arguments are; None where typer is to read them."""
    if any(environment.get(variable) for variable in COMMAND_LINE_VARIABLES):
        return None
    values: dict[str, Any] = {}
    words = iter(arguments)
    try:
        for word in words:
            option, value = _read(word, words)
            if option.repeatable:
                value = [*values.get(option.name, []), value]
            values[option.name] = value
    except _NotPlain:
        return None
    return Options(**values)


def run_plain(options: Options) -> NoReturn:
    """Examine, and end with the exit code."""
    from blueplane_doctor.main_job import run  # half of a run's imports: --help and commands pass here too

    try:
        code = exit_code_of(run, Invocation(options))
        end_at_once(code)
        sys.exit(code)
    finally:
        give_up_full_stderr()


def _read(word: str, rest: Iterator[str]) -> tuple[Option, Any]:
    """The option that this word names, and its value, which may be the next word. Raises _NotPlain."""
    name, equals, value = word.partition("=")
    option = _NAMES.get(name)
    if option is None:
        raise _NotPlain
    if equals and (option.metavar is None or name == option.short):
        raise _NotPlain
    if option.metavar is None:
        return option, not name.startswith("--no-")
    if not equals:
        value = next(rest, "-")
        if value.startswith("-"):  # forgotten, or not: typer knows
            raise _NotPlain
    return option, _converted(option, value)


def _converted(option: Option, value: str) -> Any:
    """Raises _NotPlain for what has no such type."""
    shown = str(option.type)  # `list[pathlib.Path] | None`
    if "Path" in shown:
        return Path(value)
    if "float" not in shown:
        return value
    try:
        return float(value)
    except ValueError:
        raise _NotPlain from None


def _names() -> dict[str, Option]:
    names = {}
    for option in OPTIONS.values():
        names[option.flag] = option
        if option.short:
            names[option.short] = option
        if option.negative:
            names[f"--no-{option.flag.removeprefix('--')}"] = option
    return names


_NAMES = _names()
"""Every option by each of its names."""
