"""What is new for one target: the incidents that are there beside those that it was told of. Pure.

Because it is a difference, nothing else is needed for a target that could not be reached, for quiet hours, and for a
restart: what was not told yet is still new, and what was is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from blueplane_doctor.model import Status
from blueplane_doctor.notifying.incidents import HOUR, UNKNOWN, Incident
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.observation import DELIVERY_CHECK
from blueplane_doctor.records.base import Record
from blueplane_doctor.settings.notification_rules import NotifyRule


class Told(Record):
    """What a target was told of one incident."""

    cause: str
    """Id of the cause that was told first, or instead of it."""
    is_changed: bool = False
    """Whether another cause than the first was told: no second change is."""
    severity: int
    """Of the worst colour that was told, as `Status.severity`."""
    is_loss: bool
    is_flapping: bool
    since: float
    at: float
    """When it was told last, seconds since 1970."""


class TargetState(Record):
    """What is remembered of one target."""

    told: dict[str, Told] = {}
    """By the key of the incident."""
    failures: int = 0
    """Messages in a row that could not be delivered."""
    next_try: float = 0.0
    """Not before this time, seconds since 1970."""
    failed_at: float = 0.0
    reason: str = ""
    """Why the last one could not be delivered; empty where it was."""


@dataclass(frozen=True)
class News:
    """One thing to tell."""

    kind: Kind
    key: str
    cause: str
    status: Status
    since: float
    until: float = 0.0
    """For OVER: when it ended."""
    is_loss: bool = False
    title: str = ""
    """Of the cause; empty for a finding."""
    others: int = 0
    """Causes of the same id beside it."""
    sentence: str = ""
    next_step: str = ""
    follows: int = 0
    """Checks that follow from it, beside the first."""
    lost: int | None = None
    """For OVER: messages lost meanwhile; None where that is not known."""


def news_for(rule: NotifyRule, state: TargetState, incidents: Mapping[str, Incident], now: float) -> list[News]:
    """What to tell this target now. `incidents`: all that are known, those that are over too; of a pruned state."""
    news: list[News] = []
    for key, incident in incidents.items():
        if incident.is_open and _is_for(rule, state, incident, now):
            kind = _kind_of(incident, state.told.get(key))
            if kind is not None:
                news.append(_of_open(kind, key, incident))
    for key, told in state.told.items():
        if not incidents[key].is_open:
            news.append(_over(key, told, incidents[key]))
    if not news and _is_due(rule, state, now):
        for key in state.told:
            if key != UNKNOWN:
                news.append(_of_open(Kind.REMINDER, key, incidents[key]))
    if rule.is_quiet(now):
        urgent = []
        for one in news:
            if one.is_loss and one.kind in (Kind.OPENED, Kind.WORSE):
                urgent.append(one)
        return urgent
    return news


def after(news: list[News], state: TargetState, incidents: Mapping[str, Incident], now: float) -> TargetState:
    """The state once this was delivered. `incidents`: as they were when it was written."""
    told = dict(state.told)
    for one in news:
        if one.kind is Kind.OVER:
            told.pop(one.key, None)
            continue
        incident = incidents[one.key]
        severity = incident.status.severity
        is_loss = incident.is_loss
        is_changed = False
        earlier = told.get(one.key)
        if earlier is not None:
            is_changed = earlier.is_changed or earlier.cause != incident.cause
            # What is worse than before is told; what is less bad, and then as bad as before, is not told again.
            severity = max(severity, earlier.severity)
            is_loss = is_loss or earlier.is_loss
        told[one.key] = Told(
            cause=incident.cause,
            is_changed=is_changed,
            severity=severity,
            is_loss=is_loss,
            is_flapping=incident.is_flapping,
            since=incident.since,
            at=now,
        )
    return TargetState(told=told)


def pruned(state: TargetState, incidents: Mapping[str, Incident]) -> TargetState:
    """Without what needs no message any more: the end of "unknown", and what was waived meanwhile."""
    told = {}
    for key, one in state.told.items():
        if key in incidents:
            told[key] = one
    return state.model_copy(update={"told": told})


def _is_for(rule: NotifyRule, state: TargetState, incident: Incident, now: float) -> bool:
    if incident.cause == DELIVERY_CHECK:
        # The target that could not be reached has nothing to learn from it.
        return not state.failures and now - state.failed_at > HOUR
    return incident.status is Status.UNKNOWN or incident.status.severity >= Status(rule.least).severity


def _kind_of(incident: Incident, told: Told | None) -> Kind | None:
    if incident.status is Status.UNKNOWN:
        return Kind.UNKNOWN if told is None else None
    if told is None:
        return Kind.FLAPPING if incident.is_flapping else Kind.OPENED
    if incident.is_flapping and not told.is_flapping:
        return Kind.FLAPPING
    has_new_loss = incident.is_loss and not told.is_loss
    if has_new_loss or incident.status.severity > told.severity:
        return Kind.WORSE
    if incident.cause != told.cause and not told.is_changed:
        return Kind.CHANGED
    return None


def _is_due(rule: NotifyRule, state: TargetState, now: float) -> bool:
    """Whether a reminder is due; all that is open is told with it."""
    if not rule.remind_seconds:
        return False
    times = []
    for key, told in state.told.items():
        if key != UNKNOWN:
            times.append(told.at)
    if not times:
        return False
    # What was told at a time that lies ahead was told by a clock that was wrong.
    return abs(now - max(times)) >= rule.remind_seconds


def _of_open(kind: Kind, key: str, incident: Incident) -> News:
    return News(
        kind=kind,
        key=key,
        cause=incident.cause,
        status=incident.status,
        since=incident.since,
        is_loss=incident.is_loss,
        title=incident.title,
        others=incident.others,
        sentence=incident.sentence,
        next_step=incident.next_step,
        follows=max(0, len(incident.signs) - 1),
    )


def _over(key: str, told: Told, incident: Incident) -> News:
    return News(
        kind=Kind.OVER,
        key=key,
        cause=incident.cause,
        status=Status.GREEN,
        since=min(told.since, incident.since),  # by the clock that was set back meanwhile
        until=incident.closed_at,
        is_loss=told.is_loss,
        title=incident.title,
        sentence=incident.sentence,
        lost=incident.lost,
    )
