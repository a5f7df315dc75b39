"""Where the history is, found without loading all settings, for `history` is to start at once.

A short way through the same sources in the same order as `settings.load`; what is not plain here is left to it.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from blueplane_doctor.commands.base import Invocation

_PREFIX = "BLUEPLANE_DOCTOR_"
_PLAIN = {_PREFIX + name for name in ("HOME", "REDIS_URL", "HISTORY_URL", "SETTINGS", "FORMAT", "VERBOSE", "QUIET")}
"""Variables that are understood here; any other may be a misspelt one, which `settings.load` tells."""

Source = Mapping[str, Any] | None
"""Names and values; None for what only `settings.load` understands."""


def history_url(given: Invocation) -> str:
    """The URL of the Redis that holds the history. Raises SettingsError."""
    if found := _short_way(given):
        return found
    return given.load().settings.history_redis_url


def _short_way(given: Invocation) -> str | None:
    """None where it takes more than looking up two names."""
    examined = None
    for source in _sources(given):
        if source is None:
            return None
        if url := source.get("history_url"):
            return str(url)
        examined = examined or source.get("redis_url")
    return examined or _of_blueplane(_home(given))


def _sources(given: Invocation) -> Iterator[Source]:
    """Flags, environment, the doctor's own file."""
    yield _plain(given.flags)
    variables = {name for name in os.environ if name.upper().startswith(_PREFIX)}
    names = ("redis_url", "history_url")
    environment = {name: os.environ[_PREFIX + name.upper()] for name in names if _PREFIX + name.upper() in variables}
    yield None if variables - _PLAIN else _plain(environment)
    if given.settings_file and not given.settings_file.is_file():
        yield None
    content = _read(given.settings_file or _home(given) / "doctor.yaml")
    yield None if content is None or "home" in content else _plain(content)


def _plain(source: Mapping[str, Any]) -> Source:
    values = [source[name] for name in ("redis_url", "history_url") if name in source]
    return source if all(isinstance(value, str) and value for value in values) else None


def _home(given: Invocation) -> Path:
    return Path(given.flags.get("home") or os.environ.get(_PREFIX + "HOME") or "~/.blueplane").expanduser()


def _read(path: Path) -> Source:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError):
        return None
    import yaml

    try:
        content = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
    except yaml.YAMLError:
        return None
    return content if isinstance(content, dict) else None


def _of_blueplane(home: Path) -> str | None:
    """The address in Blueplane's config.yaml, when it is given there in full."""
    try:
        connection = (_read(home / "config.yaml") or {})["redis"]["connection"]
        host, port = connection["host"], connection["port"]
    except (KeyError, TypeError):
        return None
    return None if ":" in str(host) else f"redis://{host}:{port}/{connection.get('db', 0)}"
