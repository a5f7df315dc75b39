"""Target `lost`: messages that nobody holds and that have no row, while the stream still holds them."""

from collections.abc import Iterator

from blueplane_doctor.custody.states import LOST
from blueplane_doctor.repair.base import Case, Target
from blueplane_doctor.repair.plan import Action, Item, Source


def _plan_lost(case: Case) -> Iterator[Item]:
    """Those that their writer can read are delivered again; the others are saved, with the reason."""
    for candidate in case.candidates(LOST):
        if candidate.text_id in case.survey.copied:
            continue  # its copy is judged for itself
        reason = ""
        action = Action.DELIVER
        if candidate.problem:
            action = Action.KEEP
            reason = f"its writer cannot read it: {candidate.problem}"
        yield Item(
            target=TARGET.name,
            action=action,
            source=Source.STREAM,
            id=candidate.text_id,
            group=candidate.group,
            keys=candidate.keys,
            reason=reason,
            origins=candidate.origins,
        )


TARGET = Target("lost", "messages that were acknowledged and never written, still in the stream", _plan_lost)
