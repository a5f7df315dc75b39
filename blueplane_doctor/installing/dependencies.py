"""Step `dependencies`: what has to be there already; it changes nothing, and names the command for what is missing."""

import os
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.installing.journal import Entry
from blueplane_doctor.installing.plan import Plan, Site
from blueplane_doctor.settings import Settings

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 24)
"""Write-ahead log and upserts, which the pipeline uses."""
OLDEST_REDIS = (5, 0)
"""Streams; from 7.0 on the server also counts what was added and read."""
FREE_BYTES = 200_000_000
LOOK_SECONDS = 3.0


@dataclass(frozen=True)
class Need:
    """One thing that was looked for."""

    name: str
    ok: bool
    said: str
    remedy: str = ""
    advice: bool = False
    """Whether everything works without it."""

    @property
    def line(self) -> str:
        """As it is shown."""
        mark = "ok" if self.ok else "advice" if self.advice else "missing"
        return f"{mark:<8}{self.name}: {self.said}" + (f"\n            try: {self.remedy}" if self.remedy else "")


class DependenciesStep:
    """Looks, and says."""

    name = "dependencies"
    summary = "what has to be there already"

    def plan(self, site: Site) -> Plan:
        """Never raises for what is missing: that is its finding."""
        needs = [_python(site.platform), _sqlite(), *_redis(site), _disk(site.settings), *_permissions(site)]
        return Plan(notes=[need.line for need in needs], complete=all(need.ok or need.advice for need in needs))

    def undo(self, site: Site, entry: Entry) -> Plan:
        """There is nothing to undo."""
        return Plan()


def _python(platform: str) -> Need:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= OLDEST_PYTHON
    return Need("Python", ok, version, "" if ok else command_for("python", platform))


def _sqlite() -> Need:
    ok = sqlite3.sqlite_version_info >= OLDEST_SQLITE
    return Need("SQLite", ok, sqlite3.sqlite_version, "" if ok else "a Python that was built with a newer SQLite")


def _redis(site: Site) -> list[Need]:
    from blueplane_doctor.monitoring.redis_health import RedisHealthMonitor

    examination = Examination(site.settings.model_copy(update={"timeout": LOOK_SECONDS}))
    try:
        health = RedisHealthMonitor(examination).collect()
    except SourceError as error:
        return [Need("Redis", False, error.message, command_for("redis", site.platform))]
    finally:
        examination.close()
    new_enough = _version(health.version) >= OLDEST_REDIS
    name = "Valkey" if health.server == "valkey" else "Redis"
    upgrade = "" if new_enough else command_for("redis", site.platform)
    return [
        Need(name, new_enough, f"{health.version} at {examination.redis.address}", upgrade),
        _persistence(health.persistence),
        _eviction(health.may_evict_queue, health.maxmemory_policy),
    ]


def _persistence(persistent: bool | None) -> Need:
    if persistent is False:
        lost = "off: a restart of Redis loses the queue"
        return Need("persistence", False, lost, "redis-cli CONFIG SET appendonly yes", advice=True)
    return Need("persistence", True, "on" if persistent else "not known: this user may not ask")


def _eviction(may_evict: bool, policy: str) -> Need:
    if may_evict:
        return Need(
            "eviction",
            False,
            f"{policy}: a full memory may delete the queue",
            "redis-cli CONFIG SET maxmemory-policy noeviction",
            advice=True,
        )
    return Need("eviction", True, f"{policy}: the queue is not evicted")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3] if part.isdigit())


def _disk(settings: Settings) -> Need:
    free = shutil.disk_usage(_there(settings.home)).free
    said = f"{free / 1e9:.1f} GB free for {settings.home}"
    ok = free >= FREE_BYTES
    return Need("disk", ok, said, "" if ok else f"make room: at least {FREE_BYTES // 1_000_000} MB")


def _permissions(site: Site) -> list[Need]:
    folders = dict.fromkeys((site.settings.home, site.settings.cursor_hooks.parent))
    return [_may_write(folder) for folder in folders]


def _may_write(folder: Path) -> Need:
    there = _there(folder)
    ok = os.access(there, os.W_OK | os.X_OK)
    said = f"{folder} can be written" if ok else f"{there} cannot be written by this user"
    return Need("permissions", ok, said, "" if ok else f"ls -ld {there}")


def _there(path: Path) -> Path:
    """This folder, or the nearest above it that exists."""
    while not path.exists():
        path = path.parent
    return path


_COMMANDS = {
    ("python", "darwin"): "brew install python@3.13",
    ("redis", "darwin"): "brew install redis && brew services start redis",
    "python": "install Python 3.11 or later from your distribution",
    "redis": "install redis (or valkey) from your distribution, and start it",
}
_LINUX_COMMANDS = {
    "apt-get": {"python": "sudo apt-get install python3", "redis": "sudo apt-get install redis-server"},
    "dnf": {"python": "sudo dnf install python3", "redis": "sudo dnf install valkey && sudo systemctl start valkey"},
    "pacman": {"python": "sudo pacman -S python", "redis": "sudo pacman -S valkey && sudo systemctl start valkey"},
    "zypper": {"python": "sudo zypper install python3", "redis": "sudo zypper install redis"},
    "apk": {"python": "sudo apk add python3", "redis": "sudo apk add redis && sudo rc-service redis start"},
}


def command_for(what: str, platform: str) -> str:
    """The command that installs it here; in words where the platform's is not known."""
    if platform.startswith("linux"):
        manager = next((name for name in _LINUX_COMMANDS if shutil.which(name)), None)
        return _LINUX_COMMANDS[manager][what] if manager else _COMMANDS[what]
    return _COMMANDS.get((what, platform), _COMMANDS[what])
