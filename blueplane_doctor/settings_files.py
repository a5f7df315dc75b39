"""The files that settings come from: the doctor's own, and Blueplane's config translated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blueplane_doctor import pipeline
from blueplane_doctor.errors import SettingsError


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file's mapping; empty when there is no such file. Raises SettingsError."""
    content = read_yaml_value(path) if path.exists() else None
    if not isinstance(content, dict | None):
        raise SettingsError(f"{path}: must hold names and values, not {type(content).__name__}")
    return content or {}


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


def blueplane_configs(home: Path) -> list[Path]:
    """Blueplane's own files of settings, of which the first that exists counts: today's, and the earlier layout's."""
    return [home / "config.yaml", home / "redis.yaml"]


def read_blueplane_config(home: Path) -> tuple[str, dict[str, Any]]:
    """Blueplane's own settings in the doctor's names, with the file they came from.

    `config.yaml` of the home, else the earlier layout's `redis.yaml`. The files that it names under `paths.database`
    are left out: the server writes to `telemetry.db` and `event_buffer.db` of the home whatever stands there.
    Raises SettingsError.
    """
    path, earlier = blueplane_configs(home)
    if not path.is_file() and earlier.is_file():
        path = earlier
    content = read_yaml(path)
    # Until November 2025 host, port and db stood in `redis` itself.
    connection = _part(content, "redis", "connection") or _part(content, "connection") or _part(content, "redis")
    endpoint = _part(content, "http_endpoint")
    queue = _part(content, "streams", "message_queue")
    streams = {
        "queue": queue.get("name"),
        "group": queue.get("consumer_group"),
        "max_length": queue.get("max_length"),
        "dead_letter_max_length": _part(content, "streams", "dlq").get("max_length"),
    }
    settings = {
        "session_timeout_hours": _part(content, "timeouts", "session").get("inactive_timeout_hours"),
        "streams": _given(streams) or None,
    }
    if "host" in connection or "port" in connection:
        host = str(connection.get("host", pipeline.DEFAULT_REDIS_HOST))
        if ":" in host:
            host = f"[{host}]"  # an IPv6 address in a URL
        port = connection.get("port", pipeline.DEFAULT_REDIS_PORT)
        settings["redis_url"] = f"redis://{host}:{port}/{connection.get('db', 0)}"
    if "host" in endpoint or "port" in endpoint:
        host = endpoint.get("host", pipeline.DEFAULT_HTTP_HOST)
        port = endpoint.get("port", pipeline.DEFAULT_HTTP_PORT)
        if host == "0.0.0.0":
            host = "127.0.0.1"  # a server listens on all addresses; a caller needs one of them
        settings["http_url"] = f"http://{host}:{port}"
    return str(path), _given(settings)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without those that the file does not set."""
    return {name: value for name, value in values.items() if value is not None}


def _part(content: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        value = content.get(name)
        if not isinstance(value, Mapping):
            return {}
        content = value
    return content
