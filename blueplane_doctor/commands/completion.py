"""Print a script that completes commands and options in bash, zsh or fish."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from blueplane_doctor.command_line.completion import SHELLS, Commands, Completed, Flag
from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands import command_names, load_command, summary_of
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.plugins.discovery import find_checks, find_formats
from blueplane_doctor.settings.options import OPTIONS, Values
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.text.console import show

COMMAND = new_command(__doc__)
_COLOURS = ("yellow", "orange", "red", "never", "new:yellow", "new:orange", "new:red")


class _Shell(StrEnum):
    """The shells that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@command(COMMAND, "home", "settings", "checks", "monitors")
def completion(
    given: Invocation, shell: Annotated[_Shell, typer.Argument(metavar="bash|zsh|fish", help="The shell.")]
) -> None:
    """docs/OPTIONS.md says where each shell looks for it."""
    show(SHELLS[shell](completed_commands(given.load().settings)))


def completed_commands(settings: Settings) -> Commands:
    """The program and all its commands, with the ids of the checks that there are with these settings."""
    checks = find_checks(settings.check_folders, settings.monitor_folders).checks
    ids = sorted(spec.id for spec in checks)
    areas = sorted({spec.area for spec in checks})
    words = {
        Values.CHECK: (*ids, *areas),
        Values.FORMAT: tuple(sorted(find_formats())),
        Values.COLOUR: _COLOURS,
    }
    names = command_names()
    completed = {"": Completed("", tuple(_shared_flags(words)), tuple(names))}
    for name in names:
        loaded = load_command(name)
        below = getattr(loaded, "commands", {})
        following = tuple(below) or _arguments(name, loaded, ids)
        completed[name] = Completed(summary_of(name), tuple(_flags(loaded, words)), following)
        for below_name, below_command in below.items():
            flags = tuple(_flags(below_command, words))
            completed[f"{name} {below_name}"] = Completed(below_command.help or "", flags)
    return completed


def _shared_flags(words: dict[Values, tuple[str, ...]]) -> Iterator[Flag]:
    """Those of the program itself: all shared options."""
    for option in OPTIONS.values():
        names = [option.flag]
        if option.short:
            names.append(option.short)
        if option.negative:
            names.append(f"--no-{option.flag.removeprefix('--')}")
        yield Flag(tuple(names), option.help, option.values, words.get(option.values, ()))
    yield Flag(("--version",), "Show the version and exit.", Values.NONE)
    yield Flag(("--help", "-h"), "Show the help and exit.", Values.NONE)


def _flags(loaded: Any, words: dict[Values, tuple[str, ...]]) -> Iterator[Flag]:
    """The options of one command, as typer has them."""
    for parameter in loaded.params:
        if parameter.param_type_name != "option" or parameter.hidden:
            continue
        names = (*parameter.opts, *parameter.secondary_opts)
        values = _values_of(parameter)
        choices = words.get(values, ())
        if "|" in (parameter.metavar or ""):
            choices = tuple(parameter.metavar.split("|"))
        yield Flag(names, parameter.help or "", values, choices)
    yield Flag(("--help", "-h"), "Show the help and exit.", Values.NONE)


def _values_of(parameter: Any) -> Values:
    if parameter.is_flag:
        return Values.NONE
    if parameter.name in OPTIONS:
        return OPTIONS[parameter.name].values
    by_metavar = {"FILE": Values.FILE, "DIR": Values.FOLDER}
    return by_metavar.get(parameter.metavar, Values.TEXT)


def _arguments(name: str, loaded: Any, ids: list[str]) -> tuple[str, ...]:
    """The words that may stand as a command's argument."""
    if name == "checks":
        return tuple(ids)
    for parameter in loaded.params:
        if parameter.param_type_name == "argument" and "|" in (parameter.metavar or ""):
            return tuple(parameter.metavar.strip("[]").split("|"))
    return ()
