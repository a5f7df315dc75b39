"""One round of watching: examine, judge, and say what changed since each check was last judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.model import Change, Finding, Report, Status, compared, counted
from blueplane_doctor.settings import Settings
from blueplane_doctor.watching.numbers import moving


@dataclass(frozen=True)
class Changed:
    """A finding that is not as it was; one that is waived never is among them."""

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
    """The numbers that move, by dotted names; None for what could not be known."""


class Watcher:
    """Makes rounds, one at a time."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError and NoChecksError before anything is read."""
        from blueplane_doctor.diagnose import needed
        from blueplane_doctor.discovery import find_checks, selected

        found = find_checks(settings.check_folders)
        self.settings = settings
        self.checks: list[CheckSpec] = selected(found.checks, settings)
        self.problems = found.problems
        self.needed = needed(self.checks)
        self.number = 0
        self._memory = Memory()

    def look(self) -> Round:
        """The next round; it takes at most the settings' timeout and the time to judge."""
        from blueplane_doctor.diagnose import collect, judge

        evidence = collect(self.settings, self.needed)
        report = judge(evidence, self.checks, self.problems, self.settings)
        self.number += 1
        return Round(
            self.number,
            report,
            self._memory.changed(report),
            dict(sorted(evidence.missing.items())),
            moving(report),
        )


class Memory:
    """How each check was last judged, across rounds that could not judge it: an outage makes nothing new."""

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
