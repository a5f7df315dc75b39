"""Rounds of watching: examine, judge, say what changed since each check was last judged."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Thread
from typing import NamedTuple

from blueplane_doctor.errors import ExitCode
from blueplane_doctor.findings import compared, counted
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.metrics import CHARTED
from blueplane_doctor.model import Cause, Change, Finding, Report, Status
from blueplane_doctor.readings import readings

STATES = "chain.states."
"""What the name of a number of messages in one state of custody begins with."""
_SHOWN = ("chain.states.{state}", *(metric.path for metric in CHARTED))
"""The metrics that move while one watches."""


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
    opened: list[Cause] = field(default_factory=list)
    """Causes that were not there in the round before; none in the first round."""
    over: list[Cause] = field(default_factory=list)
    """Causes of the round before that are no longer there."""
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
        changed = self._memory.changed(report)
        opened, over = self._memory.causes_changed(report)
        return Round(self._number, report, changed, opened, over, unread, moving(report))


class Memory:
    """How each check was last judged, whenever that was: an outage makes nothing new."""

    def __init__(self) -> None:
        self._last: dict[str, Finding] | None = None
        self._causes: dict[str, Cause] | None = None

    def changed(self, report: Report) -> list[Changed]:
        """What is new, worse, better or fixed, worst first; then remember this report."""
        first = self._last is None
        before = self._last or {}
        earlier = report.model_copy(update={"findings": list(before.values())})
        changes = []
        for finding in compared(counted(report.findings), earlier):
            if finding.change and finding.change is not Change.SAME:
                known = before.get(finding.id)
                changes.append(Changed(finding, finding.change, known.status if known else None))
        judged = {}
        for finding in report.findings:
            if _is_judged(finding):
                judged[finding.id] = finding
        self._last = before | judged
        return [] if first else changes

    def causes_changed(self, report: Report) -> tuple[list[Cause], list[Cause]]:
        """The causes that have opened since the last report, and those that are over; then remember this report."""
        # Reversed, so that of several causes of one kind the worst is remembered, which comes first in the report.
        now = {cause.id: cause for cause in reversed(report.causes)}
        before = now if self._causes is None else self._causes
        self._causes = now
        opened = []
        for name in sorted(now.keys() - before.keys()):
            opened.append(now[name])
        over = []
        for name in sorted(before.keys() - now.keys()):
            over.append(before[name])
        return opened, over


def _is_judged(finding: Finding) -> bool:
    return finding.status.severity >= 0 or finding.status is Status.ERROR


def moving(report: Report) -> dict[str, float | None]:
    """The numbers of a report; None for what could not be known, and none of a record that was not asked for."""
    values: dict[str, float | None] = {}
    for metric in CHARTED:
        if metric.record in report.metrics:
            values[metric.path] = None
    for reading in readings(report.metrics):
        if reading.metric.path in _SHOWN:
            values[reading.name] = reading.number
    return values


def line(round_: Round) -> str:
    """The round as one line of JSON."""
    changes = []
    for finding, change, was in round_.changed:
        values = finding.model_dump(include={"id", "status", "summary"})
        changes.append(values | {"change": change, "was": was})
    causes = []
    for cause in round_.report.causes:
        causes.append(cause.model_dump())
    opened = []
    for cause in round_.opened:
        opened.append(cause.id)
    over = []
    for cause in round_.over:
        over.append(cause.id)
    content = {
        "round": round_.number,
        **round_.report.model_dump(include={"generated_at", "status", "exit_code", "counts"}),
        **round_.report.model_dump(include={"since", "since_bound"}),
        "causes": causes,
        "opened": opened,
        "over": over,
        "changed": changes,
        "unread": dict(round_.unread),
        "metrics": dict(round_.numbers),
    }
    return json.dumps(content, separators=(",", ":")) + "\n"


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


def follow(mailbox: Mailbox, take: Callable[[Round], None]) -> int:
    """Hand over each round until the end; gives the exit code. Raises what a round broke with."""
    latest: int = ExitCode.OK
    while True:
        news = mailbox.get()
        if isinstance(news, Broken):
            raise news.error
        if isinstance(news, Ended):
            return latest if news.code is None else news.code
        latest = news.report.exit_code
        take(news)
