"""Whether the command of a hook can be run, and of which version the program is. Nothing is run to find out."""

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.file_reading import read_head

RUNS = "runs"
MISSING = "missing"
NOT_EXECUTABLE = "not executable"
NOT_ON_PATH = "not on the PATH"
UNDECIDED = "undecided"
"""It is more than a program with its arguments: what a shell makes of it is not known."""

_INTERPRETER = re.compile(r"(?:python|pypy|node|bun|deno|ruby|perl|bash|sh|zsh|dash)[\d.]*(?:\.exe)?\Z")
_SCRIPT = re.compile(r"\.(?:py|pyz|js|mjs|cjs|ts|sh|rb|pl)\Z")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_HEAD_BYTES = 400
_DISTRIBUTION = "blueplane_doctor"


class Program(NamedTuple):
    """What a command of a hook would run."""

    state: str
    path: Path | None = None
    """The program's file; None where there is none, or it is not known."""


def program_of(command: str, home: Path) -> Program:
    """The program of a command line, `~` and `$HOME` being this home."""
    words = _words(command)
    if not words:
        return Program(UNDECIDED)
    first = _expanded(words[0], home)
    if "$" in first or "`" in first:
        return Program(UNDECIDED)
    program = _program(first)
    if program.state != RUNS or not _INTERPRETER.search(os.path.basename(first)):
        return program
    script = _script(words[1:])
    if script is None:
        return program
    script = _expanded(script, home)
    if "$" in script or not os.path.isabs(script):
        return Program(UNDECIDED)
    if not os.path.isfile(script):
        return Program(MISSING)
    if not os.access(script, os.R_OK):
        return Program(NOT_EXECUTABLE)
    return Program(RUNS, Path(script))


def _words(command: str) -> list[str]:
    """The words of its first simple command, without the assignments before it; none where it is none."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        return []
    for number, word in enumerate(words):
        if word and set(word) <= set("();<>|&"):
            words = words[:number]
            break
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    return words


def _expanded(word: str, home: Path) -> str:
    for beginning in ("~/", "$HOME/", "${HOME}/"):
        if word.startswith(beginning):
            return str(home / word.removeprefix(beginning))
    return word


def _program(first: str) -> Program:
    if os.sep not in first:
        found = shutil.which(first)
        if found is None:
            return Program(NOT_ON_PATH)
        return Program(RUNS, Path(found))
    if not os.path.isabs(first):
        return Program(UNDECIDED)  # it depends on the folder in which the editor runs it
    if not os.path.isfile(first):
        return Program(MISSING)
    if not os.access(first, os.X_OK):
        return Program(NOT_EXECUTABLE)
    interpreter = _first_line(Path(first))
    if os.path.isabs(interpreter) and not os.path.isfile(interpreter):
        return Program(MISSING)  # of a script whose environment was deleted or moved
    return Program(RUNS, Path(first))


def _script(arguments: list[str]) -> str | None:
    """The script that an interpreter is given; None where it is given none, or a text or module to run."""
    for word in arguments:
        if word in ("-c", "-m", "-e"):
            return None
        if not word.startswith("-"):
            return word if _SCRIPT.search(word) or os.sep in word else None
    return None


def _first_line(program: Path) -> str:
    """The interpreter that a script names in its first line; empty where it is no script, or cannot be read."""
    try:
        head = read_head(program, _HEAD_BYTES)
    except FileUnreadable:
        return ""
    words = head.split(b"\n", 1)[0].removeprefix(b"#!").split()
    if not head.startswith(b"#!") or not words:
        return ""
    return os.fsdecode(words[0])


def version_of(program: Path) -> str:
    """The version of blueplane-doctor in the environment that a program of it belongs to; empty where nothing tells.

    A program of a Python package names the interpreter of its environment in its first line.
    """
    roots = [Path(os.path.realpath(program)).parent.parent]
    interpreter = _first_line(program)
    if interpreter:
        roots.insert(0, Path(interpreter).parent.parent)
    for root in roots:
        for place in (*sorted(root.glob("lib/python3*/site-packages")), root / "Lib" / "site-packages"):
            for folder in sorted(place.glob(f"{_DISTRIBUTION}-*.dist-info")):
                return folder.name.removeprefix(f"{_DISTRIBUTION}-").removesuffix(".dist-info")
    return ""
