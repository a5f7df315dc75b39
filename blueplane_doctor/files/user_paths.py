"""Paths as people write them in settings and commands: `~`, relative ones, and those that no file can have."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blueplane_doctor.text.characters import holds_controls

_LONGEST_PATH = 4_095
_LONGEST_NAME = 255
"""Bytes, on Linux; macOS allows fewer for a path and as many for a name."""
PATH_SETTINGS = (
    *("home", "database", "event_buffer"),
    *("cursor_hooks", "cursor_data", "claude_settings", "claude_projects"),
)
PATH_LIST_SETTINGS = ("checks", "monitors")
"""Settings that hold paths; in the latter is code that the doctor runs."""


def real_file(path: Path) -> Path:
    """The file that a path leads to.

    SQLite keeps its logs and journals beside that one, never beside a link to it; and to replace the link itself would
    take the file out of its owner's hands.
    """
    return Path(os.path.realpath(path))


def configuration_folder(home: Path) -> Path:
    """Where programs of the user of this home keep their configuration; a relative path there is to be ignored:
    https://specifications.freedesktop.org/basedir-spec/latest/"""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(named):
        return Path(named)
    return home / ".config"


def usable_path(path: Path) -> Path:
    """The path with `~` as the user's home. Raises ValueError for one that no file should have."""
    text = str(path)
    if holds_controls(text):
        # Also for what the path is written into: a line end in a unit file begins another setting.
        raise ValueError("a path holds no control characters, such as a line end")
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        raise ValueError("no file can have this name: it is no text") from None
    longest = max(map(len, encoded.split(os.fsencode(os.sep))))
    if len(encoded) > _LONGEST_PATH or longest > _LONGEST_NAME:
        raise ValueError(
            f"no file can have this name: a path has at most {_LONGEST_PATH} bytes, a name in it {_LONGEST_NAME}"
        )
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("~ names a user who is not known here, or whose home is not: write the path out") from None


def counted_from(folder: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a file in this folder, in which relative paths now begin there: not wherever the doctor is started.

    Values of another type are left to the settings, which can say what is wrong with them.
    """
    counted = dict(values)
    for name in PATH_SETTINGS:
        if isinstance(values.get(name), str):
            counted[name] = _joined(folder, values[name])
    for name in PATH_LIST_SETTINGS:
        paths = values.get(name)
        if isinstance(paths, str):
            paths = paths.replace(",", " ").split()
        if isinstance(paths, list):
            counted[name] = [_joined(folder, path) for path in paths]
    rules = values.get("notify")
    if isinstance(rules, dict):
        rules = [rules]
    if isinstance(rules, list):
        counted["notify"] = [_with_its_program(folder, rule) for rule in rules]
    return counted


def _with_its_program(folder: Path, rule: Any) -> Any:
    """A target whose command names its program by a relative path; any other as it is."""
    if not isinstance(rule, dict):
        return rule
    words = rule.get("command")
    if isinstance(words, str):
        try:
            words = shlex.split(words)
        except ValueError:
            return rule
    if isinstance(words, list) and words and isinstance(words[0], str) and "/" in words[0]:
        program = os.path.expanduser(_joined(folder, words[0]))
        return {**rule, "command": [program, *words[1:]]}
    return rule


def _joined(folder: Path, path: Any) -> Any:
    if not isinstance(path, str) or not path or path.startswith("~"):
        return path
    return str(folder.absolute() / path)
