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
from tests.truth.registry import SITUATIONS, Entry, instances, named

__all__ = ["MAIN_INSTANCES", "SITUATIONS", "Entry", "instances", "named"]

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

MAIN_INSTANCES = {entry.build: entry.name for entry in SITUATIONS.values()}
"""Of each builder the instance that is written first above it."""
