"""Target `spool`: events that hooks could not deliver, enqueued as the server's queue writer would have done it.

A hook delivers them by itself with its next event; until somebody works again they wait. They leave the spool before
they are delivered: a hook must not deliver them as well.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from blueplane_doctor.examination import Examination
from blueplane_doctor.repair.base import Case, Target
from blueplane_doctor.repair.incoming import Incoming, incoming_items
from blueplane_doctor.repair.plan import Fields, Item, Plan, Refusal, Source
from blueplane_doctor.repair.spool_taking import events_left
from blueplane_doctor.sources.spooled_events import SpooledEvent, spooled_event, spooled_lines


def _plan_spool(case: Case) -> Iterator[Item | Refusal]:
    """All events of the spool, and those that an interrupted repair took out of it. Raises FileUnreadable."""
    yield from incoming_items(case, TARGET.name, Source.SPOOL, _incoming(case), "spooled event", "spooled events")


def _incoming(case: Case) -> Iterator[Incoming]:
    examination = case.examination
    for event in _events(examination.settings.home, examination.now).values():
        is_delivered = f"{Source.SPOOL}/{event.id}" in case.survey.copied
        if not is_delivered:  # else its copy is judged for itself
            yield Incoming(event.id, list(event.fields.items()), event.reason)


@lru_cache(maxsize=1)
def _events(home: Path, at: datetime) -> dict[str, SpooledEvent]:
    """By their IDs, read once for all items of one examination."""
    by_id = {}
    for line in [*spooled_lines(home), *events_left(home)]:
        event = spooled_event(line, at)
        by_id[event.id] = event
    return by_id


def _read_event(examination: Examination, plan: Plan, item: Item) -> Fields | None:
    """The event of an item; None where it left the spool. Raises FileUnreadable."""
    event = _events(examination.settings.home, examination.now).get(item.id)
    if event is None:
        return None
    return list(event.fields.items())


TARGET = Target("spool", "events that hooks could not deliver", _plan_spool, _read_event)
