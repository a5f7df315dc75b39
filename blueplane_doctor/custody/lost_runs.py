"""Lost messages that lie in one run for every route: what an older copy in the place of the database leaves behind.

A copy lacks all rows from the time it was made up to the time it was put back, of all tables. What a writer, a deleted
consumer or a person loses is of one route, or lies between messages that were written. Only groups that were all moved
past unread messages leave the same behind: nothing tells the two apart.
"""

from dataclasses import dataclass

from blueplane_doctor.custody.judge import JudgedPage
from blueplane_doctor.custody.ledger import LostRun
from blueplane_doctor.custody.states import HAS_ROW, LOST
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, id_text

_FEWEST_ROUTES = 2


@dataclass(eq=False, repr=False)
class _RouteRun:
    """The lost messages of one route."""

    first: EntryId
    last: EntryId
    messages: int
    row_before: EntryId
    """The last message before them that has its row, as far as it was seen."""
    row_after: EntryId | None = None
    """The first message after them that has its row."""
    is_one: bool = True
    """Whether no message between them has its row."""


class LostRuns:
    """Finds them, in pages that are given in the order of the stream."""

    def __init__(self) -> None:
        self._runs: dict[str, _RouteRun] = {}

    def note(self, page: JudgedPage) -> None:
        """Take a page; those in which nothing is lost, and none follows a lost one, need hardly any time."""
        is_open = any(run.row_after is None for run in self._runs.values())
        if LOST not in page.states and not is_open:
            return
        last_rows: dict[str, EntryId] = {}
        for message, route, state in zip(page.messages, page.routes, page.states, strict=True):
            if route is None:
                continue
            run = self._runs.get(route.name)
            if state in HAS_ROW:
                last_rows[route.name] = message.id
                if run is not None and run.row_after is None:
                    run.row_after = message.id
            elif state == LOST and not message.malformed():  # of those there never was a row
                if run is None:
                    before = last_rows.get(route.name, BEGINNING)
                    run = self._runs[route.name] = _RouteRun(message.id, message.id, 0, before)
                run.messages += 1
                run.last = message.id
                run.is_one = run.is_one and run.row_after is None

    def run(self) -> LostRun | None:
        """The run of all routes together; None where they are not such a run, or one route alone lost messages."""
        runs = list(self._runs.values())
        if len(runs) < _FEWEST_ROUTES:
            return None
        first = min(run.first for run in runs)
        last = max(run.last for run in runs)
        for run in runs:
            is_behind = run.row_after is None or run.row_after > last
            if not run.is_one or run.row_before > first or not is_behind:
                return None
        messages = sum(run.messages for run in runs)
        return LostRun(first_id=id_text(first), last_id=id_text(last), messages=messages)
