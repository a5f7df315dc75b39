"""Whether the command of a hook can be run, and of which version the program is. Nothing is run to find out."""

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.files.reading import read_head

RUNS = "runs"
MISSING = "missing"
NOT_EXECUTABLE = "not executable"
NOT_ON_PATH = "not on the PATH"
_UNDECIDED = "undecided"
"""It is more than a program with its arguments: what a shell makes of it is not known."""

_INTERPRETER = re.compile(r"(?:python|pypy|node|bun|deno|ruby|perl|bash|sh|zsh|dash)[\d.]*(?:\.exe)?\Z")
_SCRIPT = re.compile(r"\.(?:py|pyz|js|mjs|cjs|ts|sh|rb|pl)\Z")
_OF_THE_SHELL = frozenset(
    {
        *("cd", ".", "source", "export", "eval", "set", "unset", "test", "[", "[[", "{", "!", "if", "for", "while"),
        *("until", "case", "function", "trap", "ulimit", "umask", "read", "wait", "pushd", "popd", "alias", ":"),
    }
)
"""First words that are no program: what follows them is the shell's own affair."""
_WRAPPERS = {"exec": 0, "command": 0, "nohup": 0, "env": 0, "nice": 0, "timeout": 1}
"""Words before the program that is run, each with the number of words of its own that follow."""
_WITH_A_VALUE = frozenset({"-W", "-X", "-r", "--require", "--import", "--loader"})
"""Options of interpreters whose value is the next word."""
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
# The first line names the interpreter, and Linux reads no more than 256 bytes of it.
_HEAD_BYTES = 400
LONGEST_COMMAND = 4_096
"""Characters of a command that is looked at: to split one of a million takes longer than any time limit."""
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
        return Program(_UNDECIDED)
    words = _without_wrappers(words)
    if not words or words[0] in _OF_THE_SHELL:
        return Program(_UNDECIDED)
    first = _expanded(words[0], home)
    if "$" in first or "`" in first:
        return Program(_UNDECIDED)
    program = _program(first)
    if program.state != RUNS or not _INTERPRETER.search(os.path.basename(first)):
        return program
    script = _script(words[1:])
    if script is None:
        return program
    script = _expanded(script, home)
    if "$" in script or not os.path.isabs(script):
        return Program(_UNDECIDED)
    if not os.path.isfile(script):
        return Program(MISSING)
    if not os.access(script, os.R_OK):
        return Program(NOT_EXECUTABLE)
    return Program(RUNS, Path(script))


def _words(command: str) -> list[str]:
    """The words of its first simple command, without the assignments before it; none where it is none, or too long."""
    if len(command) > LONGEST_COMMAND:
        return []
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        return []
    # Behind an operator of the shell another command begins, and whether that one is run is not known.
    for number, word in enumerate(words):
        if word and set(word) <= set("();<>|&"):
            words = words[:number]
            break
    return _without_assignments(words)


def _without_assignments(words: list[str]) -> list[str]:
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    return words


def _without_wrappers(words: list[str]) -> list[str]:
    """The words of the program that a wrapper runs; none where the wrapper has options."""
    while words and os.path.basename(words[0]) in _WRAPPERS:
        own = _WRAPPERS[os.path.basename(words[0])]
        words = _without_assignments(words[1:])
        if words and words[0].startswith("-"):
            return []
        words = words[own:]
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
        return Program(_UNDECIDED)  # it depends on the folder in which the editor runs it
    if not os.path.isfile(first):
        return Program(MISSING)
    if not os.access(first, os.X_OK):
        return Program(NOT_EXECUTABLE)
    return Program(_state_of_script(Path(first)), Path(first))


def _state_of_script(program: Path) -> str:
    """Whether the interpreter that its first line names, if it names one, can be run."""
    line = _first_line(program)
    if line.endswith("\r"):
        return NOT_EXECUTABLE  # a line end of Windows belongs to the name of the interpreter
    words = line.split()
    if not words:
        return RUNS
    if os.path.isabs(words[0]) and not os.path.isfile(words[0]):
        return MISSING  # of a script whose environment was deleted or moved
    is_by_path = len(words) == 2 and os.path.basename(words[0]) == "env"
    if is_by_path and not words[1].startswith("-") and shutil.which(words[1]) is None:
        return NOT_ON_PATH
    return RUNS


def _script(arguments: list[str]) -> str | None:
    """The script that an interpreter is given; None where it is given none, or a text or module to run."""
    is_value = False
    for word in arguments:
        if word in ("-c", "-m", "-e"):
            return None
        if is_value or word.startswith("-"):
            is_value = word in _WITH_A_VALUE
        else:
            return word if _SCRIPT.search(word) or os.sep in word else None
    return None


def _first_line(program: Path) -> str:
    """What a script's first line says of its interpreter; empty where it is no script, or cannot be read."""
    try:
        head = read_head(program, _HEAD_BYTES)
    except FileUnreadable:
        return ""
    if not head.startswith(b"#!"):
        return ""
    return os.fsdecode(head.split(b"\n", 1)[0].removeprefix(b"#!"))


def version_of(program: Path) -> str:
    """The version of blueplane-doctor in the environment that a program of it belongs to; empty where nothing tells.

    A program of a Python package names the interpreter of its environment in its first line.
    """
    roots = [Path(os.path.realpath(program)).parent.parent]
    interpreter = _first_line(program).split()
    if interpreter:
        roots.insert(0, Path(interpreter[0]).parent.parent)
    for root in roots:
        with suppress(OSError):  # the first line of a program may name what no path can be
            for folder in _distributions_below(root):
                return folder.name.removeprefix(f"{_DISTRIBUTION}-").removesuffix(".dist-info")
    return ""


def _distributions_below(root: Path) -> Iterator[Path]:
    """What an environment says of the blueplane-doctor that is installed in it. Raises OSError."""
    for place in (*sorted(root.glob("lib/python3*/site-packages")), root / "Lib" / "site-packages"):
        yield from sorted(place.glob(f"{_DISTRIBUTION}-*.dist-info"))
