"""Exactly the right causes of each fault of the demo and of every two of them, on live servers.

Those of each situation are judged where it is built: test_situations.py.
"""

import pytest

from blueplane_doctor.demo.faults import FAULTS, demo_pipeline
from blueplane_doctor.plugins.discovery import find_checks
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.json import render
from blueplane_doctor.text.times import parse_time
from tests.helpers import examined
from tests.truth import expected_causes
from tests.truth.examination import Examination
from tests.truth.expected_causes import (
    BY_PAIR,
    BY_SITUATION,
    Row,
    of_faults,
    of_situation,
    pairs_of_faults,
)
from tests.truth.situations import SITUATIONS
from tests.truth.sound_causes import assert_causes

QUICK_PAIRS = (("poison-duplicate", "retry-storm"),)


def examine_faults(*faults: str) -> Examination:
    with demo_pipeline(faults) as pipeline:
        report = examined(pipeline)
    return Examination(report.exit_code, render(report, View()), "")


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
