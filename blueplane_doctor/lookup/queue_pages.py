"""The queue read page by page for a look-up, as it is and judged, within the run's time."""

from collections.abc import Iterator

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.examination import Examination
from blueplane_doctor.sources.entries import RawEntry, pages
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId

_RESERVE_SECONDS = 1.0
"""Left of the run's time, when reading the stream ends, for what follows."""


def queue_pages(
    examination: Examination, until: EntryId | None = None, *, after: EntryId = BEGINNING
) -> Iterator[list[RawEntry]]:
    """The messages up to that one, else all that were there when the stream's state was read. Raises SourceError.

    `after`: without those up to this one.
    """
    stream = examination.stream()
    size = examination.server_info().dataset_bytes
    last = until or stream.last_generated
    return pages(examination.redis, stream.queue, last, after=after, length=stream.length, dataset_bytes=size)


def judged_pages(examination: Examination, until: EntryId | None = None) -> Iterator[Iterator[tuple[Message, str]]]:
    """The same messages, each with its state. Raises SourceError.

    From the beginning, whatever is looked for: which message has a row can only be told by knowing all before it.
    """
    judge = examination.new_judge()
    for page in queue_pages(examination, until):
        judged = judge.judge(page)
        yield zip(judged.messages, judged.states, strict=True)


def is_time_short(examination: Examination) -> bool:
    """Whether reading has to end now."""
    return examination.deadline.remaining < _RESERVE_SECONDS
