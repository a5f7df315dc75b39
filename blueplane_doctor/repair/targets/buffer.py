"""Target `buffer`: events in event_buffer.db, which Cursor's monitor could not enqueue and which nothing else drains.

They are never deleted there: the file is the pipeline's own. Those that were delivered are known by their rows.
"""

from collections.abc import Iterator
from contextlib import closing

from blueplane_doctor.examination import Examination
from blueplane_doctor.repair.base import Case, Target
from blueplane_doctor.repair.incoming import Incoming, incoming_items
from blueplane_doctor.repair.plan import Fields, Item, Plan, Refusal, Source
from blueplane_doctor.sources.buffered_events import buffered_event, each_buffered_event
from blueplane_doctor.sources.database_source import DatabaseSource


def _plan_buffer(case: Case) -> Iterator[Item | Refusal]:
    """All events that have no row. Raises SourceError."""
    with closing(_buffer(case.examination)) as buffer:
        yield from incoming_items(
            case, TARGET.name, Source.BUFFER, _incoming(buffer), "buffered event", "buffered events"
        )


def _buffer(examination: Examination) -> DatabaseSource:
    return DatabaseSource(examination.settings.buffer_file, examination.deadline, what="the event buffer")


def _incoming(buffer: DatabaseSource) -> Iterator[Incoming]:
    for event in each_buffered_event(buffer):
        yield Incoming(str(event.row), list(event.fields.items()), event.reason)


def _read_event(examination: Examination, plan: Plan, item: Item) -> Fields | None:
    """The event of an item; None where it is gone. Raises SourceError."""
    with closing(_buffer(examination)) as buffer:
        event = buffered_event(buffer, int(item.id))
    if event is None or event.reason:
        return None
    return list(event.fields.items())


TARGET = Target("buffer", "events that Redis could not be given", _plan_buffer, _read_event)
