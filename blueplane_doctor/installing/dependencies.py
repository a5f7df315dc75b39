"""Steps `dependencies` and `verify`, the first and the last: they look, and change nothing."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.installing.files import Entry, Journal
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.model import Report

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 24)
"""Write-ahead log and upserts, which the pipeline uses."""
OLDEST_REDIS = (5, 0)
"""Streams; from 7.0 on the server also counts what was added and read."""
FREE_BYTES = 200_000_000
LOOK_SECONDS = 3.0


class DependenciesStep:
    """Names what has to be there already, and for what is missing the command."""

    name = "dependencies"
    summary = "what has to be there already"

    def plan(self, site: Site) -> Plan:
        """Never raises for what is missing: that is its finding."""
        needs = [_python(site.platform), _sqlite(), *_redis(site), _disk(site.settings.home), *_permissions(site)]
        return Plan(notes=[need.line for need in needs], complete=all(need.ok or need.advice for need in needs))

    def undo(self, site: Site, entry: Entry) -> Plan:
        return Plan()


class VerifyStep:
    """Examines the pipeline once, and shows the report by the function that it is given."""

    name = "verify"
    summary = "run the doctor"

    def __init__(self, show: Callable[[Report], None]) -> None:
        self._show = show

    def plan(self, site: Site) -> Plan:
        def examine(journal: Journal) -> None:
            from blueplane_doctor.diagnose import diagnose

            self._show(diagnose(site.settings))

        more = "once the server runs, one marked event shows that all of it works: blueplane-doctor probe"
        return Plan([more], [Change("examine the pipeline", "$ blueplane-doctor", examine, asks=False)])

    def undo(self, site: Site, entry: Entry) -> Plan:
        return Plan()


@dataclass(frozen=True)
class _Need:
    """One thing that was looked for; what is only advice everything works without."""

    name: str
    ok: bool
    said: str
    remedy: str
    advice: bool = False

    @property
    def line(self) -> str:
        mark = "ok" if self.ok else "advice" if self.advice else "missing"
        return f"{mark:<8}{self.name}: {self.said}" + ("" if self.ok else f"\n            try: {self.remedy}")


def _python(platform: str) -> _Need:
    version = ".".join(map(str, sys.version_info[:3]))
    return _Need("Python", sys.version_info >= OLDEST_PYTHON, version, command_for("python", platform))


def _sqlite() -> _Need:
    ok = sqlite3.sqlite_version_info >= OLDEST_SQLITE
    return _Need("SQLite", ok, sqlite3.sqlite_version, "a Python that was built with a newer SQLite")


def _redis(site: Site) -> list[_Need]:
    from blueplane_doctor.monitoring.redis_health import RedisHealthMonitor

    command = command_for("redis", site.platform)
    examination = Examination(site.settings.model_copy(update={"timeout": LOOK_SECONDS}))
    try:
        health = RedisHealthMonitor(examination).collect()
    except SourceError as error:
        return [_Need("Redis", False, error.message, command)]
    finally:
        examination.close()
    version = tuple(int(part) for part in health.version.split(".")[:3] if part.isdigit())
    name = "Valkey" if health.server == "valkey" else "Redis"
    kept = {
        True: "on",
        False: "off: a restart of Redis loses the queue",
        None: "not known: this user may not ask",
    }[health.persistence]
    evicted = "a full memory may delete the queue" if health.may_evict_queue else "the queue is not evicted"
    configure = "redis-cli CONFIG SET"
    return [
        _Need(name, version >= OLDEST_REDIS, f"{health.version} at {examination.redis.address}", command),
        _Need("persistence", health.persistence is not False, kept, f"{configure} appendonly yes", advice=True),
        _Need(
            "eviction",
            not health.may_evict_queue,
            f"{health.maxmemory_policy}: {evicted}",
            f"{configure} maxmemory-policy noeviction",
            advice=True,
        ),
    ]


def _disk(home: Path) -> _Need:
    free = shutil.disk_usage(_there(home)).free
    said = f"{free / 1e9:.1f} GB free for {home}"
    return _Need("disk", free >= FREE_BYTES, said, f"make room: at least {FREE_BYTES // 1_000_000} MB")


def _permissions(site: Site) -> list[_Need]:
    folders = dict.fromkeys((site.settings.home, site.settings.cursor_hooks.parent))
    return [_may_write(folder) for folder in folders]


def _may_write(folder: Path) -> _Need:
    there = _there(folder)
    ok = os.access(there, os.W_OK | os.X_OK)
    said = f"{folder} can be written" if ok else f"{there} cannot be written by this user"
    return _Need("permissions", ok, said, f"ls -ld {there}")


def _there(path: Path) -> Path:
    """This folder, or the nearest above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


_IN_WORDS = {
    "python": "install Python 3.11 or later from your distribution",
    "redis": "install redis (or valkey) from your distribution, and start it",
}
_ON_MACOS = {"python": "brew install python@3.13", "redis": "brew install redis && brew services start redis"}
_ON_LINUX = {
    "apt-get": {"python": "sudo apt-get install python3", "redis": "sudo apt-get install redis-server"},
    "dnf": {"python": "sudo dnf install python3", "redis": "sudo dnf install valkey && sudo systemctl start valkey"},
    "pacman": {"python": "sudo pacman -S python", "redis": "sudo pacman -S valkey && sudo systemctl start valkey"},
    "zypper": {"python": "sudo zypper install python3", "redis": "sudo zypper install redis"},
    "apk": {"python": "sudo apk add python3", "redis": "sudo apk add redis && sudo rc-service redis start"},
}


def command_for(what: str, platform: str) -> str:
    """The command that installs it here; in words where the platform's is not known."""
    commands = _ON_MACOS if platform == "darwin" else _IN_WORDS
    if platform.startswith("linux"):
        commands = next((known for manager, known in _ON_LINUX.items() if shutil.which(manager)), _IN_WORDS)
    return commands[what]
