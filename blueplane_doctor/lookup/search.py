"""What is known of one message that is looked for, and the state that this shows."""

from dataclasses import dataclass, field

from blueplane_doctor.custody.absence import OF_UNKNOWN_GROUP, ROWS_DELETED, TABLES_BEGIN_LATER
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import CompiledRoute
from blueplane_doctor.custody.states import (
    DEAD_LETTERED,
    DUPLICATE,
    LOST,
    PAYLOAD_GONE,
    UNTRACEABLE,
    WRITTEN,
    PendingEntry,
    RowEvidence,
    state_of,
)
from blueplane_doctor.lookup.hops import Hop
from blueplane_doctor.lookup.near_matches import NearMatches
from blueplane_doctor.sources.dead_letters import DeadLetterEntry
from blueplane_doctor.sources.entry_ids import EntryId, entry_id, is_entry_id
from blueplane_doctor.sources.streams import StreamState
from blueplane_doctor.sources.transcript_search import FoundLine

NOT_FOUND = "not_found"
"""Neither in the stream nor anywhere else."""
_TOLD_BY_EARLIER_MESSAGES = ("", ROWS_DELETED, TABLES_BEGIN_LATER)
"""Reasons that hold only if the rows of the messages before it do not contradict them."""


@dataclass
class Search:
    """What is known of one message so far."""

    wanted: str
    """The ID that is looked for."""
    stream: StreamState
    """The queue and its groups as they were before anything else was read."""
    letter: DeadLetterEntry | None = None
    """The dead letter whose own ID was asked for; then `wanted` is its message, but for a message of the same ID."""
    message: Message | None = None
    """None when it is not in the stream."""
    route: CompiledRoute | None = None
    hops: list[Hop] = field(default_factory=list)
    dead_letters: list[Hop] = field(default_factory=list)
    line: FoundLine | None = None
    """The line of a transcript that has its ID."""
    state_at_source: str = ""
    """What it is where the pipeline has nothing of it; empty where nothing before the stream has it either."""
    is_pending: bool = False
    """Whether it is in the pending entries list of any writer group."""
    pending: PendingEntry | None = None
    """Its entry in the list of the group that has to write it."""
    row: RowEvidence = RowEvidence.NOT_LOOKED_UP
    absence: str = ""
    """Why it may have been handled although neither row nor dead letter is there; see absence.py."""
    delivered_meanwhile: bool = False
    """Whether its group was given it after the stream's state was read."""
    near: NearMatches = field(default_factory=NearMatches)
    """Messages that may be meant where none has this ID."""
    partial: bool = False

    def stream_id(self) -> EntryId | None:
        """Its place in the stream; None where that is not known."""
        if self.message:
            return self.message.id
        if is_entry_id(self.wanted):
            return entry_id(self.wanted.encode())
        return None

    def names(self) -> set[bytes | None]:
        """The IDs by which a dead letter may name it."""
        names: set[bytes | None] = {self.wanted.encode()}
        if self.message:
            names |= {self.message.raw_id, self.message.event_id}
        return names - {None, b""}

    def take(self, state: str) -> None:
        """Take what judging all earlier messages too has shown."""
        if state == DUPLICATE:
            self.row = RowEvidence.TAKEN
        elif state == LOST:
            self.absence = ""
        elif state == UNTRACEABLE and not self.absence:
            # Of all reasons only this one depends on the messages before it.
            self.absence = ROWS_DELETED

    def is_in_pipeline(self) -> bool:
        """Whether the stream, a writer, a row or a dead letter has it."""
        has_row = self.row is RowEvidence.CLAIMED
        return has_row or self.message is not None or bool(self.dead_letters) or self.is_pending

    def state(self) -> str:
        """The state of custody, else what is known of it before the stream, else NOT_FOUND."""
        if self.message:
            state = self.state_in_stream()
            if self.absence and (state == LOST or self.absence == OF_UNKNOWN_GROUP):
                return UNTRACEABLE
            return state
        if self.row is RowEvidence.CLAIMED:
            return WRITTEN
        if self.dead_letters:
            return DEAD_LETTERED
        if self.is_pending:
            return PAYLOAD_GONE
        return self.state_at_source or NOT_FOUND

    def state_in_stream(self) -> str:
        """The state of custody of a message in the stream, whatever else may explain what is not there."""
        has_key = False
        if self.message is not None and self.route is not None:
            has_key = bool(self.route.lookups(self.message))
        return state_of(
            has_writer=self.route is not None,
            is_delivered=self._is_delivered(),
            pending=self.pending,
            row=self.row,
            has_dead_letter=bool(self.dead_letters),
            has_key=has_key,
        )

    def depends_on_earlier_messages(self) -> bool:
        """Whether only judging all earlier messages tells the state of a message in the stream."""
        if self.message is None:
            return False
        state = self.state_in_stream()
        if state == LOST:
            # Of a malformed message there never was a row.
            return self.absence in _TOLD_BY_EARLIER_MESSAGES and not self.message.malformed()
        return state == WRITTEN or self.absence == TABLES_BEGIN_LATER

    def _is_delivered(self) -> bool:
        """Whether the group that has to write it was given it, as far as that is known."""
        if self.message is None or self.route is None:
            return False
        if self.delivered_meanwhile:
            return True
        group = self.stream.group(self.route.group)
        return group is not None and self.message.id <= group.last_delivered
