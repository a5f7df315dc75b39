"""What the history adds to a report: `since` of causes where it knows more, and what changed within the last day."""

from collections import Counter
from collections.abc import Iterable, Mapping

from blueplane_doctor.history.samples import CAUSE, CHECK, kept_id
from blueplane_doctor.judging.causes import Explanation
from blueplane_doctor.model import Cause, StatusChange
from blueplane_doctor.monitoring.history_health import HistoryHealth
from blueplane_doctor.plugins.discovery import AvailableChecks
from blueplane_doctor.records.base import Record
from blueplane_doctor.text.times import parse_time

SINCE_BY = "the history: each sample since then shows it"


def with_history(explanation: Explanation, history: Record | None, available: AvailableChecks) -> Explanation:
    """The same, with causes that are there since earlier than their evidence tells, or of which that is a bound."""
    if not isinstance(history, HistoryHealth) or not history.open_causes:
        return explanation
    since_of = {cause.id: cause.since for cause in history.open_causes}
    count = Counter(cause.id for cause in explanation.causes)
    causes = []
    for cause in explanation.causes:
        since = since_of.get(kept_id(cause.id, available.built_in_ids))
        # Of several causes of one kind nobody knows which one a sample showed.
        if since and count[cause.id] == 1 and _tells_more(since, cause):
            cause = cause.model_copy(update={"since": since, "since_by": SINCE_BY, "since_bound": ""})
        causes.append(cause)
    return explanation._replace(causes=causes)


def changes_told(history: Record | None, available: AvailableChecks) -> list[StatusChange]:
    """The changes that the history tells, with titles; none without a history."""
    if not isinstance(history, HistoryHealth):
        return []
    return with_titles(history.changes, available)


def with_titles(changes: Iterable[StatusChange], available: AvailableChecks) -> list[StatusChange]:
    """The changes with the titles of the checks and causes, and the ids that their authors gave them."""
    names = _names_by_kept_id(available)
    result = []
    for change in changes:
        identity, title = names.get((change.kind, change.id), (change.id, ""))
        result.append(change.model_copy(update={"id": identity, "title": title}))
    return result


def _names_by_kept_id(available: AvailableChecks) -> Mapping[tuple[str, str], tuple[str, str]]:
    """Id and title of each check and cause, by its kind and its id in the history."""
    names = {}
    built_in = available.built_in_ids
    for check in available.checks:
        names[CHECK, kept_id(check.id, built_in)] = (check.id, check.title)
    for cause in available.causes:
        names[CAUSE, kept_id(cause.id, built_in)] = (cause.id, cause.title)
    return names


def _tells_more(since: str, cause: Cause) -> bool:
    """Whether it was there earlier than its evidence tells, or the evidence tells only that it was not there before."""
    recorded = parse_time(since)
    told = parse_time(cause.since)
    if recorded is None:
        return False
    return told is None or recorded < told or cause.since_bound == "at the earliest"
