"""What goes over a connection to Redis, and the contract of what carries it."""

import math
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

Command = tuple[str | bytes | int, ...]
"""A command and its arguments."""


class ReplyError(Exception):
    """A reply that is an error, as the server words it: its code first (`WRONGTYPE …`)."""


class NoConnection(ConnectionError):
    """A connection did not come about, or broke. Its text is the doctor's own, and quotes nothing."""


class ProtocolError(Exception):
    """What came is no reply of Redis to that command, or is larger than a reply may be."""


class ReplyTooLarge(ProtocolError):
    """What came is larger than a reply may be."""


class Limits(NamedTuple):
    """What one connection may cost."""

    connect_seconds: float = 2.0
    """For finding the address and opening the connection."""
    reply_seconds: float = 2.0
    """For one whole reply, however it drips in; a page of the queue takes under 0.05 s."""
    reply_bytes: int = 64_000_000
    """For all replies of one round trip together. docs/DESIGN.md, "Light"."""
    connection_seconds: float = math.inf
    """For all that is asked over one connection, from its opening on."""
    end: float = math.inf
    """The moment, by time.monotonic(), at which all waiting ends: replies that each come just in time add up."""

    def remaining(self, seconds: float) -> float:
        """So many seconds, or what is left until the end. Raises TimeoutError when nothing is."""
        left = min(seconds, self.end - time.monotonic())
        if left <= 0:
            raise TimeoutError("the time for all replies is used up")
        return left


class Transport(Protocol):
    """A connection that is logged in.

    Its methods raise OSError (TimeoutError is one) and ProtocolError. After an exception it must be closed: a reply may
    still be under way, and would be taken for the next one.
    """

    def send(self, commands: Sequence[Command]) -> None:
        """Send commands and wait for nothing."""

    def receive(self) -> Any:
        """The next reply, in the order of the commands; that of a refused command is a ReplyError."""

    def is_gone(self) -> bool:
        """Whether the other side has closed it, as far as it is known here; asked while no reply is awaited."""

    def close(self) -> None:
        """Close the connection."""
