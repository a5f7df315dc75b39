"""Why people are told something. The record of the messages names it too, so this imports nothing."""

from enum import StrEnum


class Kind(StrEnum):
    """Why something is told."""

    OPENED = "opened"
    WORSE = "worse"
    CHANGED = "changed"
    """The same findings have another cause than was told."""
    FLAPPING = "flapping"
    REMINDER = "reminder"
    OVER = "over"
    UNKNOWN = "unknown"
    TEST = "test"
