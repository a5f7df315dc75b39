"""The registry of situations: named builders, each with a sentence, a section of docs/TRUTH.md, and its truth."""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.servers import SERVERS
from tests.truth.situation import Situation

Section = Literal["A", "B", "C", "D", "E", "F", "N"]
"""A to F are those of docs/TRUTH.md; N is what is in order and must raise no alarm."""

Build = Callable[..., None]
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
