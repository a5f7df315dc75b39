"""Where Cursor keeps its databases, and which of them the server looks at. Paths stay in here and in the monitor."""

import hashlib
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.json_files import object_in

_BELOW_THE_HOME = {
    "darwin": "Library/Application Support/Cursor/User",
    "win32": "AppData/Roaming/Cursor/User",
}
_ELSEWHERE = "Cursor/User"
"""On Linux, below ~/.config."""
_DATABASE = "state.vscdb"
WATCHED_GLOBAL = f"{_BELOW_THE_HOME['darwin']}/globalStorage/{_DATABASE}"
"""Below the user's home: where the server looks for the global database, on every system."""
_CACHE = "workspace_db_cache.json"
"""In Blueplane's home: which database the server took for which workspace."""
_HASH_DIGITS = 16
"""Of the SHA-256 of its path: what the extension calls a workspace."""
_MOST_WORKSPACES = 2_000
"""Folders that are looked at; a person who never tidies up has some hundreds."""


class CursorDatabase(NamedTuple):
    """One of Cursor's databases."""

    path: Path
    workspace: int
    """The number that reports give to its workspace, from 1; 0: the global database."""
    folder: str = ""
    """The folder of that workspace, private; empty where it is not known."""
    is_watched: bool = True
    """Whether the server looks at this file at all, as far as can be told."""

    @property
    def workspace_hash(self) -> str:
        """What the extension calls the workspace; empty where its folder is not known."""
        if not self.folder:
            return ""
        return hashlib.sha256(self.folder.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]

    def modified_ms(self) -> int:
        """When it or its write-ahead log was last written, in milliseconds since 1970; 0 where it cannot be read."""
        latest = 0
        for path in (self.path, self.path.with_name(f"{_DATABASE}-wal")):
            with suppress(OSError):
                latest = max(latest, path.stat().st_mtime_ns // 1_000_000)
        return latest


def cursor_folder(settings: Settings) -> Path:
    """Cursor's folder `User`: that of the settings, else the usual one of this system."""
    if settings.cursor_data is not None:
        return settings.cursor_data
    if sys.platform in _BELOW_THE_HOME:
        return Path.home() / _BELOW_THE_HOME[sys.platform]
    # As Electron finds it: https://specifications.freedesktop.org/basedir-spec/latest/
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / _ELSEWHERE


def databases(settings: Settings) -> list[CursorDatabase]:
    """The databases that are there, the global one first."""
    folder = cursor_folder(settings)
    found = []
    for path in dict.fromkeys((folder / "globalStorage" / _DATABASE, Path.home() / WATCHED_GLOBAL)):
        if os.path.isfile(path):
            found.append(CursorDatabase(path, 0, is_watched=_is_same(path, Path.home() / WATCHED_GLOBAL)))
    taken = _taken_by_the_server(settings.home)
    for number, each in enumerate(_workspace_folders(folder / "workspaceStorage"), start=1):
        path = each / _DATABASE
        if os.path.isfile(path):
            database = CursorDatabase(path, number, _workspace_folder(each / "workspace.json"))
            name = database.workspace_hash
            if name in taken:
                database = database._replace(is_watched=_is_same(path, taken[name]))
            found.append(database)
    return found


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _workspace_folders(folder: Path) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())[:_MOST_WORKSPACES]
    except OSError:
        return ()


def _workspace_folder(file: Path) -> str:
    content = object_in(file)
    folder = content.get("folder")
    if not isinstance(folder, str):
        return ""  # a window with several folders, or none
    try:
        return unquote(urlsplit(folder).path)
    except ValueError:
        return ""


def _taken_by_the_server(home: Path) -> dict[str, Path]:
    taken = {}
    for name, path in object_in(home / _CACHE).items():
        if isinstance(path, str) and "\0" not in path:
            taken[name] = Path(path)
    return taken
