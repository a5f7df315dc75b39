"""Which programs the services of the installer run: systemd's units and launchd's agents of this user."""

import os
import shlex
import sys
from pathlib import Path

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.files.reading import SMALL_BYTES, read_bytes
from blueplane_doctor.files.user_paths import configuration_folder

_NAMES = ("record", "serve")


def service_programs(home: Path) -> list[Path]:
    """The programs of the services that are installed for the user of this home."""
    programs = []
    for name in _NAMES:
        word = _agent_program(home, name) if sys.platform == "darwin" else _unit_program(home, name)
        if word and os.path.isabs(word):
            programs.append(Path(word))
    return programs


def _unit_program(home: Path, name: str) -> str:
    content = _content(configuration_folder(home) / "systemd" / "user" / f"blueplane-doctor-{name}.service")
    for line in content.decode("utf-8", "replace").splitlines():
        if line.startswith("ExecStart="):
            try:
                words = shlex.split(line.removeprefix("ExecStart="))
            except ValueError:
                return ""
            return words[0] if words else ""
    return ""


def _agent_program(home: Path, name: str) -> str:
    import plistlib  # only macOS has such files, and reading XML costs each start a millisecond
    from xml.parsers.expat import ExpatError

    content = _content(home / "Library" / "LaunchAgents" / f"ai.blueplane.doctor.{name}.plist")
    try:
        agent = plistlib.loads(content)
    except (plistlib.InvalidFileException, ExpatError, ValueError, LookupError, TypeError):
        return ""
    except (AttributeError, RecursionError):  # of the library itself: a date that is none, values within values
        return ""
    words = agent.get("ProgramArguments") if isinstance(agent, dict) else None
    if not isinstance(words, list) or not words or not isinstance(words[0], str):
        return ""
    return words[0]


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path, SMALL_BYTES)
    except FileUnreadable:
        return b""
