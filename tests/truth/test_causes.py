"""Exactly the right causes: each situation, each fault of the demo and every two of them, on live servers."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.demo.faults import FAULTS, demo_pipeline
from blueplane_doctor.discovery import find_checks
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.json import render
from blueplane_doctor.times import parse_time
from tests.helpers import examined
from tests.truth import expected_causes
from tests.truth.examination import Examination
from tests.truth.expected_causes import (
    BY_PAIR,
    BY_SITUATION,
    REMEMBERS,
    Row,
    of_faults,
    of_situation,
    pairs_of_faults,
)
from tests.truth.situations import MAIN_INSTANCES, SITUATIONS, instances
from tests.truth.truth import Truth

QUICK = ("healthy", "just-installed", "server-dead", "orphans", "stuck-no-reason-found", "home-elsewhere")
QUICK_PAIRS = (("poison-duplicate", "retry-storm"),)
GRADED = ("yellow", "orange", "red", "error")


def examine_faults(*faults: str) -> Examination:
    with demo_pipeline(faults) as pipeline:
        report = examined(pipeline)
    return Examination(report.exit_code, render(report, View()), "")


def assert_causes(examination: Examination, row: Row) -> None:
    """Exactly these causes, each finding under one of them or for itself, and nothing said that cannot be so."""
    report = examination.report
    causes = report["causes"]
    assert {cause["id"] for cause in causes} == set(row.causes)
    assert {name for cause in causes for name in cause["leads_to"]} == set(row.follows)
    graded = [finding for finding in report["findings"] if finding["status"] in GRADED]
    alone = {finding["id"] for finding in graded if not finding["cause"]}
    # The situations' rows are written up to half an hour after their messages: that delay is there, and is no fault.
    assert alone - {"delivery-delay"} == set(row.alone)
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
    for number in (stake["at_risk"], stake["lost"], stake["recoverable"]):
        assert number is None or number >= 0
    assert (stake["recoverable"] or 0) <= (stake["lost"] or 0)


def _situations() -> list[Any]:
    parameters: list[Any] = []
    for name, entry in SITUATIONS.items():
        parameters += instances(name, quick=int(name in QUICK), servers=entry.servers[:1])
        if REMEMBERS in entry.servers and entry.section in "CE" and MAIN_INSTANCES[entry.build] == name:
            parameters += instances(name, quick=0, servers=(REMEMBERS,))
    return parameters


@pytest.mark.parametrize(("name", "server"), _situations())
def test_each_situation_has_exactly_its_causes(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor(redis_url=situation.truth.facts.get("redis_url"))
        assert_causes(examination, of_situation(name, server))
        assert_stakes(examination, situation.truth)


LOSES_WHAT_NOBODY_WROTE = ("malformed-payloads", "unrecorded-loss")
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
    letters = _at_stake(causes, ("dead-letters",), "lost")
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


SINCE_MINUTES = {
    "poison-duplicate": 6,
    "malformed-payloads": 8,
    "trimmed-unread": 20,
    "orphaned-messages": 20,
    "locked-database": 10,
    "retry-storm": 5.3,
    "dead-letter-growth": 50,
    "silent-hooks": 240,
}
"""When each fault of the demo began; where nothing tells it, the fault is not here."""


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize("fault", SINCE_MINUTES)
def test_since_when_is_when_the_fault_began(fault: str) -> None:
    report = examine_faults(fault).report
    made = parse_time(report["generated_at"])
    since = [parse_time(cause["since"]) for cause in report["causes"]]
    assert made is not None
    minutes = max((made - moment).total_seconds() / 60 for moment in since if moment is not None)
    assert minutes == pytest.approx(SINCE_MINUTES[fault], abs=1)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize("fault", list(FAULTS))
def test_each_fault_of_the_demo_has_exactly_its_causes(fault: str) -> None:
    assert_causes(examine_faults(fault), of_faults(fault))


@pytest.mark.server
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(pair, id="+".join(pair), marks=[] if pair in QUICK_PAIRS else [pytest.mark.slow])
        for pair in pairs_of_faults()
    ],
)
def test_every_two_faults_of_the_demo_have_exactly_those_causes(faults: tuple[str, str]) -> None:
    assert_causes(examine_faults(*faults), of_faults(*faults))


@pytest.mark.server
@pytest.mark.slow
def test_the_healthy_demo_has_none() -> None:
    assert_causes(examine_faults(), Row())


def test_the_table_names_situations_and_causes_that_there_are() -> None:
    known = {spec.id for spec in find_checks().causes}
    assert set(BY_SITUATION) <= set(SITUATIONS)
    assert set(BY_PAIR) <= set(pairs_of_faults())
    rows = [*BY_SITUATION.values(), *expected_causes.BY_FAULT.values(), *BY_PAIR.values()]
    for row in rows:
        assert {*row.causes, *row.follows} <= known
        assert row.why or not (row.follows or row.alone), "says why a cause is not shown, or a finding stands alone"
    for name in SITUATIONS:
        of_situation(name)


def test_a_pair_that_is_not_the_sum_of_both_says_why() -> None:
    for row in BY_PAIR.values():
        assert row.why
