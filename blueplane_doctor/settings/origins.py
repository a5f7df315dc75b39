"""Where each setting comes from: the environment, all sources merged, and the source named in an error."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from blueplane_doctor.errors import ConfigUnusable, DocumentError, SettingsError, did_you_mean
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.model import descriptions_of
from blueplane_doctor.pipeline import CLAUDE_FOLDER_VARIABLE
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import InvalidRecord, Problem
from blueplane_doctor.settings.options import COMMAND_LINE_VARIABLES, ENV_PREFIX

_IN_JSON = frozenset({"streams", "routes", "thresholds", "instrument_targets"})
"""Settings whose environment variable holds JSON."""
_IN_CONFIG = {
    "redis_url": "redis.connection",
    "http_url": "http_endpoint",
    "session_timeout_hours": "timeouts.session.inactive_timeout_hours",
    "streams.queue": "streams.message_queue.name",
    "streams.group": "streams.message_queue.consumer_group",
    "streams.max_length": "streams.message_queue.max_length",
    "streams.dead_letter_max_length": "streams.dlq.max_length",
}
"""Settings that Blueplane's own file has under another name, and that name."""


def environment_values(names: Iterable[str]) -> dict[str, Any]:
    """Settings from environment variables; `__` goes one level down, lists of words and numbers are plain text.

    `names`: those of all settings. Read here and not by pydantic-settings, whose import alone costs a fifth of a whole
    run (docs/BENCHMARKS.md). Raises SettingsError.
    """
    values: dict[str, Any] = {}
    known = {ENV_PREFIX + name.upper() for name in names} | COMMAND_LINE_VARIABLES
    for variable, text in sorted(os.environ.items()):
        if not variable.startswith(ENV_PREFIX) or variable in COMMAND_LINE_VARIABLES:
            continue
        if variable.split("__")[0] not in known:
            hint = did_you_mean(variable, known, f"one of {', '.join(sorted(known))}")
            raise SettingsError(f"environment: {variable} is not a setting", hint)
        *above, name = variable.removeprefix(ENV_PREFIX).lower().split("__")
        place = values
        for part in above:
            place = place.setdefault(part, {})
        if name in _IN_JSON and not above:
            place[name] = _json_of(variable, text)
        else:
            place[name] = text
    return values


def _json_of(variable: str, text: str) -> Any:
    """Raises SettingsError."""
    try:
        return json_value(text)
    except DocumentError as error:
        hint = "lists and maps are given as JSON"
        problem = "not valid JSON"
        if error.limit:
            problem = error.message
        raise SettingsError(f"environment: {variable}: {problem}", hint) from error


def claude_folder_values() -> dict[str, Any]:
    """Where Claude Code keeps its files if its own variable names another folder than ~/.claude."""
    folder = os.environ.get(CLAUDE_FOLDER_VARIABLE, "")
    if not os.path.isabs(folder):
        return {}
    return {"claude_projects": f"{folder}/projects", "claude_settings": f"{folder}/settings.json"}


def merge(
    into: dict[str, Any], values: Mapping[str, Any], label: str, origins: dict[str, str], prefix: str = ""
) -> None:
    """Add values to those of earlier sources, and note by dotted name where each comes from."""
    for name, value in values.items():
        dotted = f"{prefix}{name}"
        if isinstance(value, Mapping) and isinstance(into.get(name, {}), dict):
            merge(into.setdefault(name, {}), value, label, origins, dotted + ".")
        else:
            into[name] = value
            variable = ENV_PREFIX + dotted.replace(".", "__").upper()
            origins[dotted] = variable if label == "environment" else label


def as_settings_error(
    error: InvalidRecord, model: type[Record], origins: Mapping[str, str], config_label: str
) -> SettingsError:
    """The first problem, with the source and the key that caused it, a value that can be used, and what it means.

    `model`: that of the settings. `config_label`: the origin of what stands in Blueplane's own file.
    """
    path = error.where
    message = error.message
    name = path[0]
    below = model.model_fields[name].annotation if name in model.model_fields else None
    if len(path) > 1 and isinstance(below, type) and issubclass(below, Record):
        model = below
        name = path[1]
    hint = ""
    if error.kind is Problem.UNKNOWN:
        message = "there is no such setting"
        hint = did_you_mean(path[-1], model.model_fields, "see: blueplane-doctor settings --init")
    elif name in model.model_fields:
        hint = _default_and_meaning(model, name)
    origin = _origin_of(path, origins)
    shown = f"{origin}: {error.place}"
    if origin == "flag":
        shown = f"--{error.place.replace('_', '-')}"
    if origin == config_label:
        dotted = ".".join(path)
        there = _IN_CONFIG.get(dotted, error.place)
        return ConfigUnusable(f"{origin}: {there}: {message}", hint, f"{Path(origin).name}: {there}: {message}", dotted)
    return SettingsError(f"{shown}: {message}", hint)


def _default_and_meaning(model: type[Record], name: str) -> str:
    default = model.model_fields[name].default
    shown = "none" if default is None else default
    meaning = descriptions_of(model).get(name, "")
    return f"the default ({shown}). {meaning}".rstrip()


def _origin_of(path: Sequence[str], origins: Mapping[str, str]) -> str:
    """Where the value at this path comes from: the nearest part above it that has an origin, else any part below it."""
    for length in range(len(path), 0, -1):
        name = ".".join(path[:length])
        if name in origins:
            return origins[name]
    start = ".".join(path) + "."
    for name, label in sorted(origins.items()):
        if name.startswith(start):
            return label
    return "settings"
