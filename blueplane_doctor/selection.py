"""Which checks run, and with which numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.errors import NoChecksError, SettingsError
from blueplane_doctor.settings import Settings


def matches(pattern: str, check_id: str, area: str) -> bool:
    """Whether a word of --select or --ignore (an id, an area, a glob) means this check."""
    return fnmatchcase(check_id, pattern) or pattern == area


def selected(checks: Iterable[CheckSpec], settings: Settings) -> list[CheckSpec]:
    """The checks to run, with the settings' thresholds in their scales, in order of area and id.

    Raises NoChecksError when none is left, SettingsError for a threshold that cannot be used.
    """
    everything = with_thresholds(checks, settings)
    chosen = [
        spec
        for spec in everything
        if (not settings.select or any(matches(p, spec.id, spec.area) for p in settings.select))
        and not any(matches(p, spec.id, spec.area) for p in settings.ignore)
    ]
    if not chosen:
        raise NoChecksError("no check is selected", _hint(settings, everything))
    return sorted(chosen, key=lambda spec: (spec.area, spec.id))


def meaningless(settings: Settings, checks: Sequence[CheckSpec]) -> list[str]:
    """Words of `select` and `ignore` that mean no check: worth a warning, for they are often typing errors."""
    words = [*settings.select, *settings.ignore]
    return [word for word in words if not any(matches(word, spec.id, spec.area) for spec in checks)]


def with_thresholds(checks: Iterable[CheckSpec], settings: Settings) -> list[CheckSpec]:
    """Every check with its scale as the settings want it. Raises SettingsError."""
    specs = {spec.id: spec for spec in checks}
    for check_id, thresholds in settings.thresholds.items():
        spec = specs.get(check_id)
        if spec is None:
            close = get_close_matches(check_id, specs, 1)
            raise SettingsError(
                f"thresholds.{check_id}: there is no such check",
                f"did you mean {close[0]}?" if close else "see: blueplane-doctor checks",
            )
        if spec.scale is None:
            raise SettingsError(f"thresholds.{check_id}: this check has no scale")
        specs[check_id] = replace(spec, scale=spec.scale.with_thresholds(thresholds, check_id))
    return list(specs.values())


def _hint(settings: Settings, checks: Sequence[CheckSpec]) -> str:
    names = sorted({name for spec in checks for name in (spec.id, spec.area)})
    for word in settings.select:
        if close := get_close_matches(word, names, 1):
            return f"{word} means nothing; did you mean {close[0]}?"
    return "see what there is: blueplane-doctor checks"
