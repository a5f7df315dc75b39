"""Finding what is there, by folders and not by lists; and which checks run, with which numbers."""

import importlib
import importlib.util
import os
import pkgutil
import stat
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from blueplane_doctor.checkapi import MARK, CheckSpec, spec_of
from blueplane_doctor.errors import DoctorError, NoChecksError, SettingsError, did_you_mean
from blueplane_doctor.model import Finding, Remedy, Status
from blueplane_doctor.settings import Settings
from blueplane_doctor.sources.database_source import shown

if TYPE_CHECKING:
    from blueplane_doctor.monitoring import Monitor
    from blueplane_doctor.reports.base import Format

ENTRY_POINT_GROUP = "blueplane_doctor.checks"
BUILT_IN = "built-in"
"""Where the checks come from that are part of this package."""
_ON_CODE = (ImportError, NameError, AttributeError, TypeError, DoctorError)
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass
class Found:
    """The checks that could be loaded, and a finding for each file that could not."""

    checks: list[CheckSpec] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)


def modules_of(package: str) -> Iterator[ModuleType]:
    """Every module of a package's folder, in order of name."""
    folder = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda i: i.name):
        yield importlib.import_module(f"{package}.{info.name}")


@cache  # the service asks twice a second
def find_monitors() -> "Mapping[str, type[Monitor]]":
    """The monitors by the name of their record."""
    monitors: dict[str, type[Monitor]] = {}
    for module in modules_of("blueplane_doctor.monitoring"):
        if hasattr(module, "MONITOR"):
            monitors[module.MONITOR.name] = module.MONITOR
    return monitors


def find_formats() -> dict[str, "Format"]:
    """The report formats by name. A format whose own requirements are heavy imports them when it renders."""
    return {
        module.FORMAT.name: module.FORMAT
        for module in modules_of("blueplane_doctor.reports")
        if hasattr(module, "FORMAT")
    }


def find_format(name: str) -> "Format | None":
    """The format of that name, without loading the others; None when there is none. Its module has its name."""
    package = importlib.import_module("blueplane_doctor.reports")
    known = {info.name for info in pkgutil.iter_modules(package.__path__)}
    return getattr(importlib.import_module(f"{package.__name__}.{name}"), "FORMAT", None) if name in known else None


def find_checks(folders: Iterable[Path] = ()) -> Found:
    """Built-in checks, those of other packages, and those of the user's own folders or files."""
    found = Found()
    for module in modules_of("blueplane_doctor.checks"):
        found.checks += checks_in(module, BUILT_IN)
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda e: e.name):
        try:
            module = entry.load()
            if not isinstance(module, ModuleType):
                raise TypeError(f"{entry.value} is no module; an entry point names a module of checks")
            found.checks += checks_in(module, f"package {entry.value}")
        except (Exception, SystemExit) as error:
            found.problems.append(_problem(entry.name, f"entry point {entry.value}", _told(error, None)))
    for folder in folders:
        _find_in(folder, found)
    taken: dict[str, CheckSpec] = {}
    for spec in found.checks:
        if taken.setdefault(spec.id, spec) is not spec:
            told = f"{spec.function.__name__}: the id {spec.id} is taken by a check of {taken[spec.id].origin}"
            found.problems.append(_problem(spec.id, spec.origin, told))
    return Found(list(taken.values()), found.problems)


def meant_by(words: Iterable[str], checks: Sequence[CheckSpec]) -> set[str]:
    """The ids that words of --select or --ignore mean: a check by its id, else those of an area, or of a glob.

    A check that is called as its area is itself alone: who leaves `dead-letters` out wants to hear of their growth.
    """
    ids = {spec.id for spec in checks}
    return {
        spec.id
        for word in words
        for spec in checks
        if (spec.id == word if word in ids else spec.area == word or fnmatchcase(spec.id, word))
    }


def selected(checks: Iterable[CheckSpec], settings: Settings) -> list[CheckSpec]:
    """The checks to run, with the settings' thresholds in their scales, in order of area and id.

    Raises NoChecksError when none is left, SettingsError for a threshold that cannot be used.
    """
    everything = with_thresholds(checks, settings)
    wanted = meant_by(settings.select or ("*",), everything) - meant_by(settings.ignore, everything)
    chosen = [spec for spec in everything if spec.id in wanted]
    if not chosen:
        names = sorted({name for spec in everything for name in (spec.id, spec.area)})
        for word in settings.select:
            if hint := did_you_mean(word, names, ""):
                raise NoChecksError("no check is selected", f"{word} means nothing; {hint}")
        raise NoChecksError("no check is selected", "see what there is: blueplane-doctor checks")
    return sorted(chosen, key=lambda spec: (spec.area, spec.id))


def meaningless(settings: Settings, checks: Sequence[CheckSpec]) -> list[str]:
    """Words of `select` and `ignore` that mean no check: worth a warning, for they are often typing errors."""
    words = [*settings.select, *settings.ignore]
    return [word for word in words if not meant_by([word], checks)]


def with_thresholds(checks: Iterable[CheckSpec], settings: Settings) -> list[CheckSpec]:
    """Every check with its scale as the settings want it. Raises SettingsError."""
    specs = {spec.id: spec for spec in checks}
    for check_id, thresholds in settings.thresholds.items():
        spec = specs.get(check_id)
        if spec is None:
            hint = did_you_mean(check_id, specs, "see: blueplane-doctor checks")
            raise SettingsError(f"thresholds.{check_id}: there is no such check", hint)
        if spec.scale is None:
            raise SettingsError(f"thresholds.{check_id}: this check has no scale")
        specs[check_id] = replace(spec, scale=spec.scale.with_thresholds(thresholds, check_id))
    return list(specs.values())


def checks_in(module: ModuleType, origin: str) -> list[CheckSpec]:
    """The `check_*` functions that a module defines itself, in order of name."""
    specs = []
    for name, value in sorted(vars(module).items()):
        if name.startswith("check_") and isinstance(value, FunctionType) and value.__module__ == module.__name__:
            area = module.__name__.rpartition(".")[2].removeprefix("check_")
            spec: CheckSpec = getattr(value, MARK, None) or spec_of(value, area, None)
            specs.append(replace(spec, origin=origin))
    return specs


def _find_in(path: Path, found: Found) -> None:
    if not path.exists():
        found.problems.append(_problem(path.name, shown(path), "there is no such file or folder"))
        return
    for file in sorted(path.glob("check_*.py")) if path.is_dir() else [path]:
        if refusal := _refusal(path) or _refusal(file):
            found.problems.append(_problem(file.name, shown(file), refusal))
            continue
        try:
            found.checks += checks_in(_load(file), shown(file))
        except (Exception, SystemExit) as error:
            found.problems.append(_problem(file.name, shown(file), _told(error, file)))


def _refusal(path: Path) -> str:
    state = path.stat()
    if state.st_mode & _OTHERS_MAY_WRITE:
        return f"refused: other users may write to {shown(path)}, and a check is code; chmod go-w {shown(path)}"
    if hasattr(os, "getuid") and state.st_uid not in (0, os.getuid()):
        return f"refused: {shown(path)} belongs to another user, and a check is code"
    return ""


def _load(file: Path) -> ModuleType:
    name = f"blueplane_doctor_checks_{sha256(str(file.resolve()).encode()).hexdigest()[:8]}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and typing look a class's module up by its name
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no __pycache__ in the user's folder
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.dont_write_bytecode = writes
    return module


def _told(error: BaseException, file: Path | None) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}" if error.lineno else error.msg
    frames = traceback.extract_tb(error.__traceback__)
    line = next((f.lineno for f in reversed(frames) if file and Path(f.filename) == file.absolute()), None)
    where = f"line {line}: " if line else ""
    said = f": {error}" if isinstance(error, _ON_CODE) else ""  # others may quote what the file read
    return f"{where}{type(error).__name__}{said}"


def _problem(name: str, where: str, told: str) -> Finding:
    return Finding(
        id=f"check-file:{name}",
        area="checks",
        status=Status.ERROR,
        summary=f"The checks in {where} could not be loaded",
        cause=f"{where}: {told}",
        remedy=Remedy(text="Mend the file, or leave its folder out of the settings."),
    )
