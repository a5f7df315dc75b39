"""Rounds of watching: examine, judge, say what changed since each check was last judged."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Thread
from typing import NamedTuple

from blueplane_doctor.diagnose import Doctor
from blueplane_doctor.model import Change, Finding, Report, Status, compared, counted


class Number(NamedTuple):
    """A number that moves while one watches, by its name in the history, with the words beside it."""

    name: str
    label: str
    unit: str = ""


NUMBERS = (
    Number("queue.queue_depth", "Queue depth"),
    Number("queue.pending_messages", "Pending"),
    Number("queue.consumer_lag_ms", "Lag", "ms"),
    Number("queue.enqueue_rate_events_per_sec", "Enqueued", "/s"),
    Number("queue.processing_rate_events_per_sec", "Written", "/s"),
    Number("queue.minutes_to_loss", "Until loss", "min"),
    Number("queue.dlq_size", "Dead letters"),
    Number("chain.chain_break_count", "Chain breaks"),
)
STATES = "chain.states."
"""Before the name of a state of custody."""


class Changed(NamedTuple):
    """A finding that is not as it was; never a waived one."""

    finding: Finding
    change: Change
    was: Status | None
    """What it was when it was last judged; None for never."""


@dataclass(frozen=True)
class Round:
    """One look. What could not be read is a part of it, not an error."""

    number: int
    """From 1."""
    report: Report
    changed: list[Changed] = field(default_factory=list)
    """Empty in the first round, which has nothing to compare with."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Health records that could not be read, with the cause."""
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    """As `moving` gives them."""


class Watcher:
    """Makes rounds, one at a time."""

    def __init__(self, doctor: Doctor) -> None:
        self._doctor = doctor
        self._number = 0
        self._memory = Memory()

    def look(self) -> Round:
        """The next round, within the settings' timeout and the time to judge."""
        evidence = self._doctor.collect()
        report = self._doctor.judge(evidence)
        self._number += 1
        unread = dict(sorted(evidence.missing.items()))
        return Round(self._number, report, self._memory.changed(report), unread, moving(report))


class Memory:
    """How each check was last judged, whenever that was: an outage makes nothing new."""

    def __init__(self) -> None:
        self._last: dict[str, Finding] | None = None

    def changed(self, report: Report) -> list[Changed]:
        """What is new, worse, better or fixed, worst first; then remember this report."""
        before, first = self._last or {}, self._last is None
        earlier = report.model_copy(update={"findings": list(before.values())})
        beside = compared(counted(report.findings), earlier)
        self._last = before | {f.id: f for f in report.findings if f.status.severity >= 0 or f.status is Status.ERROR}
        if first:
            return []
        return [
            Changed(finding, finding.change, before[finding.id].status if finding.id in before else None)
            for finding in beside
            if finding.change and finding.change is not Change.SAME
        ]


def moving(report: Report) -> dict[str, float | None]:
    """The numbers of a report; None for what could not be known, and none of a record that was not asked for."""
    values: dict[str, float | None] = {}
    for number in NUMBERS:
        record, _, name = number.name.partition(".")
        if record in report.metrics:
            values[number.name] = _number((report.metrics[record] or {}).get(name))
    states = (report.metrics.get("chain") or {}).get("states")
    if isinstance(states, Mapping):
        values |= {f"{STATES}{state}": _number(value) for state, value in states.items()}
    return values


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def line(round_: Round) -> str:
    """The round as one line of JSON."""
    said = {
        "round": round_.number,
        **round_.report.model_dump(mode="json", include={"generated_at", "status", "exit_code", "counts"}),
        "changed": [
            finding.model_dump(mode="json", include={"id", "status", "summary"}) | {"change": change, "was": was}
            for finding, change, was in round_.changed
        ],
        "unread": dict(round_.unread),
        "metrics": dict(round_.numbers),
    }
    return json.dumps(said, separators=(",", ":")) + "\n"


class Ended(NamedTuple):
    """A signal or a key ends it, or the last round was made."""

    code: int | None = None
    """The exit code; None: that of the last round."""


class Broken(NamedTuple):
    """A round broke."""

    error: BaseException


Mailbox = SimpleQueue[Round | Ended | Broken]
"""A signal handler may put into a SimpleQueue for which the same thread waits."""


def start(look: Callable[[], Round], every: float, rounds: int, mailbox: Mailbox) -> Event:
    """Make rounds in a thread, `every` seconds from start to start, until the event is set; 0 rounds: without end.

    A round that takes longer delays the next; two are never made at once.
    """
    stop = Event()

    def make() -> None:
        made = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                mailbox.put(look())
            except Exception as error:
                mailbox.put(Broken(error))
                return
            made += 1
            if made == rounds:
                mailbox.put(Ended())
                return
            stop.wait(max(0.0, began + every - time.monotonic()))

    Thread(target=make, daemon=True).start()
    return stop
