"""What the examination ran on: versions alone, neither of a host nor of a person."""

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version

from blueplane_doctor import __version__
from blueplane_doctor.evidence import Evidence

_LIBRARIES = ("redis", "hiredis", "pydantic", "jinja2", "typer", "psutil", "PyYAML")


def versions(evidence: Evidence) -> dict[str, str | None]:
    """Name and version; null for what is not there or did not answer."""
    server = evidence.records.get("redis")
    return {
        "blueplane-doctor": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite": sqlite3.sqlite_version,
        "redis server": f"{getattr(server, 'server', '')} {getattr(server, 'version', '')}" if server else None,
        "platform": f"{platform.system()} {platform.machine()}",
    } | {name: _installed(name) for name in _LIBRARIES}


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
