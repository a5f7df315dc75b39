"""All situations: importing this module fills the registry from the modules of the sections."""

from tests.truth import (
    counters,
    headline,
    in_order,
    on_the_server,
    one_message,
    remedies,
    servers_and_logs,
    words_and_clocks,
    writable,
)
from tests.truth.registry import SITUATIONS, Entry

__all__ = ["SITUATIONS", "Entry", "on_servers"]

_SECTIONS = (
    headline,
    writable,
    counters,
    words_and_clocks,
    remedies,
    on_the_server,
    servers_and_logs,
    one_message,
    in_order,
)


def on_servers(*sections: str) -> list[tuple[str, str]]:
    """Name and server of each situation of these sections, by default of all; for pytest's parametrization."""
    chosen = [entry for entry in SITUATIONS.values() if not sections or entry.section in sections]
    pairs: list[tuple[str, str]] = []
    for entry in chosen:
        pairs.extend((entry.name, server) for server in entry.servers)
    return pairs
