"""The registry of situations: named builders, each with a sentence, a section of docs/TRUTH.md, and its truth."""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.servers import SERVERS
from tests.truth.situation import Situation

Section = Literal["A", "B", "C", "D", "E", "F", "N"]
"""A to F are those of docs/TRUTH.md; N is what is in order and must raise no alarm."""

Build = Callable[..., None]
ParameterSet = Any
"""What `pytest.param` makes; pytest does not export its type."""
ONE_SERVER = ("valkey-9.1",)
"""For what does not depend on the server."""


@dataclass(frozen=True)
class Entry:
    """One situation of the registry."""

    name: str
    section: Section
    sentence: str
    build: Build
    arguments: Mapping[str, Any]
    servers: tuple[str, ...]
    """The servers on which it is told apart: one where only the database or a file matters."""
    options: Mapping[str, str]
    """Lines of redis.conf, with `_` for `-`."""
    slow: bool

    @contextlib.contextmanager
    def built(self, server: str, folder: Path) -> Iterator[Situation]:
        """The situation on that server, built, with its truth filled in."""
        with Situation(server, folder, **self.options) as situation:
            self.build(situation, **self.arguments)
            yield situation


SITUATIONS: dict[str, Entry] = {}


def situation(
    section: Section,
    name: str,
    *,
    servers: tuple[str, ...] = SERVERS,
    options: Mapping[str, str] | None = None,
    slow: bool = False,
    **arguments: Any,
) -> Callable[[Build], Build]:
    """Register an instance of a builder under a name; one builder may have several, which differ in `arguments`.

    The builder's docstring is the sentence; `{name}` in it stands for an argument.
    """

    def register(build: Build) -> Build:
        assert name not in SITUATIONS, f"two situations are named {name}"
        parameters = inspect.signature(build).parameters.values()
        values = {parameter.name: parameter.default for parameter in parameters} | arguments
        sentence = (build.__doc__ or "").format(**values)
        SITUATIONS[name] = Entry(name, section, sentence, build, arguments, servers, options or {}, slow)
        return build

    return register


def instances(*names: str, quick: int = 0, servers: tuple[str, ...] = ()) -> list[ParameterSet]:
    """Parameters `name` and `server` of a test: each of these situations on each of its servers, or on `servers`.

    They are slow, but for the first `quick` of them on one server: of a few situations `make test-quick` judges all.
    """
    parameters: list[ParameterSet] = []
    for position, name in enumerate(names):
        entry = SITUATIONS[name]
        chosen = servers or entry.servers
        for server in chosen:
            marks = [pytest.mark.server]
            if position >= quick or server != chosen[0] or entry.slow:
                marks.append(pytest.mark.slow)
            parameters.append(pytest.param(name, server, id=f"{name}-{server}", marks=marks))
    return parameters


def named(*prefixes: str) -> list[str]:
    """The situations whose name begins with one of these, in the order of the registry."""
    return [name for name in SITUATIONS if name.startswith(prefixes)]
