"""Messages that a repair has delivered again, which look lost until their copies are written."""

from collections.abc import Iterable

from blueplane_doctor.custody.copies import MessagesWithoutRow
from blueplane_doctor.custody.messages import messages_of
from blueplane_doctor.custody.routing import Router
from blueplane_doctor.custody.states import DUPLICATE, LOST, UNTRACEABLE
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.queue_pages import is_time_short, queue_pages
from blueplane_doctor.lookup.search import Search


def find_copies(examination: Examination, searches: Iterable[Search], router: Router) -> None:
    """Tell those that a copy further on in the stream stands for; they are duplicates. Raises SourceError.

    Nothing is read where no message looks lost.
    """
    without_row = MessagesWithoutRow()
    by_id: dict[str, list[Search]] = {}
    beginnings = []
    for search in searches:
        if search.message and search.state() in (LOST, UNTRACEABLE):
            identity = without_row.note(search.message, search.route)
            by_id.setdefault(identity, []).append(search)
            beginnings.append(search.message.id)
    if not by_id:
        return
    for page in queue_pages(examination, after=min(beginnings)):
        for message in messages_of(page):
            for identity in without_row.stood_for_by(message, router.route(message)):
                for search in by_id[identity]:
                    search.take(DUPLICATE)
        if not without_row:
            return
        if is_time_short(examination):
            for same_message in by_id.values():
                for search in same_message:
                    search.partial = search.state() != DUPLICATE
            return
