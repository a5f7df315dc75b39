"""Libraries without what they import beside their work, and a run has no use for."""

import sys
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any


class _LateModule:
    """Stands for a library until something of it is used; it is imported then."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def _module(self) -> ModuleType:
        return import_module(self._name)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._module, attribute)


if TYPE_CHECKING:
    import tempfile as tempfile

    import psutil as psutil
    import yaml as yaml
else:
    # Each takes 5 to 10 ms, and many runs need none: no process to look at, no file to write, no settings file.
    psutil = _LateModule("psutil")
    tempfile = _LateModule("tempfile")
    yaml = _LateModule("yaml")

_METADATA = "importlib.metadata"


def leave_out_plugins() -> None:
    """Keep pydantic, by which typer reads options, from looking for plug-ins: to be said before it is imported.

    It looks for them in the metadata of every installed package, and imports importlib.metadata, email and zipfile for
    it. PYDANTIC_DISABLE_PLUGINS comes too late for these imports, and whatever is started from here would inherit it.
    So this stands where the search would.
    """
    no_plugins = ModuleType("pydantic.plugin._loader")
    no_plugins.get_plugins = tuple  # type: ignore[attr-defined]  # a function without arguments: gives ()
    sys.modules.setdefault(no_plugins.__name__, no_plugins)


def load_tabulate() -> Callable[..., str]:
    """The function `tabulate`, imported when there is a table to show.

    Its library first looks up its own version in the metadata of installed packages, and imports importlib.metadata,
    email and zipfile for that: four fifths of its import.
    """
    if _METADATA in sys.modules:
        return _tabulate()
    sys.modules[_METADATA] = _without_versions()
    try:
        return _tabulate()
    finally:
        sys.modules.pop(_METADATA, None)


def _tabulate() -> Callable[..., str]:
    from tabulate import tabulate  # the caller has seen to what it imports in turn

    return tabulate


def _without_versions() -> ModuleType:
    """What stands for importlib.metadata meanwhile: it knows the version of no package."""
    stand_in = ModuleType(_METADATA)
    stand_in.PackageNotFoundError = ModuleNotFoundError  # type: ignore[attr-defined]

    def version(name: str) -> str:
        raise ModuleNotFoundError(name)

    def from_the_true_one(name: str) -> Any:
        """Another thread may ask for something else just then."""
        if name.startswith("__"):  # the import itself asks for `__path__`
            raise AttributeError(name)
        if sys.modules.get(_METADATA) is stand_in:
            del sys.modules[_METADATA]
        return getattr(import_module(_METADATA), name)

    stand_in.version = version  # type: ignore[attr-defined]
    stand_in.__getattr__ = from_the_true_one  # type: ignore[method-assign]
    return stand_in
