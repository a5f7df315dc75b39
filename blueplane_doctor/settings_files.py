"""The YAML files that settings come from: the doctor's own, and Blueplane's config translated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blueplane_doctor.errors import SettingsError
from blueplane_doctor.pipeline import (
    DEFAULT_HTTP_HOST,
    DEFAULT_HTTP_PORT,
    DEFAULT_REDIS_HOST,
    DEFAULT_REDIS_PORT,
)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file's mapping; empty when there is no such file. Raises SettingsError."""
    if not path.exists():
        return {}
    content = read_yaml_value(path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: must hold names and values, not {type(content).__name__}")
    return content


def read_yaml_value(path: Path) -> Any:
    """Whatever a YAML file holds. Raises SettingsError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    import yaml  # only where there is a file to read: it costs 30 ms

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise SettingsError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', error)}") from error


def read_blueplane_config(home: Path) -> tuple[str, dict[str, Any]]:
    """Blueplane's own settings in the doctor's names, with the file they came from.

    `config.yaml` of the home, else the earlier layout's `redis.yaml`. Raises SettingsError.
    """
    path = next((p for p in (home / "config.yaml", home / "redis.yaml") if p.is_file()), home / "config.yaml")
    content = read_yaml(path)
    settings: dict[str, Any] = {}
    # Until November 2025 host, port and db stood in `redis` itself.
    connection = _part(content, "redis", "connection") or _part(content, "connection") or _part(content, "redis")
    if "host" in connection or "port" in connection:
        host = connection.get("host", DEFAULT_REDIS_HOST)
        host = f"[{host}]" if ":" in str(host) else host
        settings["redis_url"] = f"redis://{host}:{connection.get('port', DEFAULT_REDIS_PORT)}/{connection.get('db', 0)}"
    files = _part(content, "paths", "database")
    database = files.get("telemetry_db")
    # The server of today ignores this name and writes to the home; so it counts only where such a file is.
    if isinstance(database, str) and Path(database).expanduser().is_file():
        settings["database"] = database
    _copy(files, "event_buffer_db", settings, "event_buffer")
    endpoint = _part(content, "http_endpoint")
    if "host" in endpoint or "port" in endpoint:
        host, port = endpoint.get("host", DEFAULT_HTTP_HOST), endpoint.get("port", DEFAULT_HTTP_PORT)
        settings["http_url"] = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    streams: dict[str, Any] = {}
    queue = _part(content, "streams", "message_queue")
    _copy(queue, "name", streams, "queue")
    _copy(queue, "consumer_group", streams, "group")
    _copy(queue, "max_length", streams, "max_length")
    _copy(_part(content, "streams", "dlq"), "max_length", streams, "dead_letter_max_length")
    if streams:
        settings["streams"] = streams
    _copy(_part(content, "timeouts", "session"), "inactive_timeout_hours", settings, "session_timeout_hours")
    return str(path), settings


def _part(content: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        value = content.get(name)
        if not isinstance(value, Mapping):
            return {}
        content = value
    return content


def _copy(source: Mapping[str, Any], name: str, target: dict[str, Any], new_name: str) -> None:
    if source.get(name) is not None:
        target[new_name] = source[name]
