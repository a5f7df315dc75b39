"""What goes over a connection to Redis."""

Command = tuple[str | bytes | int, ...]
"""A command and its arguments."""


class ReplyError(Exception):
    """A reply that is an error, as the server words it: its code first (`WRONGTYPE …`)."""
