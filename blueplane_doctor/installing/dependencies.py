"""Steps `dependencies` and `verify`, the first and the last: they look, and change nothing."""

import os
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.judging.diagnose import diagnose
from blueplane_doctor.model import Report
from blueplane_doctor.monitoring.redis_health import RedisHealthMonitor

_OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 24)
"""Write-ahead log and upserts, which the pipeline uses."""
OLDEST_REDIS = (5, 0)
"""Streams; from 7.0 on the server also counts what was added and read."""
FREE_BYTES = 200_000_000
_PRODUCTS = {"valkey": "Valkey"}
_LOOK_SECONDS = 3.0


class DependenciesStep:
    """Names what has to be there already, and for what is missing the command."""

    name = "dependencies"
    summary = "what has to be there already"

    def plan(self, site: Site) -> Plan:
        """Never raises for what is missing: that is its finding."""
        needs = [_python(site.platform), _sqlite(), *_redis(site), _disk(site.settings.home), *_permissions(site)]
        complete = all(need.ok or need.optional for need in needs)
        return Plan(notes=[need.line for need in needs], complete=complete)

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
            self._show(diagnose(site.settings))

        more = "once the server runs, one marked event shows that all of it works: blueplane-doctor probe"
        return Plan([more], [Change("examine the pipeline", "$ blueplane-doctor", examine, asks=False)])

    def undo(self, site: Site, entry: Entry) -> Plan:
        return Plan()


@dataclass(frozen=True)
class _Need:
    """One thing that has to be there."""

    name: str
    ok: bool
    observed: str
    remedy: str
    optional: bool = False
    """Whether everything works without it: then it is only advised."""

    @property
    def line(self) -> str:
        if self.ok:
            return f"ok      {self.name}: {self.observed}"
        mark = "missing"
        if self.optional:
            mark = "advice"
        return f"{mark:<8}{self.name}: {self.observed}\n            try: {self.remedy}"


def _python(platform: str) -> _Need:
    version = ".".join(map(str, sys.version_info[:3]))
    return _Need("Python", sys.version_info >= _OLDEST_PYTHON, version, command_for("python", platform))


def _sqlite() -> _Need:
    ok = sqlite3.sqlite_version_info >= OLDEST_SQLITE
    return _Need("SQLite", ok, sqlite3.sqlite_version, "a Python that was built with a newer SQLite")


def _redis(site: Site) -> list[_Need]:
    command = command_for("redis", site.platform)
    seconds = min(_LOOK_SECONDS, site.settings.timeout)
    examination = Examination(site.settings.model_copy(update={"timeout": seconds}))
    try:
        health = RedisHealthMonitor(examination).collect()
    except SourceError as error:
        return [_Need("Redis", False, error.message, command)]
    finally:
        examination.close()
    numbers = []
    for part in health.version.split(".")[:3]:
        if part.isdigit():
            numbers.append(int(part))
    version = tuple(numbers)
    where = f"{health.version} at {examination.redis.address}"
    return [
        _Need(_PRODUCTS.get(health.server, "Redis"), version >= OLDEST_REDIS, where, command),
        _persistence(health.persistence),
        _eviction(health.maxmemory_policy, health.may_evict_queue),
    ]


def _persistence(persistent: bool | None) -> _Need:
    observed = {
        True: "on",
        False: "off: a restart of Redis loses the queue",
        None: "not known: this user may not ask",
    }[persistent]
    remedy = "redis-cli CONFIG SET appendonly yes"
    return _Need("persistence", persistent is not False, observed, remedy, optional=True)


def _eviction(policy: str | None, may_evict: bool | None) -> _Need:
    effect = "the queue is not evicted"
    if may_evict:
        effect = "a full memory may delete the queue"
    remedy = "redis-cli CONFIG SET maxmemory-policy noeviction"
    return _Need("eviction", not may_evict, f"{policy}: {effect}", remedy, optional=True)


def _disk(home: Path) -> _Need:
    free = shutil.disk_usage(_existing(home)).free
    observed = f"{free / 1e9:.1f} GB free for {home}"
    return _Need("disk", free >= FREE_BYTES, observed, f"make room: at least {FREE_BYTES // 1_000_000} MB")


def _permissions(site: Site) -> list[_Need]:
    folders = dict.fromkeys((site.settings.home, site.settings.cursor_hooks.parent))
    return list(map(_may_write, folders))


def _may_write(folder: Path) -> _Need:
    existing = _existing(folder)
    remedy = shlex.join(["ls", "-ld", str(existing)])
    if os.access(existing, os.W_OK | os.X_OK):
        return _Need("permissions", True, f"{folder} can be written", remedy)
    return _Need("permissions", False, f"{existing} cannot be written by this user", remedy)


def _existing(path: Path) -> Path:
    """This folder, or the nearest above it that exists."""
    return next(folder for folder in (path, *path.parents) if os.path.exists(folder))


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
    """The command that installs it here; a sentence where the platform's command is not known."""
    if platform == "darwin":
        return _ON_MACOS[what]
    if platform.startswith("linux"):
        for manager, commands in _ON_LINUX.items():
            if shutil.which(manager):
                return commands[what]
    return _IN_WORDS[what]
