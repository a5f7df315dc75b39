"""Target `orphans`: messages that a consumer held when it died, and that nobody claims."""

from collections.abc import Iterator

from blueplane_doctor.custody.states import PAYLOAD_GONE, STUCK
from blueplane_doctor.repair.base import Case, Target
from blueplane_doctor.repair.plan import Action, Item
from blueplane_doctor.repair.targets.stuck import gone_item, is_orphan, stuck_item


def _plan_orphans(case: Case) -> Iterator[Item]:
    """All that is held by consumers that are gone."""
    for candidate in case.candidates(STUCK):
        if not is_orphan(case, candidate):
            continue
        action = Action.SET_ASIDE if candidate.problem else Action.DELIVER
        yield stuck_item(case, candidate, action, TARGET.name)
    for candidate in case.candidates(PAYLOAD_GONE):
        if is_orphan(case, candidate):
            yield gone_item(case, candidate, TARGET.name)


TARGET = Target("orphans", "messages of a consumer that is gone", _plan_orphans)
