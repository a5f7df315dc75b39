"""Finding what is there, by folders and not by lists; and which checks run, with which numbers."""

import importlib
import os
import pkgutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from blueplane_doctor.causeapi import CAUSE_MARK, CauseSpec
from blueplane_doctor.checkapi import MARK, CheckSpec, spec_of
from blueplane_doctor.errors import NoChecksError, SettingsError, did_you_mean
from blueplane_doctor.model import Finding, Remedy, Status
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.plugins.extensions import extensions_in, extensions_of_packages
from blueplane_doctor.plugins.mistakes import mistaken_name, mistaken_parameter
from blueplane_doctor.records.base import Record
from blueplane_doctor.settings.values import Settings

if TYPE_CHECKING:
    from blueplane_doctor.reports.base import Format

CHECKS_GROUP = "blueplane_doctor.checks"
MONITORS_GROUP = "blueplane_doctor.monitors"
"""Entry-point groups in which other packages name modules of checks, and of monitors."""
BUILT_IN = "built-in"
"""Where the checks come from that are part of this package."""


@dataclass(eq=False, repr=False)
class AvailableChecks:
    """The checks that could be loaded, and a finding for each file, of checks or of monitors, that could not."""

    checks: list[CheckSpec] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    causes: list[CauseSpec] = field(default_factory=list)

    @property
    def built_in_ids(self) -> frozenset[str]:
        """Ids of the checks and causes that are part of this package; any other id its author chose."""
        specs: list[CheckSpec | CauseSpec] = [*self.checks, *self.causes]
        return frozenset(spec.id for spec in specs if spec.origin == BUILT_IN)


class _Monitors(NamedTuple):
    by_name: Mapping[str, type[Monitor]]
    problems: list[Finding]


def modules_of(package: str) -> Iterator[ModuleType]:
    """Every module of a package's folder, in order of name."""
    folder = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda info: info.name):
        yield importlib.import_module(f"{package}.{info.name}")


def find_monitors(paths: Iterable[Path] = ()) -> Mapping[str, type[Monitor]]:
    """The monitors by the name of their record: built-in ones, those of other packages, those of folders or files."""
    return _find_monitors(tuple(paths)).by_name


@cache  # the service asks twice a second
def _find_monitors(paths: tuple[Path, ...]) -> _Monitors:
    monitors: dict[str, type[Monitor]] = {}
    for module in modules_of("blueplane_doctor.monitoring"):
        if hasattr(module, "MONITOR"):
            monitors[module.MONITOR.name] = module.MONITOR
    problems = []
    for extension in (*extensions_of_packages(MONITORS_GROUP), *extensions_in(paths, "monitor_*.py")):
        monitor: Any = getattr(extension.module, "MONITOR", None)
        cause = extension.cause or _mistake_of_monitor(monitor, monitors)
        if cause:
            problems.append(_problem("monitor", extension.name, extension.origin, cause))
        else:
            monitors[monitor.name] = monitor
    return _Monitors(monitors, problems)


def _mistake_of_monitor(monitor: object, taken: Mapping[str, type[Monitor]]) -> str:
    """Why this cannot be used as a monitor; empty when it can."""
    if monitor is None:
        return "it does not set MONITOR to the class of its monitor"
    if not isinstance(monitor, type) or not issubclass(monitor, Monitor):
        return "MONITOR is not a subclass of blueplane_doctor.monitoring.Monitor"
    name = getattr(monitor, "name", None)
    record = getattr(monitor, "record", None)
    if not isinstance(name, str) or not name.isidentifier():
        return f"{monitor.__name__}.name must be a word that checks can use as a parameter"
    if not isinstance(record, type) or not issubclass(record, Record):
        return f"{monitor.__name__}.record must be a subclass of blueplane_doctor.Record"
    if name == "scale" or name in taken:
        return f"{monitor.__name__}.name: the name {name} is taken"
    return ""


def find_formats() -> dict[str, "Format"]:
    """The report formats by name. A format whose own requirements are heavy imports them when it renders."""
    formats = {}
    for module in modules_of("blueplane_doctor.reports"):
        if hasattr(module, "FORMAT"):
            formats[module.FORMAT.name] = module.FORMAT
    return formats


def find_format(name: str) -> "Format | None":
    """The format of that name, without loading the others; None when there is none. Its module has its name."""
    package = importlib.import_module("blueplane_doctor.reports")
    known = {info.name for info in pkgutil.iter_modules(package.__path__)}
    if name not in known:
        return None
    return getattr(importlib.import_module(f"{package.__name__}.{name}"), "FORMAT", None)


def find_checks(paths: Iterable[Path] = (), monitor_paths: Iterable[Path] = ()) -> AvailableChecks:
    """Built-in checks, those of other packages, and those of the user's own folders or files.

    `monitor_paths`: where the user's own monitors are; files of these that could not be loaded are reported too.
    """
    specs = []
    causes = []
    problems = [*_find_monitors(tuple(monitor_paths)).problems]
    for module in modules_of("blueplane_doctor.checks"):
        specs += checks_in(module, BUILT_IN)
        causes += causes_in(module, BUILT_IN)
    for extension in (*extensions_of_packages(CHECKS_GROUP), *extensions_in(paths, "check_*.py")):
        if extension.module is None:
            problems.append(_problem("check", extension.name, extension.origin, extension.cause))
        else:
            specs += checks_in(extension.module, extension.origin)
            causes += causes_in(extension.module, extension.origin)
    for extension in extensions_in(folders_of(paths), "cause_*.py"):
        if extension.module is None:
            problems.append(_problem("cause", extension.name, extension.origin, extension.cause))
        elif mistake := _undeclared(extension.module):
            problems.append(_problem("cause", extension.name, extension.origin, mistake))
        else:
            causes += causes_in(extension.module, extension.origin)
    by_id: dict[str, CheckSpec] = {}
    usable, mistaken = _usable(causes, {spec.id for spec in specs}, _find_monitors(tuple(monitor_paths)).by_name)
    problems += mistaken
    for spec in specs:
        first = by_id.setdefault(spec.id, spec)
        if first is not spec:
            cause = f"{spec.function.__name__}: the id {spec.id} is taken by a check of {first.origin}"
            problems.append(_problem("check", spec.id, spec.origin, cause))
    return AvailableChecks(list(by_id.values()), problems, usable)


def _usable(
    causes: Iterable[CauseSpec], check_ids: Collection[str], records: Collection[str]
) -> tuple[list[CauseSpec], list[Finding]]:
    """The causes that can be told, each id once, and a finding for each of the others."""
    usable: dict[str, CauseSpec] = {}
    problems = []
    for spec in causes:
        # A sign that is no check would keep it from ever being told. What it brings may be checks of another package.
        mistake = mistaken_name(spec.function, "shown_by", spec.shown_by, check_ids)
        mistake = mistake or mistaken_parameter(spec.function, spec.needs, records)
        if spec.id in usable:
            mistake = f"{spec.function.__name__}: the id {spec.id} is taken by a cause of {usable[spec.id].origin}"
        if mistake:
            problems.append(_problem("cause", spec.id, spec.origin, mistake))
        else:
            usable[spec.id] = spec
    return list(usable.values()), problems


def meant_by(words: Iterable[str], checks: Sequence[CheckSpec]) -> set[str]:
    """The ids that words of --select or --ignore mean: a check by its id, else those of an area, or of a glob.

    A check that is called as its area is itself alone: who leaves `dead-letters` out wants to hear of their growth.
    """
    ids = {spec.id for spec in checks}
    meant: set[str] = set()
    for word in words:
        if word in ids:
            meant.add(word)
        else:
            matching = []
            for spec in checks:
                if spec.area == word or fnmatchcase(spec.id, word):
                    matching.append(spec.id)
            meant.update(matching)
    return meant


def selected(checks: Iterable[CheckSpec], settings: Settings, problems: Iterable[Finding] = ()) -> list[CheckSpec]:
    """The checks to run, with the settings' thresholds in their scales, in order of area and id.

    `problems`: the files that could not be loaded; what is selected may be in one of them.

    Raises NoChecksError when none is left, SettingsError for a threshold that cannot be used.
    """
    everything = with_thresholds(checks, settings)
    wanted = meant_by(settings.select or ("*",), everything) - meant_by(settings.ignore, everything)
    chosen = [spec for spec in everything if spec.id in wanted]
    if not chosen:
        reasons = [f"; {problem.cause}" for problem in problems]
        raise NoChecksError(f"no check is selected{''.join(reasons)}", _hint_for(settings.select, everything))
    return sorted(chosen, key=lambda spec: (spec.area, spec.id))


def _hint_for(words: Iterable[str], checks: Sequence[CheckSpec]) -> str:
    """What the first mistyped word may mean."""
    names = set()
    for spec in checks:
        names |= {spec.id, spec.area}
    for word in words:
        hint = did_you_mean(word, sorted(names), "")
        if hint:
            return f"{word} is no check, no area and no pattern; {hint}"
    return "see what there is: blueplane-doctor checks"


def meaningless(settings: Settings, checks: Sequence[CheckSpec]) -> list[str]:
    """Words of `select` and `ignore` that mean no check: worth a warning, for they are often typing errors."""
    words = [*settings.select, *settings.ignore]
    return [word for word in words if not meant_by([word], checks)]


def with_thresholds(checks: Iterable[CheckSpec], settings: Settings) -> list[CheckSpec]:
    """Every check with its scale as the settings want it. Raises SettingsError."""
    specs = {spec.id: spec for spec in checks}
    for check_id, thresholds in settings.thresholds.items():
        try:
            specs[check_id] = _with_threshold(specs, check_id, thresholds)
        except SettingsError as error:
            sources = ", ".join(settings.origins_of(f"thresholds.{check_id}"))
            message = f"{sources}: {error.message}" if sources else error.message
            raise SettingsError(message, error.hint) from None
    return list(specs.values())


def _with_threshold(specs: Mapping[str, CheckSpec], check_id: str, thresholds: Mapping[str, float | None]) -> CheckSpec:
    """One check with other numbers. Raises SettingsError, which does not name the source."""
    spec = specs.get(check_id)
    if spec is None:
        hint = did_you_mean(check_id, specs, "see: blueplane-doctor checks")
        raise SettingsError(f"thresholds.{check_id}: there is no such check", hint)
    if spec.scale is None:
        raise SettingsError(f"thresholds.{check_id}: this check has no scale")
    return spec._replace(scale=spec.scale.with_thresholds(thresholds, check_id))


def checks_in(module: ModuleType, origin: str) -> list[CheckSpec]:
    """The `check_*` functions that a module defines itself, in order of name."""
    area = module.__name__.rpartition(".")[2].removeprefix("check_")
    specs = []
    for name, value in sorted(vars(module).items()):
        own = isinstance(value, FunctionType) and value.__module__ == module.__name__
        if name.startswith("check_") and own:
            spec: CheckSpec = getattr(value, MARK, None) or spec_of(value, area, None)
            specs.append(spec._replace(origin=origin))
    return specs


def causes_in(module: ModuleType, origin: str) -> list[CauseSpec]:
    """The `cause_*` functions that a module defines itself and declares with @cause, in order of name."""
    specs = []
    for name, value in sorted(vars(module).items()):
        own = isinstance(value, FunctionType) and value.__module__ == module.__name__
        spec: CauseSpec | None = getattr(value, CAUSE_MARK, None)
        if name.startswith("cause_") and own and spec is not None:
            specs.append(spec._replace(origin=origin))
    return specs


def _undeclared(module: ModuleType) -> str:
    """The sentence for the first `cause_*` function that is not declared; empty where all are."""
    for name, value in sorted(vars(module).items()):
        own = isinstance(value, FunctionType) and value.__module__ == module.__name__
        if name.startswith("cause_") and own and not hasattr(value, CAUSE_MARK):
            return f"line {value.__code__.co_firstlineno}: {name} is not declared with @cause"
    return ""


def folders_of(paths: Iterable[Path]) -> list[Path]:
    """Those that are folders: a file that is named itself holds checks."""
    return [path for path in paths if os.path.isdir(path)]


def _problem(kind: str, name: str, origin: str, cause: str) -> Finding:
    return Finding(
        id=f"{kind}-file:{name}",
        area=f"{kind}s",
        status=Status.ERROR,
        summary=f"The {kind}s in {origin} could not be loaded",
        cause=f"{origin}: {cause}",
        remedy=Remedy(text="Correct the file, or leave its folder out of the settings."),
    )
