"""Which configuration the pipeline's server goes by: found by its process' command line and working folder.

A server that is started from a checkout takes the nearest folder `config` on the way up from its own source, then
Blueplane's home, then /etc/blueplane: the first that is there and holds a YAML file.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from blueplane_doctor.connection.topology import database_of
from blueplane_doctor.errors import SettingsError
from blueplane_doctor.pipeline import DEFAULT_REDIS_HOST, DEFAULT_REDIS_PORT
from blueplane_doctor.settings.files import read_blueplane_config
from blueplane_doctor.sources.process_use import Address, ProcessUse

_SYSTEM_FOLDER = Path("/etc/blueplane")
OF_CHECKOUT = "config/ of the checkout that it was started from"
OF_HOME = "config.yaml of its home"
_OF_SYSTEM = "/etc/blueplane"
NO_FILE = "no file: its defaults"
_DEPTHS = {"scripts/start_server.py": 2, "src/processing/server.py": 3}
"""The programs by which a server is started from a checkout, and how many steps up from them the checkout is."""
_MODULE = "src.processing.server"


class ServerConfiguration(NamedTuple):
    """What a server goes by."""

    where: str
    """In words that anybody may read."""
    redis: Address | None
    """The Redis that it names; None where the file cannot be read."""
    number: int = 0
    """Of the database of that Redis."""


def server_configuration(process: ProcessUse, home: Path) -> ServerConfiguration | None:
    """What a process whose Blueplane home is `home` goes by; None where its program is not seen, or an unknown one."""
    checkout = _checkout(process)
    if checkout is None:
        return None
    for folder, where in _candidates(checkout, home):
        try:
            if any(folder.glob("*.yaml")) or any(folder.glob("*.yml")):
                return ServerConfiguration(where, *_redis_of(folder))
        except OSError:
            continue  # not shown to this user
    return ServerConfiguration(NO_FILE, Address(DEFAULT_REDIS_HOST, DEFAULT_REDIS_PORT))


def _candidates(checkout: Path, home: Path) -> Iterator[tuple[Path, str]]:
    # Only the nearest of these counts: where it holds no YAML file, the next one up is not tried.
    for folder in (checkout, *checkout.parents):
        # Path.exists raises where this user may not look, or a name is too long.
        if os.path.exists(folder / "config"):
            yield folder / "config", OF_CHECKOUT
            break
    yield home, OF_HOME
    yield checkout / "config", OF_CHECKOUT
    yield _SYSTEM_FOLDER, _OF_SYSTEM


def _checkout(process: ProcessUse) -> Path | None:
    """The folder of the source that runs; None where the command line does not tell."""
    if process.folder is None:
        return None
    if _MODULE in process.command:
        return process.folder
    for word in process.command:
        for program, depth in _DEPTHS.items():
            # A relative name counts from the folder in which it was started, where the server stays.
            path = process.folder / word
            if path.as_posix().endswith(f"/{program}"):
                return path.parents[depth - 1]
    return None


def _redis_of(folder: Path) -> tuple[Address | None, int]:
    """The Redis that the files name, and the number of its database."""
    try:
        _, settings = read_blueplane_config(folder)
        url = settings.get("redis_url")
        if url is None:
            return Address(DEFAULT_REDIS_HOST, DEFAULT_REDIS_PORT), 0
        parts = urlsplit(url)
        address = Address(parts.hostname or DEFAULT_REDIS_HOST, parts.port or DEFAULT_REDIS_PORT)
        return address, database_of(url)
    except (SettingsError, ValueError):
        return None, 0
