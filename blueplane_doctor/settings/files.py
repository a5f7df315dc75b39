"""The files that settings come from: the doctor's own, and Blueplane's config translated."""

import os
import shlex
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blueplane_doctor import pipeline
from blueplane_doctor.errors import ConfigUnusable, DocumentError, FileMissing, FileUnreadable, SettingsError
from blueplane_doctor.files.documents import refuse_broken_text, yaml_value
from blueplane_doctor.files.ownership import stranger_of
from blueplane_doctor.files.reading import SETTINGS_BYTES, file_state, read_text
from blueplane_doctor.files.user_paths import PATH_LIST_SETTINGS, PATH_SETTINGS, counted_from, usable_path
from blueplane_doctor.settings.notification_rules import names_a_command

DOCTOR_FILE = "doctor.yaml"
"""In the home, unless --settings names another file."""


def _read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file's mapping; empty when there is no such file. Raises SettingsError."""
    try:
        content = _yaml_of(path)
    except FileMissing:
        return {}
    if not isinstance(content, dict | None):
        raise SettingsError(f"{path}: must hold names and values, not {type(content).__name__}")
    return content or {}


def read_yaml_value(path: Path) -> Any:
    """Whatever a YAML file holds. Raises SettingsError."""
    try:
        return _yaml_of(path)
    except FileMissing as error:
        raise SettingsError(error.message, error.hint) from error


def _yaml_of(path: Path) -> Any:
    """Raises SettingsError, and FileMissing where there is no such file."""
    try:
        text = read_text(path, SETTINGS_BYTES)
        _refuse_open_to_all(path)
        return yaml_value(text)
    except FileMissing:
        raise
    except FileUnreadable as error:
        raise SettingsError(error.message, error.hint) from error
    except DocumentError as error:
        place = f"{path} line {error.line}" if error.line else str(path)
        raise SettingsError(f"{place}: {error.message}", error.hint) from error


def _refuse_open_to_all(path: Path) -> None:
    """Raise SettingsError for a file that everybody may write to: it decides what is examined, and what is waived."""
    if os.name != "nt" and file_state(path).st_mode & stat.S_IWOTH:
        raise SettingsError(
            f"{path}: every user may write to it", f"see what is in it, then: chmod o-w {shlex.quote(str(path))}"
        )


def _blueplane_configs(home: Path) -> list[Path]:
    """Blueplane's own files of settings, of which the first that exists counts: today's, and the earlier layout's."""
    return [home / "config.yaml", home / "redis.yaml"]


def read_blueplane_config(home: Path) -> tuple[str, dict[str, Any]]:
    """Blueplane's own settings in the doctor's names, with the file they came from.

    `config.yaml` of the home, else the earlier layout's `redis.yaml`. The files that it names under `paths.database`
    are left out: the server writes to `telemetry.db` and `event_buffer.db` of the home whatever stands there.
    Raises ConfigUnusable.
    """
    path, earlier = _blueplane_configs(home)
    if not os.path.lexists(path) and os.path.lexists(earlier):
        path = earlier
    try:
        content = _read_yaml(path)
    except SettingsError as error:
        reason = error.message.removeprefix(str(path)).lstrip(": ")
        raise ConfigUnusable(error.message, error.hint, f"{path.name}: {reason}") from error
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
    given = {}
    for name, value in values.items():
        if value is not None:
            given[name] = value
    return given


def _part(content: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        value = content.get(name)
        if not isinstance(value, Mapping):
            return {}
        content = value
    return content


def read_config_without(home: Path, without: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Blueplane's own file and its settings, without these. Raises ConfigUnusable."""
    if "" in without:
        return str(_blueplane_configs(home)[0]), {}
    label, values = read_blueplane_config(home)
    try:
        refuse_broken_values(label, values)
    except SettingsError as error:
        raise ConfigUnusable(
            error.message, error.hint, f"{Path(label).name}: it holds bytes that are not UTF-8"
        ) from None
    for dotted in without:
        name, _, below = dotted.partition(".")
        if below:
            values[name].pop(below, None)
        else:
            values.pop(name, None)
    return label, values


def read_own_settings(path: Path) -> dict[str, Any]:
    """The doctor's own settings; code only from a file that nobody else can change. Raises SettingsError."""
    values = counted_from(path.parent, _read_yaml(path))
    names = [name for name in PATH_LIST_SETTINGS if values.get(name)]
    if names_a_command(values.get("notify")):
        names.append("notify")
    stranger = stranger_of(path) if names else None
    if stranger:
        raise SettingsError(
            f"{path}: {names[0]} names code that would run with your rights, and others decide what stands there",
            f"{stranger.told()}; or name other settings with --settings",
        )
    return values


def refuse_broken_values(label: str, values: Mapping[str, Any]) -> None:
    """Raise SettingsError for text that is not UTF-8. A path may be: file names are bytes."""
    for name, value in values.items():
        if name in (*PATH_SETTINGS, *PATH_LIST_SETTINGS):
            continue
        try:
            refuse_broken_text(value)
        except DocumentError:
            raise SettingsError(f"{label}: {name}: it is no text: it holds bytes that are not UTF-8") from None


def home_folder(named: str | Path) -> Path:
    """Blueplane's home, as flags, environment or the default name it. Raises SettingsError."""
    try:
        return usable_path(Path(named))
    except ValueError as error:
        raise SettingsError(f"--home: {error}", "name Blueplane's folder, such as --home /home/me/.blueplane") from None


def files_of(home: Path, file: Path | None = None) -> list[Path]:
    """The files that `load` reads where they exist; `file` replaces `doctor.yaml` of the home."""
    return [*_blueplane_configs(home), file or home / DOCTOR_FILE]
