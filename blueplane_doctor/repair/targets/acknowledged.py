"""Target `acknowledged`: pending entries that need nothing but their acknowledgement, which was lost on the way."""

from collections.abc import Iterator

from blueplane_doctor.custody.row_owners import rows_are_others
from blueplane_doctor.custody.states import HAS_ROW, SKIPPED
from blueplane_doctor.repair.base import Case, Target
from blueplane_doctor.repair.plan import Action, Item, Source
from blueplane_doctor.repair.survey import Candidate
from blueplane_doctor.repair.targets.stuck import stuck_item
from blueplane_doctor.sources.trace_tables import RowFinder


def _plan_acknowledgements(case: Case) -> Iterator[Item]:
    """Those whose row is there, and those that by design nobody writes.

    Where another message of the same key was written, the row is not theirs: they go to the dead letters.
    """
    rows = RowFinder(case.examination.database)
    for candidate in case.candidates(*HAS_ROW, SKIPPED):
        if not candidate.held:
            continue
        if _has_only_rows_of_others(rows, candidate):
            column = candidate.keys[0].columns[-1]
            reason = f"a row with the same {column} is there, and its time is another message's"
            item = stuck_item(case, candidate, Action.SET_ASIDE, TARGET.name)
            yield item.model_copy(update={"reason": reason})
            continue
        reason = "its row is there"
        if candidate.state == SKIPPED:
            reason = "by design nobody writes it"
        yield Item(
            target=TARGET.name,
            action=Action.ACKNOWLEDGE,
            source=Source.STREAM,
            id=candidate.text_id,
            group=candidate.group,
            holdings=candidate.holdings(case.now_ms),
            keys=candidate.keys,
            reason=reason,
            is_written=candidate.state in HAS_ROW,
        )


def _has_only_rows_of_others(rows: RowFinder, candidate: Candidate) -> bool:
    """Whether another message of its key wrote what is there. Raises SourceError."""
    if candidate.state == SKIPPED:
        return False
    return rows_are_others(rows, [key.lookup for key in candidate.keys], candidate.times)


TARGET = Target("acknowledged", "messages that are written and were never acknowledged", _plan_acknowledgements)
