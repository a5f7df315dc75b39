"""Code from outside this package: files in the user's folders, and modules of other packages (entry points).

A file that other users may write to is not loaded: it would run with the rights of whoever calls the doctor.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path, PurePath
from types import ModuleType

from blueplane_doctor.errors import FileMissing, FileUnreadable
from blueplane_doctor.file_reading import SOURCE_BYTES, file_state
from blueplane_doctor.mistakes import mistake_at_import
from blueplane_doctor.ownership import stranger_of
from blueplane_doctor.text import place


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
                raise TypeError("it is no module; an entry point names a module")
        except (Exception, SystemExit) as error:
            yield Extension(entry.name, f"entry point {entry.value}", cause=mistake_at_import(error, None))
        else:
            yield Extension(entry.name, f"package {entry.value}", module)


def extensions_in(paths: Iterable[Path], pattern: str) -> Iterator[Extension]:
    """The files of this pattern in folders, in order of name, and files that are named themselves."""
    for path in paths:
        files = [path]
        refusal = ""
        if os.path.isdir(path):
            files = sorted(path.glob(pattern))
            refusal = _refusal(path)
        for file in files:
            yield _load_safely(file, refusal or _refusal(file))


def _load_safely(file: Path, refusal: str) -> Extension:
    if refusal:
        return Extension(PurePath(place(file)).name, place(file), cause=refusal)
    try:
        return Extension(PurePath(place(file)).name, place(file), _load(file))
    except (Exception, SystemExit) as error:
        return Extension(PurePath(place(file)).name, place(file), cause=mistake_at_import(error, file))


def _refusal(path: Path) -> str:
    """Why the code there must not be run; empty when it may."""
    try:
        if not os.path.isdir(path) and file_state(path).st_size > SOURCE_BYTES:
            return f"it has more than {SOURCE_BYTES:,} bytes"
    except FileMissing:
        return "there is no such file or folder"
    except FileUnreadable as error:
        return f"it cannot be read: {error.reason}"
    stranger = stranger_of(path, is_code=True)
    if stranger is None:
        return ""
    return f"refused: {stranger.told(place(stranger.path))}; it is code, and would run with your rights"


def _load(file: Path) -> ModuleType:
    # The hash keeps two files of the same name in two folders apart.
    name = f"blueplane_doctor_extension_{sha256(str(file.resolve()).encode()).hexdigest()[:8]}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError("it is not a Python file")
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
