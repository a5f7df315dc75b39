"""The registry of faults: each with a name, what it touches, what a report must say of it, and how it is made."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from tests.faults.stage import OTHER_SERVER, SERVER, Stage, stage
from tests.truth.situation import Situation

Section = Literal["Redis", "database", "files", "surroundings"]
Apply = Callable[[Stage], contextlib.AbstractContextManager[None]]

READING = (
    *("examine", "trace", "dlq", "watch", "record", "history", "status"),
    *("repair", "support", "evidence", "install", "probe"),
)
"""Commands that read the pipeline; `serve` and `pytest` examine as `examine` does, and take longer to start."""
WHOLE = (*READING, "serve", "pytest", "instrument")


@dataclass(frozen=True)
class Fault:
    """One fault."""

    name: str
    section: Section
    apply: Apply
    commands: tuple[str, ...]
    """Those that are run on it."""
    says: tuple[str, ...] = ()
    """Words of the true cause: a report has to hold one of them. Empty: the pipeline may be in order."""
    blinds: frozenset[str] = frozenset()
    """Areas of checks that cannot be judged because of it; all others have to be."""
    changes: bool = False
    """Whether the fault itself changes what is examined while the command runs."""
    codes: tuple[int, ...] = ()
    """Exit codes beside the usual ones, such as that of a signal."""
    silent: bool = False
    """Whether the report cannot be seen because of it."""
    needs_mounts: bool = False
    """Whether it takes a mount namespace, which not every machine allows."""
    prepare: Callable[[Situation], object] | None = None
    """What fills the pipeline, instead of some healthy work."""
    options: dict[str, str] = field(default_factory=dict)
    """Lines of redis.conf, with `_` for `-`."""

    @contextlib.contextmanager
    def staged(self, server: str) -> Iterator[Stage]:
        """A pipeline with this fault, on this server."""
        with stage(self.prepare, server, **self.options) as made, self.apply(made):
            yield made


FAULTS: dict[str, Fault] = {}
OF_REDIS = frozenset(("queue", "chain", "capture"))
"""Areas that nobody can judge without Redis."""
OF_DATABASE = frozenset(("database", "chain"))


def add(fault: Fault) -> None:
    """Enter a fault. A name is given once."""
    assert fault.name not in FAULTS, f"two faults are named {fault.name}"
    FAULTS[fault.name] = fault


Trial = tuple[str, str, str]
"""A fault, a command that is run on it, and the server."""


def every_trial() -> list[Trial]:
    """Every fault with every command that is run on it; those of Redis on both servers."""
    listed = []
    for fault in FAULTS.values():
        for command in fault.commands:
            listed.append((fault.name, command, SERVER))
            if fault.section == "Redis":
                listed.append((fault.name, command, OTHER_SERVER))
    return listed


def share() -> list[Trial]:
    """Every fault with one of its commands, each in its turn, and those of the sources with the examination too.

    It is what there is time for in CI.
    """
    listed = []
    for number, fault in enumerate(FAULTS.values()):
        chosen = fault.commands[number % len(fault.commands)]
        listed.append((fault.name, chosen, SERVER))
        if fault.section == "Redis":
            listed.append((fault.name, "examine", OTHER_SERVER))
        elif fault.section == "database" and chosen != "examine":
            listed.append((fault.name, "examine", SERVER))
    return listed
