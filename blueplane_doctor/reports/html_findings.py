"""The findings and causes of a report as the page groups, counts and links them."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from blueplane_doctor.model import Cause, Finding, Report, Status
from blueplane_doctor.reports import cause_phrases, phrases
from blueplane_doctor.text.quantities import many

_NOT_JUDGED = (Status.UNKNOWN, Status.SKIPPED, Status.NOT_SET_UP)


def headline(report: Report) -> str:
    """The report's headline, as a sentence begins."""
    words = phrases.headline(report)
    return words[:1].upper() + words[1:]


def first_of(report: Report, cause: Cause) -> int:
    """The place, from 1, of the first cause with this one's id: only one of them can have it as its anchor."""
    ids = [one.id for one in report.causes]
    return ids.index(cause.id) + 1


class Groups(NamedTuple):
    """The findings that are not green, by where they stand on the page."""

    alone: list[Finding]
    """Those that no cause explains."""
    explained: list[Finding]
    unjudged: list[Finding]

    @property
    def any(self) -> bool:
        """Whether anything but what is not set up is there."""
        if self.alone or self.explained:
            return True
        return any(finding.status is not Status.NOT_SET_UP for finding in self.unjudged)


def grouped(report: Report) -> Groups:
    """The findings that are not green; see Groups."""
    explained = cause_phrases.explained_ids(report.causes)
    groups = Groups([], [], [])
    for finding in report.findings:
        if finding.status is Status.GREEN:
            continue
        if finding.status in _NOT_JUDGED:
            groups.unjudged.append(finding)
        elif finding.id in explained:
            groups.explained.append(finding)
        else:
            groups.alone.append(finding)
    return groups


def follow_sentence(report: Report) -> str:
    """`3 findings follow from it`."""
    count = len(grouped(report).explained)
    whom = "it" if len(report.causes) == 1 else "the causes"
    return f"{many(count, 'finding follows', 'findings follow')} from {whom}"


def unjudged_sentence(findings: Sequence[Finding]) -> str:
    """`2 skipped, 7 not set up`: what could not be judged."""
    counts = Counter(finding.status for finding in findings)
    parts = []
    for status, count in counts.items():
        parts.append(f"{count:,} {status.words}")
    return ", ".join(parts)


def follows_links(cause: Cause, report: Report) -> list[str]:
    """The findings to link to from a cause; what could not be judged is counted elsewhere."""
    judged = set()
    for finding in report.findings:
        if finding.status not in _NOT_JUDGED:
            judged.add(finding.id)
    return [check for check in cause.explains if check in judged]
