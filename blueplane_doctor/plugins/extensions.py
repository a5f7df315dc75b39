"""Code from outside this package: files in the user's folders, and modules of other packages (entry points).

A file that other users may write to is not loaded: it would run with the rights of whoever calls the doctor.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path, PurePath
from stat import S_ISREG
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, NamedTuple

from blueplane_doctor.errors import FileMissing, FileUnreadable
from blueplane_doctor.files.ownership import stranger_of
from blueplane_doctor.files.reading import SOURCE_BYTES, file_state, read_bytes
from blueplane_doctor.plugins.mistakes import mistake_at_import
from blueplane_doctor.privacy.public_text import place

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Extension(NamedTuple):
    """One file or module from outside: loaded, or the reason why not."""

    name: str
    """Of the file, or of the entry point."""
    origin: str
    """Where it comes from, fit to be shown: never a private path."""
    module: ModuleType | None = None
    cause: str = ""


def extensions_of_packages(group: str) -> Iterator[Extension]:
    """The modules that installed packages name in an entry-point group, in order of name."""
    for entry in _entry_points(group):
        try:
            module = entry.load()
            if not isinstance(module, ModuleType):
                raise TypeError("it is no module; an entry point names a module")
        except (Exception, SystemExit) as error:
            yield Extension(entry.name, f"entry point {entry.value}", cause=mistake_at_import(error, None))
        else:
            yield Extension(entry.name, f"package {entry.value}", module)


def _entry_points(group: str) -> "list[EntryPoint]":
    """Those of the group, in order of name."""
    if not _may_be_named(group):
        return []
    # Importing it takes longer than looking, and hardly any machine has such a package.
    from importlib.metadata import entry_points

    return sorted(entry_points(group=group), key=lambda entry: entry.name)


def _may_be_named(group: str) -> bool:
    """Whether any installed package names the group, as far as folders on sys.path tell: True where they do not."""
    for finder in sys.meta_path:
        # The finder of folders is the one that is looked into here.
        if finder is not PathFinder and hasattr(finder, "find_distributions"):
            return True
    for entry in sys.path:
        folder = Path(entry)
        try:
            changed = os.stat(folder).st_mtime_ns
            texts = _texts_of_entry_points(folder, changed)
        except FileNotFoundError:
            continue
        except OSError:
            return True  # an archive, for example
        if any(group.encode() in text for text in texts):
            return True
    return False


@lru_cache(maxsize=256)  # there are two groups, and the service asks again and again
def _texts_of_entry_points(folder: Path, changed: int) -> tuple[bytes, ...]:
    """The entry_points.txt of each package that is installed in a folder, which changed last then. Raises OSError."""
    texts = []
    for name in os.listdir(folder):
        if name.lower().endswith((".dist-info", ".egg-info")) or name.lower() == "egg-info":
            texts.append(_text_or_nothing(os.path.join(folder, name, "entry_points.txt")))
    return tuple(texts)


def _text_or_nothing(path: str) -> bytes:
    """What a file holds of which most packages have none, and some hundreds are looked for.

    No owner is asked for here, which takes ten times as long: Python runs the code beside it without asking.
    """
    try:
        if not S_ISREG(os.stat(path).st_mode):
            return b""
        with open(path, "rb") as opened:
            return opened.read(SOURCE_BYTES)
    except OSError:
        return b""


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
    except FileUnreadable as error:
        cause = _unreadable(error)
    except (Exception, SystemExit) as error:
        cause = mistake_at_import(error, file)
    return Extension(PurePath(place(file)).name, place(file), cause=cause)


def _unreadable(error: FileUnreadable) -> str:
    return f"it cannot be read: {error.reason}"


def _refusal(path: Path) -> str:
    """Why the code there must not be run; empty when it may."""
    try:
        if not os.path.isdir(path) and file_state(path).st_size > SOURCE_BYTES:
            return f"it has more than {SOURCE_BYTES:,} bytes"
    except FileMissing:
        return "there is no such file or folder"
    except FileUnreadable as error:
        return _unreadable(error)
    stranger = stranger_of(path, is_code=True)
    if stranger is None:
        return ""
    return f"refused: {stranger.told(place(stranger.path))}; it is code, and would run with your rights"


class _OwnSource(SourceFileLoader):
    """Runs the source that was looked at: what lies compiled in `__pycache__` may be somebody else's."""

    def get_data(self, path: str | os.PathLike[str]) -> bytes:
        return read_bytes(Path(path), SOURCE_BYTES)

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _load(file: Path) -> ModuleType:
    # The hash keeps two files of the same name in two folders apart.
    name = f"blueplane_doctor_extension_{sha256(os.fsencode(file.resolve())).hexdigest()[:8]}_{file.stem}"
    if file.suffix != ".py":
        raise ImportError("it is not a Python file")
    spec = importlib.util.spec_from_file_location(name, file, loader=_OwnSource(name, str(file.absolute())))
    assert spec and spec.loader, "made with its loader"
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
