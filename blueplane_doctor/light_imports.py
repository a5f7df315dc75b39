"""Libraries without what they import beside their work, and a run has no use for."""

import dataclasses
import re
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from blueplane_doctor.patterns import pattern

_METADATA = "importlib.metadata"
_OF_PYDANTIC = ("main", "fields", "functional_validators", "types")


def leave_out_plugins() -> None:
    """Keep pydantic from looking for plug-ins, which has to be said before it is imported.

    It looks for them in the metadata of every installed package, and imports importlib.metadata, email and zipfile for
    it. PYDANTIC_DISABLE_PLUGINS comes too late for these imports, and whatever is started from here would inherit it.
    So this stands where the search would.
    """
    no_plugins = ModuleType("pydantic.plugin._loader")
    no_plugins.get_plugins = tuple  # type: ignore[attr-defined]  # a function without arguments: gives ()
    sys.modules.setdefault(no_plugins.__name__, no_plugins)


def load_pydantic() -> None:
    """Import pydantic without descriptions and methods of its own classes that nobody asks for.

    For a program that needs it in any case. This saves 110 million instructions, 5 % of a run.
    """
    _import_with(_plain_typed_dicts, "pydantic_core")
    for name in _OF_PYDANTIC:
        _import_with(_small_dataclasses, f"pydantic.{name}")


def _import_with(stand_in: Callable[[], AbstractContextManager[None]], name: str) -> None:
    """Import a module with a stand-in; without it where a later release of the module wants the true thing."""
    try:
        with stand_in():
            import_module(name)
    except Exception:
        import_module(name)


class _PlainDict(dict[str, Any]):
    """What the classes derive from that would be a TypedDict."""

    def __init_subclass__(cls, total: bool = True) -> None:
        """Take what a TypedDict takes."""


class _TypedDict:
    """Stands for TypedDict as a base class."""

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (_PlainDict,)


@contextmanager
def _plain_typed_dicts() -> Iterator[None]:
    """Let TypedDict make plain classes: pydantic_core has 88, which only describe types, and a real one is dear."""
    source: Any = import_module("typing_extensions")  # in any case before: it may take over what typing has
    if sys.version_info >= (3, 12):  # where pydantic_core takes that of typing
        source = typing
    true = source.TypedDict
    source.TypedDict = _TypedDict()
    try:
        yield
    finally:
        source.TypedDict = true


@contextmanager
def _small_dataclasses() -> Iterator[None]:
    """Let `dataclass` write neither `__repr__` nor what refuses changes: each method is a text that is compiled."""
    true: Any = dataclasses.dataclass

    def dataclass(kind: type | None = None, /, **options: Any) -> Any:
        if kind is None:
            return lambda decorated: dataclass(decorated, **options)
        frozen = options.pop("frozen", False)
        options.pop("slots", None)  # the class would be made twice
        if frozen and options.get("eq", True) and vars(kind).get("__hash__") is None:
            options["unsafe_hash"] = True  # what is frozen has a hash
        kind.__doc__ = kind.__doc__ or kind.__name__  # else it is made of the signature
        return true(kind, **{**options, "repr": False})

    dataclasses.dataclass = dataclass
    try:
        yield
    finally:
        dataclasses.dataclass = true


def load_yaml() -> ModuleType:
    """PyYAML, whose regular expressions take three quarters of its import: 68 million instructions, 3 % of a run.

    Its parser in C does without most of them.
    """
    if "yaml" in sys.modules:
        return import_module("yaml")  # which waits where another thread is importing it just now
    source: Any = re
    true = source.compile
    source.compile = pattern
    try:
        return import_module("yaml")
    finally:
        source.compile = true


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
    from tabulate import tabulate

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
