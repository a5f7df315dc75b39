"""Code from outside this package: files in the user's folders, and modules of other packages (entry points).

A file that other users may write to is not loaded: it would run with the rights of whoever calls the doctor.
"""

import importlib.util
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from blueplane_doctor.mistakes import mistake_at_import
from blueplane_doctor.sources.database_source import shown

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Extension:
    """One file or module from outside: loaded, or the reason why not."""

    name: str
    """Of the file, or of the entry point."""
    origin: str
    """Where it comes from, fit to be shown: never a private path."""
    module: ModuleType | None = None
    cause: str = ""


def extensions_of_packages(group: str) -> Iterator[Extension]:
    """The modules that installed packages name in an entry-point group, in order of name."""
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        try:
            module = entry.load()
            if not isinstance(module, ModuleType):
                raise TypeError(f"{entry.value} is no module; an entry point of {group} names a module")
        except (Exception, SystemExit) as error:
            yield Extension(entry.name, f"entry point {entry.value}", cause=mistake_at_import(error, None))
        else:
            yield Extension(entry.name, f"package {entry.value}", module)


def extensions_in(paths: Iterable[Path], pattern: str) -> Iterator[Extension]:
    """The files of this pattern in folders, in order of name, and files that are named themselves."""
    for path in paths:
        if not path.exists():
            yield Extension(path.name, shown(path), cause="there is no such file or folder")
            continue
        files = sorted(path.glob(pattern)) if path.is_dir() else [path]
        for file in files:
            yield _load_safely(file, _refusal(path) or _refusal(file))


def _load_safely(file: Path, refusal: str) -> Extension:
    if refusal:
        return Extension(file.name, shown(file), cause=refusal)
    try:
        return Extension(file.name, shown(file), _load(file))
    except (Exception, SystemExit) as error:
        return Extension(file.name, shown(file), cause=mistake_at_import(error, file))


def _refusal(path: Path) -> str:
    """Why the code there must not be run; empty when it may."""
    state = path.stat()
    if state.st_mode & _OTHERS_MAY_WRITE:
        return (
            f"refused: other users may write to {shown(path)}, and it is code that would run with your rights; "
            f"chmod go-w {shown(path)}"
        )
    if hasattr(os, "getuid") and state.st_uid not in (0, os.getuid()):
        return f"refused: {shown(path)} belongs to another user, and it is code that would run with your rights"
    return ""


def _load(file: Path) -> ModuleType:
    # The hash keeps two files of the same name in two folders apart.
    name = f"blueplane_doctor_extension_{sha256(str(file.resolve()).encode()).hexdigest()[:8]}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and typing look a class's module up by its name
    writes_bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # no __pycache__ in the user's folder
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.dont_write_bytecode = writes_bytecode
    return module
