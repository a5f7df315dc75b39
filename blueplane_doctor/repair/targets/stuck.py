"""Target `stuck`: batches that wait behind a message that cannot be written."""

from collections.abc import Iterator

from blueplane_doctor.custody.states import PAYLOAD_GONE, STUCK
from blueplane_doctor.privacy.public_text import consumer
from blueplane_doctor.repair.base import Case, Target
from blueplane_doctor.repair.plan import Action, Item, Source
from blueplane_doctor.repair.survey import Candidate


def _plan_stuck(case: Case) -> Iterator[Item]:
    """All that is held by consumers that live.

    Cursor's writer never looks at its pending entries list again, so what it holds is delivered again. Claude's does:
    it writes the rest by itself once what it fails at is gone, and a copy beside it could be written twice.
    """
    for candidate in case.candidates(STUCK):
        if is_orphan(case, candidate):
            continue
        action = Action.DELIVER
        if _is_retried(case, candidate):
            action = Action.RELEASE
        if candidate.problem:
            action = Action.SET_ASIDE
        yield stuck_item(case, candidate, action, TARGET.name)
    for candidate in case.candidates(PAYLOAD_GONE):
        if not is_orphan(case, candidate):
            yield gone_item(case, candidate, TARGET.name)


def is_orphan(case: Case, candidate: Candidate) -> bool:
    """Whether the consumer that holds it in its writer's group is gone."""
    entry = candidate.held.get(candidate.group)
    return entry is not None and (candidate.group, consumer(entry.consumer)) in case.gone


def _is_retried(case: Case, candidate: Candidate) -> bool:
    """Whether the consumer that holds it tries again what it holds."""
    entry = candidate.held.get(candidate.group)
    return entry is not None and (candidate.group, entry.consumer) in case.survey.retrying


def stuck_item(case: Case, candidate: Candidate, action: Action, target: str) -> Item:
    """The item of a message that some writer group holds."""
    return Item(
        target=target,
        action=action,
        source=Source.STREAM,
        id=candidate.text_id,
        group=candidate.group,
        holdings=candidate.holdings(case.now_ms),
        keys=candidate.keys,
        reason=candidate.problem,
        origins=candidate.origins,
    )


def gone_item(case: Case, candidate: Candidate, target: str) -> Item:
    """The item of a pending entry whose message left the stream.

    Nobody can write it any more. To acknowledge it gives up its ID alone, which the plan keeps.
    """
    return Item(
        target=target,
        action=Action.ACKNOWLEDGE,
        source=Source.GONE,
        id=candidate.text_id,
        group=candidate.group,
        holdings=candidate.holdings(case.now_ms),
        reason="the content left the stream while it was pending",
    )


TARGET = Target("stuck", "messages that wait behind one that cannot be written", _plan_stuck)
