"""The settings as somebody else may see them: numbers, defaults and the pipeline's own names; the rest described."""

from pathlib import Path, PurePath
from typing import Any
from urllib.parse import urlsplit

from blueplane_doctor.pipeline import CURRENT, CURSOR_HOOKS, EARLIER
from blueplane_doctor.settings import Loaded, Settings, flat
from blueplane_doctor.text import word

_OWN_FILES = ("doctor.yaml", "config.yaml", "redis.yaml")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_STREAMS = [name for layout in (CURRENT, EARLIER) for name in (layout.queue, *layout.dead_letters)]
_NAMES = frozenset((*CURSOR_HOOKS, *_STREAMS, "yellow", "orange", "red"))
"""Names of the pipeline and of the doctor, which say nothing about who uses them."""


def settings_list(loaded: Loaded, known: frozenset[str]) -> list[dict[str, Any]]:
    """Each setting with its value and where it came from. `known` are further names that may be shown."""
    defaults = dict(flat(Settings().model_dump(mode="json")))
    home = str(Path.home())
    return [
        {
            "setting": _setting(name),
            "value": _default(value, home) if value == defaults.get(name) else described(value, _NAMES | known),
            "from": _origin(loaded.origins.get(name, "default")),
        }
        for name, value in flat(loaded.settings.model_dump(mode="json"))
    ]


def _default(value: Any, home: str) -> Any:
    """A default as it is, but for the name of a person's home folder."""
    return value.replace(home, "~", 1) if isinstance(value, str) and value.startswith(home) else value


def described(value: Any, known: frozenset[str]) -> Any:
    """A value that says nothing private: text that is not among the known names is only measured."""
    if isinstance(value, list):
        return [described(item, known) for item in value]
    if isinstance(value, dict):
        return {word(str(name)): described(item, known) for name, item in value.items()}
    if not isinstance(value, str) or value in known:
        return value
    return _url(value) if "://" in value else f"(not shown, {len(value)} characters)"


def _url(text: str) -> str:
    """The shape of a URL: its scheme and port, its host where it is this machine."""
    try:
        parts = urlsplit(text)
        host = parts.hostname if parts.hostname in _LOCAL else "***" if parts.hostname else ""
        login = "***@" if "@" in parts.netloc else ""
        return f"{word(parts.scheme)}://{login}{host}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return "(not shown: a URL)"


def _setting(name: str) -> str:
    return ".".join(word(part) for part in name.split("."))


def _origin(label: str) -> str:
    """A file by its name alone, and only if the doctor or the pipeline gave it that name."""
    if label in ("flag", "default") or label.startswith("BLUEPLANE_DOCTOR_"):
        return label
    name = PurePath(label).name
    return name if name in _OWN_FILES else "a settings file"
