"""Messages of one state, found without an ID: the stream is judged as for a report, up to what is wanted."""

from typing import NamedTuple

from blueplane_doctor.custody.states import PAYLOAD_GONE, STATES
from blueplane_doctor.errors import UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.queue_pages import is_time_short, judged_pages
from blueplane_doctor.sources.entry_ids import id_text

FINDABLE = (*STATES, PAYLOAD_GONE)
MOST_IDS = 50
"""IDs that are kept; all are counted."""


class Matches(NamedTuple):
    """What was found."""

    ids: list[str]
    """The oldest MOST_IDS."""
    total: int
    partial: bool
    """Whether the time was up before the end of the stream."""


def find_by_state(examination: Examination, state: str, since_ms: int = 0) -> Matches:
    """Messages in a state that were enqueued at `since_ms` (milliseconds since 1970) or later.

    Raises UsageError for a state that there is not, SourceError when Redis cannot be read.
    """
    if state not in FINDABLE:
        raise UsageError(f"there is no state {state}", f"one of {', '.join(FINDABLE)}")
    if state == PAYLOAD_GONE:
        return _payload_gone(examination, since_ms)
    ids: list[str] = []
    count = 0
    for page in judged_pages(examination):
        for message, its_state in page:
            if its_state == state and message.id[0] >= since_ms:
                count += 1
                if len(ids) < MOST_IDS:
                    ids.append(id_text(message.id))
        if is_time_short(examination):
            return Matches(ids, count, partial=True)
    return Matches(ids, count, partial=False)


def _payload_gone(examination: Examination, since_ms: int) -> Matches:
    """These have left the stream: the ledger has them from the pending entries lists."""
    ledger = examination.ledger()
    ids: list[str] = []
    for broken in ledger.breaks:
        if broken.kind == PAYLOAD_GONE and int(broken.id.partition("-")[0]) >= since_ms:
            ids.append(broken.id)
    return Matches(ids[:MOST_IDS], len(ids), partial=ledger.partial or not ledger.keeps_more_breaks)
