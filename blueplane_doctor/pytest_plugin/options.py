"""The `--blueplane…` options: what the command line calls `--select` is `--blueplane-select` here, and so on."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from blueplane_doctor.errors import DoctorError
    from blueplane_doctor.model import Report
    from blueplane_doctor.settings import Settings

_VARIABLE = "BLUEPLANE_DOCTOR_"
_VALUES = {
    "redis-url": ("URL", "the Redis to examine"),
    "database": ("FILE", "the telemetry database"),
    "home": ("DIR", "Blueplane's home, default ~/.blueplane"),
    "settings": ("FILE", "the doctor's settings, default doctor.yaml in the home"),
    "fail-on": ("COLOUR", "a check fails from this colour on: yellow, orange (default), red, or new:COLOUR"),
    "timeout": ("SECONDS", "time that reading may take, default 30"),
    "baseline": ("REPORT.json", "compare with this report"),
    "waivers": ("FILE", "waivers kept beside the code: a YAML list"),
    "from-evidence": ("FILE", "judge what blueplane-doctor --save-evidence kept; nothing else is read"),
}
_LISTS = {
    "checks": ("DIR", "your own checks: a folder or file; repeatable"),
    "select": ("WORDS", "collect only these checks: ids, areas, globs; repeatable"),
    "ignore": ("WORDS", "leave these checks out: ids, areas, globs; repeatable"),
}
_FLAGS = ("redis_url", "database", "home", "checks", "fail_on", "strict", "timeout")
_PATHS = ("home", "database", "event_buffer", "cursor_hooks", "checks")


def add_options(parser: pytest.Parser) -> None:
    """Declare the options. The variables BLUEPLANE_DOCTOR_… mean the same as on the command line."""
    group = parser.getgroup("blueplane", "health checks of the Blueplane telemetry pipeline (blueplane-doctor)")
    group.addoption("--blueplane", action="store_true", help="collect every health check as a test")
    for name, (metavar, text) in _VALUES.items():
        group.addoption(f"--blueplane-{name}", metavar=metavar, help=text)
    for name, (metavar, text) in _LISTS.items():
        group.addoption(f"--blueplane-{name}", action="append", metavar=metavar, help=text)
    strict = {"dest": "blueplane_strict", "action": "store_const"}
    group.addoption("--blueplane-strict", const=True, help="unknown and skipped checks fail too", **strict)
    group.addoption("--blueplane-no-strict", const=False, help="they are skipped, whatever the settings say", **strict)


def load_settings(config: pytest.Config) -> "Settings":
    """The settings in force, with the waivers beside the code; relative paths are those of pytest's start.

    Raises SettingsError.
    """
    from blueplane_doctor.settings import load

    flags = {name: _given(config, name) for name in _FLAGS}
    words = {name: " ".join(_given(config, name) or []) or None for name in ("select", "ignore")}
    settings = load(flags | words, file=file_given(config, "settings")).settings
    start = config.invocation_params.dir
    changes: dict[str, Any] = {name: _from(start, getattr(settings, name)) for name in _PATHS}
    if waivers := file_given(config, "waivers", "WAIVERS_FILE"):
        from blueplane_doctor.waivers import read_waivers

        changes["waivers"] = [*settings.waivers, *read_waivers(waivers)]
    return settings.model_copy(update=changes)


def load_baseline(config: pytest.Config, settings: "Settings") -> "Report | None":
    """The report to compare with. Raises UsageError when it cannot be read, or is needed and not named."""
    from blueplane_doctor.errors import UsageError
    from blueplane_doctor.reports.saved import read_report

    path = file_given(config, "baseline")
    if path is None and settings.fail_on_new:
        raise UsageError("--fail-on new:… needs a report to compare with", "name it with --blueplane-baseline")
    return read_report(path) if path else None


def file_given(config: pytest.Config, name: str, variable: str = "") -> Path | None:
    """The file that an option, or else its environment variable, names."""
    value = _given(config, name) or os.environ.get(_VARIABLE + (variable or name.upper()))
    return config.invocation_params.dir / value if value else None


def told(error: "DoctorError") -> str:
    """An error's message and hint, with options by the names that they have here."""
    message = f"--blueplane-{error.message[2:]}" if error.message.startswith("--") else error.message
    return f"{message}\n  try: {error.hint}" if error.hint else message


def _given(config: pytest.Config, name: str) -> Any:
    return config.getoption(f"blueplane_{name}")


def _from(folder: Path, value: Path | list[Path] | None) -> Path | list[Path] | None:
    if isinstance(value, list):
        return [folder / path for path in value]
    return folder / value if value else None
