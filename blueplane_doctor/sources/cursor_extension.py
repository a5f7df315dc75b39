"""The extension inside Cursor that tells the server of each window: whether it is there, and of which version."""

import os
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.sources.json_files import object_in

IDENTITY = "blueplane.blueplane-cursor-telemetry"
"""Publisher and name: how its folder is called, before a dash and the version."""
_FOLDERS = (".cursor/extensions", ".cursor-server/extensions")
"""Below the user's home: where Cursor keeps extensions, the second for windows that are opened over SSH."""
_OBSOLETE = ".obsolete"
"""In such a folder: names of those that were removed and are deleted at the next start."""


class Extension(NamedTuple):
    """The extension as it is installed."""

    version: str
    """As its package.json names it; empty where that cannot be read."""
    installed_ms: int
    """When its folder was made, in milliseconds since 1970."""


def extensions(home: Path) -> list[Extension]:
    """Those below this user's home; more than one where Cursor has not tidied up yet, or is used over SSH too."""
    found = []
    for name in _FOLDERS:
        folder = home / name
        removed = object_in(folder / _OBSOLETE)
        for path in sorted(_entries(folder)):
            if path.name.startswith(f"{IDENTITY}-") and not removed.get(path.name) and os.path.isdir(path):
                found.append(_extension(path))
    return found


def _extension(folder: Path) -> Extension:
    version = object_in(folder / "package.json").get("version")
    if not isinstance(version, str):
        version = ""
    try:
        installed_ms = os.stat(folder).st_mtime_ns // 1_000_000
    except OSError:
        installed_ms = 0
    return Extension(version, installed_ms)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
