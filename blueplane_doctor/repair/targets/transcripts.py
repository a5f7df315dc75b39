"""Target `transcripts`: lines of Claude's transcripts that have no row, enqueued as the server's monitor would do it.

These may be lines that the server never sent, and those whose messages left the stream before they were written: of
such a message only the transcript still holds the content.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from blueplane_doctor.capture.claude_sessions import ClaudeSessions
from blueplane_doctor.capture.transcripts import MissingLine, missing_lines
from blueplane_doctor.examination import Examination
from blueplane_doctor.privacy.public_text import identifier
from blueplane_doctor.repair.base import Case, Target
from blueplane_doctor.repair.incoming import Incoming, incoming_items
from blueplane_doctor.repair.plan import Fields, Item, Plan, Refusal, Source
from blueplane_doctor.sources.transcript_messages import read_line, transcript_message

_CHANGED = "the transcript was changed or removed since it was read"


def _plan_transcripts(case: Case) -> Iterator[Item | Refusal]:
    """All lines that are missing. Raises SourceError."""
    lines = _MissingLines(case.examination)
    yield from incoming_items(
        case, TARGET.name, Source.TRANSCRIPT, lines.incoming(), "line of a transcript", "lines of transcripts"
    )


class _MissingLines:
    """The missing lines of one examination, with what the server knows of their sessions."""

    def __init__(self, examination: Examination) -> None:
        self._at: datetime = examination.now
        self._lines = {_id_of(line): line for line in missing_lines(examination)}
        self._sessions = ClaudeSessions(examination).read(line.session for line in self._lines.values())

    def incoming(self) -> Iterator[Incoming]:
        """Each as a message."""
        for identity in self._lines:
            fields = self.fields(identity)
            if fields is None:
                yield Incoming(identity, [], _CHANGED)
            else:
                yield Incoming(identity, fields)

    def fields(self, identity: str) -> Fields | None:
        """The message of a line; None where it is gone."""
        line = self._lines.get(identity)
        if line is None:
            return None
        content = read_line(line.path, line.offset, line.length)
        if content is None:
            return None
        workspace = ""
        if line.session in self._sessions:
            workspace = self._sessions[line.session].workspace
        message = transcript_message(content, line.session, workspace, self._at)
        if message is None or line.uuid.encode() not in message[b"payload"]:
            return None
        return list(message.items())


def _id_of(line: MissingLine) -> str:
    """Its session and uuid: sessions that were resumed repeat the lines of others."""
    return f"{identifier(line.session)}/{identifier(line.uuid)}"


@lru_cache(maxsize=1)
def _lines_of(examination: Examination) -> _MissingLines:
    """Compared once for all items of one examination."""
    return _MissingLines(examination)


def _read_planned_line(examination: Examination, plan: Plan, item: Item) -> Fields | None:
    """The message of an item; None where its line is gone. Raises SourceError."""
    return _lines_of(examination).fields(item.id)


TARGET = Target("transcripts", "lines of transcripts that are missing", _plan_transcripts, _read_planned_line)
