"""What is true of a situation, as plain data that a test compares with."""

from dataclasses import dataclass, field
from typing import Any, Literal

DatabaseState = Literal["intact", "damaged", "no tables", "missing"]


@dataclass
class Truth:
    """What the builder of a situation knows. None: the situation claims nothing about it.

    Messages are counted once each, whichever groups they are pending in, and by their owner's writer group: what only
    the other writer group has not acknowledged is nobody's loss and nobody's wait.
    """

    written: int | None = None
    """Messages in the stream whose row is in the database."""
    waiting: int | None = None
    """Messages in the stream that their writer group was never given; no row."""
    pending: int | None = None
    """Messages in the stream that are delivered and unacknowledged; no row."""
    written_not_acknowledged: int | None = None
    """Delivered and unacknowledged, and their row is there."""
    delivered_again: int | None = None
    """Behind the place of their rewound group, so that it will be given them again; their row is there."""
    lost: int | None = None
    """Acknowledged; no row was ever there, and no dead letter was ever made."""
    trimmed_unread: tuple[int, int] | None = None
    """Least and most messages that may have left the stream before their own writer group was given them, as far as
    Redis and the database can tell. Not the cut that belongs to the other group."""
    cut_unread: int | None = None
    """How many those really are, as the builder alone knows."""
    payload_gone: int | None = None
    """Pending; no row, and their entry is no longer in the stream."""
    nobodys: int | None = None
    """In the stream, delivered, never acknowledged, pending nowhere (their consumer or group was deleted); no row."""
    passed_by: int | None = None
    """In the stream, before the place of their group (made at `$`, or moved on), and never given to it; no row."""
    dead_lettered: int | None = None
    """Messages whose dead letter can still be read; no row."""
    letters_dropped: int | None = None
    """Dead letters that were made and are no longer in their stream."""
    rows_gone: int | None = None
    """Messages in the stream whose row was written and is no longer there."""
    rows: int | None = None
    """Rows in both trace tables of the database that the pipeline writes to."""
    stream_exists: bool | None = None
    stream_length: int | None = None
    groups_missing: tuple[str, ...] | None = None
    """Writer groups that are not there."""
    refusal: str | None = None
    """The error code with which Redis refuses XADD: OOM, MISCONF, READONLY, NOREPLICAS, BUSY, LOADING; "" where it
    takes it, "no answer" where none comes."""
    database: DatabaseState | None = None
    """What SQLite says of a copy of the database and all files beside it."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else a test may compare with: names, times in seconds, settings. Not verified by observation.

    `redis_url`, where it is there, is what the doctor has to be given in place of the server's own URL.
    """

    def claims(self) -> dict[str, Any]:
        """What is claimed and can be observed."""
        return {name: value for name, value in vars(self).items() if name != "facts" and value is not None}
