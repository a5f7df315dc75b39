"""Target `acknowledged`: pending entries that need nothing but their acknowledgement, which was lost on the way."""

from collections.abc import Iterator

from blueplane_doctor.custody.states import HAS_ROW, SKIPPED
from blueplane_doctor.repair.base import Case, Target
from blueplane_doctor.repair.plan import Action, Item, Source


def _plan_acknowledgements(case: Case) -> Iterator[Item]:
    """Those whose row is there, and those that by design nobody writes."""
    for candidate in case.candidates(*HAS_ROW, SKIPPED):
        if not candidate.held:
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


TARGET = Target("acknowledged", "messages that are written and were never acknowledged", _plan_acknowledgements)
