"""What a report has to say of causes: exactly those of the table, nothing that cannot be so, and the true numbers."""

from datetime import timedelta
from typing import Any

from blueplane_doctor.plugins.discovery import find_checks
from blueplane_doctor.text.times import parse_time
from tests.truth.examination import Examination
from tests.truth.expected_causes import Row
from tests.truth.truth import Truth

GRADED = ("yellow", "orange", "red", "error")


def assert_causes(examination: Examination, row: Row) -> None:
    """Exactly these causes, each finding under one of them or for itself, and nothing said that cannot be so."""
    report = examination.report
    causes = report["causes"]
    shown = {cause["id"] for cause in causes}
    assert shown == set(row.causes), [(cause["id"], cause["summary"]) for cause in causes]
    follows = {name for cause in causes for name in cause["leads_to"]}
    assert follows == set(row.follows), follows
    graded = [finding for finding in report["findings"] if finding["status"] in GRADED]
    alone = {finding["id"] for finding in graded if not finding["cause"]}
    # The situations' rows are written up to half an hour after their messages: that delay is there, and is no fault.
    assert alone - {"delivery-delay"} == set(row.alone), alone
    for finding in graded:
        if finding["cause"]:
            assert finding["id"] in _may_explain(finding["cause"], causes), finding
    for cause in causes:
        _assert_sound(cause, report)


def _may_explain(cause_id: str, causes: list[dict[str, Any]]) -> set[str]:
    """What a cause and those that follow from it can bring about."""
    names = {cause_id}
    for cause in causes:
        if cause["id"] == cause_id:
            names |= set(cause["leads_to"])
    may: set[str] = set()
    for spec in find_checks().causes:
        if spec.id in names:
            may |= {*spec.shown_by, *spec.brings}
    return may


def _assert_sound(cause: dict[str, Any], report: Any) -> None:
    assert cause["certain"] or cause["confirm"], "says what would make it certain"
    assert bool(cause["since"]) == bool(cause["since_by"]), "says how it is known"
    if cause["since"]:
        since = parse_time(cause["since"])
        made = parse_time(report["generated_at"])
        assert since is not None and made is not None
        assert since <= made + timedelta(seconds=2)
    assert cause["next_step"]["text"]
    stake = cause["at_stake"]
    for number in stake.values():
        assert number is None or number >= 0
    assert (stake["recoverable"] or 0) <= (stake["lost"] or 0)


LOSES_WHAT_NOBODY_WROTE = ("malformed-payloads", "unrecorded-loss", "rows-of-one-time-missing")
HOLDS = ("poison-message", "retry-storm", "database-locked", "database-not-writable", "disk-full", "orphans")
NOBODY_READS = ("server-down", "writer-stopped", "writers-fall-behind", "redis-lost-its-data", "rewound-group")


def assert_stakes(examination: Examination, truth: Truth) -> None:
    """What is at stake is what the builder did; of several causes that hold the same messages one alone counts them."""
    causes = examination.report["causes"]
    lost = _at_stake(causes, LOSES_WHAT_NOBODY_WROTE, "lost")
    if lost is not None and truth.lost is not None:
        assert lost == _without_a_record(truth)
    trimmed = _at_stake(causes, ("server-down", "writer-stopped", "backlog-outgrew-stream"), "lost")
    if trimmed and truth.trimmed_unread is not None:
        assert truth.trimmed_unread[0] <= trimmed <= truth.trimmed_unread[1]
    held = _at_stake(causes, HOLDS, "at_risk")
    if held is not None and truth.pending is not None:
        assert held == truth.pending
    waiting = [cause["at_stake"]["at_risk"] for cause in causes if cause["id"] in NOBODY_READS]
    if truth.waiting is not None:
        assert {number for number in waiting if number is not None} <= {truth.waiting}
    letters = _at_stake(causes, ("dead-letters",), "dead_lettered")
    if letters is not None and truth.dead_lettered is not None:
        assert letters == truth.dead_lettered


def _without_a_record(truth: Truth) -> int:
    """Messages without a row of which nothing here tells that they are elsewhere."""
    count = (truth.lost or 0) + (truth.nobodys or 0) + (truth.passed_by or 0)
    if truth.dead_lettered == 0:  # their letters were deleted with the whole stream
        count += truth.letters_dropped or 0
    elsewhere: int = truth.facts.get("written_elsewhere", 0)
    return count - elsewhere


def _at_stake(causes: list[dict[str, Any]], ids: tuple[str, ...], name: str) -> int | None:
    """The sum over these causes; None where none of them is there."""
    numbers = [cause["at_stake"][name] or 0 for cause in causes if cause["id"] in ids]
    return sum(numbers) if numbers else None
