"""When a cause begins and ends for people: a pure state machine over samples, about one a minute.

Two bad samples in a row open an incident, a loss opens at once; three good ones in a row close it. What comes and goes
is flapping, and is open until it has been quiet for long. Nothing here knows targets or messages.
"""

from collections.abc import Collection, Iterable
from typing import Any

from blueplane_doctor.model import Status
from blueplane_doctor.notifying.observation import Observation, Problem
from blueplane_doctor.records.base import Record

# One bad sample may be a restart, which is over within seconds.
_BAD_SAMPLES = 2
# More than open it, so that what comes and goes is one incident and not many.
_GOOD_SAMPLES = 3
UNKNOWN_SAMPLES = 15
"""Samples in a row that could not be judged, until that is told."""
HOUR = 3600.0
_FLAPPING_OPENINGS = 3
"""Openings within an hour that are flapping: the third is not told as a new incident."""
_FLAPPING_RUNS = 5
"""Bad runs within an hour, even of one sample each, that are flapping."""
STABLE_SAMPLES = 30
"""Samples of one kind in a row that end flapping."""
_FORGOTTEN_SECONDS = 24 * HOUR
"""For which a closed incident is remembered; one whose end some target was not told yet is for longer."""
UNKNOWN = "unknown"
"""Key of the incident that nothing vital can be judged."""


class Incident(Record):
    """One cause, or one finding that stands for itself, from its first bad sample until it is forgotten."""

    cause: str
    """Id of the cause or finding by which it is known now."""
    status: Status
    is_loss: bool
    sentence: str
    next_step: str
    signs: tuple[str, ...]
    since: float
    """Time of the first bad sample, seconds since 1970."""
    bad: int = 0
    good: int = 0
    """Samples of each kind in a row."""
    is_open: bool = False
    is_flapping: bool = False
    closed_at: float = 0.0
    title: str = ""
    """Of the cause; empty for a finding."""
    others: int = 0
    """Causes of the same id beside it."""
    runs: tuple[float, ...] = ()
    """When bad samples began after a good one, within the last hour."""
    openings: tuple[float, ...] = ()
    """When it opened, within the last hour."""
    losses_before: int | None = None
    """Messages that were counted as lost in the sample before it began."""
    losses: int | None = None
    """The most that were counted since."""

    @property
    def lost(self) -> int | None:
        """Messages lost while it was there; None where that is not known."""
        if self.losses_before is None or self.losses is None:
            return None
        return max(0, self.losses - self.losses_before)


class Watch(Record):
    """What is remembered between two samples."""

    last_sample: float = 0.0
    interval: float = 0.0
    """Seconds between the last two samples."""
    unknown_samples: int = 0
    unknown_since: float = 0.0
    losses: int | None = None
    """Messages that the last sample counted as lost."""
    incidents: dict[str, Incident] = {}
    """By key: the cause's id, which stays when another cause turns out to explain the same findings."""


def advanced(watch: Watch, sample: Observation, longest_pause: float, told: Collection[str] = ()) -> Watch:
    """The next state. `longest_pause`: seconds without a sample after which rows of samples begin anew. `told`: keys
    of incidents that some target was told of and whose end it was not.

    A machine that slept, or a recorder that was not running, saw nothing: that is neither good nor bad.
    """
    paused = sample.time - watch.last_sample > longest_pause
    incidents: dict[str, Incident] = {}
    for key, incident in watch.incidents.items():
        if paused and not incident.is_open:
            incident = incident.model_copy(update={"bad": 0})
        if incident.since > sample.time:  # the clock was set back: that it began later than now is not so
            incident = incident.model_copy(update={"since": sample.time})
        incidents[key] = incident
    incidents.pop(UNKNOWN, None)
    keys = _keys_of(incidents, sample)
    for name, problem in sample.problems.items():
        key = keys[name]
        earlier = incidents.get(key) or _new(problem, sample.time)
        if earlier.bad == 0 and not earlier.is_open:
            changes = {"since": sample.time, "losses_before": watch.losses, "losses": None}
            earlier = earlier.model_copy(update=changes)
        incidents[key] = _bad(earlier, problem, sample)
    # The difference is a set of its own, so that entries may be removed meanwhile.
    for key in incidents.keys() - set(keys.values()):
        later = _without(incidents[key], sample, key in told)
        if later is None:
            del incidents[key]
        else:
            incidents[key] = later
    next_watch = _with_unknown(watch, sample, paused)
    if next_watch.unknown_samples >= UNKNOWN_SAMPLES:
        incidents[UNKNOWN] = _unknown(next_watch, sample)
    return next_watch.model_copy(update={"incidents": incidents})


def open_incidents(watch: Watch) -> dict[str, Incident]:
    """Those that are there now, by key."""
    still_open = {}
    for key, incident in watch.incidents.items():
        if incident.is_open:
            still_open[key] = incident
    return still_open


def _keys_of(incidents: dict[str, Incident], sample: Observation) -> dict[str, str]:
    """For each problem of the sample the key of its incident.

    One of the same cause; else one that is open, or was there a minute ago, whose own cause is not seen any more, and
    that the same findings show: what was taken for one cause has turned out to be another. Else a new key.
    """
    # Where two are of one cause, the open one: that of before turned out to be this cause.
    in_order = sorted(incidents.items(), key=lambda item: item[1].is_open)
    by_cause = {incident.cause: key for key, incident in in_order}
    keys: dict[str, str] = {}
    strangers: list[Problem] = []
    for name, problem in sample.problems.items():
        if name in by_cause:
            keys[name] = by_cause[name]
        else:
            strangers.append(problem)
    left: dict[str, Incident] = {}
    for key, incident in reversed(in_order):  # the open ones first
        if (incident.is_open or incident.bad) and key not in keys.values():
            left[key] = incident
    for problem in strangers:
        key = _same_findings(left, problem) or _free_key(problem.id, [*incidents, *keys.values()])
        left.pop(key, None)
        keys[problem.id] = key
    return keys


def _same_findings(incidents: dict[str, Incident], problem: Problem) -> str:
    for key, incident in incidents.items():
        if set(incident.signs) & set(problem.signs):
            return key
    return ""


def _free_key(name: str, taken: Iterable[str]) -> str:
    key = name
    number = 1
    while key in taken:
        number += 1
        key = f"{name}-{number}"
    return key


def _new(problem: Problem, moment: float) -> Incident:
    return Incident(**_seen_in(problem), since=moment)


def _seen_in(problem: Problem) -> dict[str, Any]:
    """The fields of an incident that are the newest problem's."""
    return {
        "cause": problem.id,
        "status": problem.status,
        "is_loss": problem.is_loss,
        "sentence": problem.sentence,
        "next_step": problem.next_step,
        "signs": problem.signs,
        "title": problem.title,
        "others": problem.others,
    }


def _bad(earlier: Incident, problem: Problem, sample: Observation) -> Incident:
    """The incident after a sample that shows it."""
    runs = _lately(earlier.runs, sample.time)
    openings = _lately(earlier.openings, sample.time)
    bad = earlier.bad + 1
    if bad == 1:
        runs = (*runs, sample.time)
    is_open = earlier.is_open
    if not is_open and (bad >= _BAD_SAMPLES or problem.is_loss):
        is_open = True
        openings = (*openings, sample.time)
    is_flapping = earlier.is_flapping
    if len(openings) >= _FLAPPING_OPENINGS or len(runs) >= _FLAPPING_RUNS:
        is_flapping = True
    elif bad >= STABLE_SAMPLES:
        is_flapping = False  # it stays, by now
    changes = _seen_in(problem) | {
        "bad": bad,
        "good": 0,
        "is_open": is_open or is_flapping,
        "is_flapping": is_flapping,
        "runs": runs,
        "openings": openings,
        "losses": _more(earlier.losses, sample.losses),
    }
    return earlier.model_copy(update=changes)


def _without(earlier: Incident, sample: Observation, is_told: bool) -> Incident | None:
    """The incident after a sample that does not show it; None where it is to be forgotten."""
    runs = _lately(earlier.runs, sample.time)
    openings = _lately(earlier.openings, sample.time)
    if set(earlier.signs) & sample.waived:
        return None  # somebody knows of it, and wants to hear no more
    age = sample.time - max(earlier.closed_at, earlier.since)
    if not earlier.is_open and not is_told and age > _FORGOTTEN_SECONDS:
        return None
    # What could not be judged is not over. A finding that is not there at all is not looked for any more.
    if (set(earlier.signs) & sample.present) - sample.judged or sample.status is Status.UNKNOWN:
        return earlier.model_copy(update={"good": 0, "runs": runs, "openings": openings})
    good = earlier.good + 1
    needed = _GOOD_SAMPLES
    if earlier.is_flapping:
        needed = STABLE_SAMPLES
    changes: dict[str, object] = {
        "bad": 0,
        "good": good,
        "runs": runs,
        "openings": openings,
        "losses": _more(earlier.losses, sample.losses),
    }
    if earlier.is_open and good >= needed:
        changes |= {"is_open": False, "is_flapping": False, "closed_at": sample.time}
    return earlier.model_copy(update=changes)


def _with_unknown(watch: Watch, sample: Observation, paused: bool) -> Watch:
    """How long nothing vital could be judged."""
    samples = 0
    since = 0.0
    if sample.status is Status.UNKNOWN:
        samples = 1
        since = sample.time
        if watch.unknown_samples and not paused:
            samples += watch.unknown_samples
            since = watch.unknown_since
    losses = sample.losses
    if losses is None:
        losses = watch.losses
    interval = 0.0
    if watch.last_sample:
        interval = sample.time - watch.last_sample
    return Watch(
        last_sample=sample.time,
        interval=interval,
        unknown_samples=samples,
        unknown_since=since,
        losses=losses,
    )


def _unknown(watch: Watch, sample: Observation) -> Incident:
    names = ", ".join(sample.unjudged)
    return Incident(
        cause=UNKNOWN,
        status=Status.UNKNOWN,
        is_loss=False,
        sentence=f"Whether the pipeline is healthy is not known: {names or 'something vital'} could not be judged.",
        next_step="blueplane-doctor",
        signs=(),
        since=watch.unknown_since,
        is_open=True,
    )


def _lately(times: tuple[float, ...], now: float) -> tuple[float, ...]:
    return tuple(moment for moment in times if abs(now - moment) < HOUR)


def _more(earlier: int | None, now: int | None) -> int | None:
    if earlier is None:
        return now
    if now is None:
        return earlier
    return max(earlier, now)
