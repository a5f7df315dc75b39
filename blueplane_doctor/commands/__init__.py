"""Commands: one file each, by the command's name, which sets COMMAND. Only these and cli.py know typer."""

import re
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any

import typer

_NO_COMMANDS = {"base", "letter_options"}
"""Files of this folder that hold no command."""
_FIRST_PARAGRAPH = re.compile(r'\s*"""(.+?)(?:\n\n|""")', re.DOTALL)


def command_names() -> list[str]:
    """The commands: one for each file, by its name."""
    names = []
    for info in iter_modules(__path__):
        if info.name not in _NO_COMMANDS:
            names.append(info.name)
    return sorted(names)


def load_command(name: str) -> Any:
    """The command of this name, as typer's own object; its file is imported."""
    return typer.main.get_command(import_module(f"{__name__}.{name}").COMMAND)


def summary_of(name: str) -> str:
    """A command's help in one line: the first paragraph of its file's docstring, which is read without an import."""
    module = f"{__name__}.{name}"
    match = _FIRST_PARAGRAPH.match(_source_of(module))
    if match:
        return " ".join(match[1].split())
    docstring = import_module(module).__doc__ or ""  # a stand-alone executable holds no source
    return " ".join(docstring.partition("\n\n")[0].split())


def _source_of(module: str) -> str:
    """Text of a module's file; empty where only its bytecode is there."""
    spec = find_spec(module)
    # Every loader of Python's own has it. Asking for the class importlib.abc.InspectLoader would import tempfile.
    get_source = getattr(spec and spec.loader, "get_source", None)
    if get_source is None:
        return ""
    return get_source(module) or ""
