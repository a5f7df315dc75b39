"""Which messages are meant by words and filters."""

import pytest

from blueplane_doctor.lookup.dead_letters import DeadLetterFilter
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.survey import Candidate
from blueplane_doctor.text.characters import Public

NOW = 100_000
CANDIDATE = Candidate(
    id=(40_000, 0),
    state="stuck",
    group="processors",
    keys=(),
    held={},
    problem="",
    origins=(),
    event_type=Public("stop"),
    platform=Public("cursor"),
)


@pytest.mark.parametrize(
    ("wanted", "is_meant"),
    [
        pytest.param(Wanted(), True, id="nothing narrows it"),
        pytest.param(Wanted(ids=frozenset(["40000-0"])), True, id="its ID"),
        pytest.param(Wanted(ids=frozenset(["40000-1"])), False, id="another ID"),
        pytest.param(Wanted(filter=DeadLetterFilter(newer_than_ms=60_000)), True, id="just as old"),
        pytest.param(Wanted(filter=DeadLetterFilter(newer_than_ms=59_999)), False, id="older"),
        pytest.param(Wanted(filter=DeadLetterFilter(older_than_ms=60_000)), True, id="just as young"),
        pytest.param(Wanted(filter=DeadLetterFilter(older_than_ms=60_001)), False, id="younger"),
        pytest.param(Wanted(filter=DeadLetterFilter(group="processors")), True, id="its group"),
        pytest.param(Wanted(filter=DeadLetterFilter(group="claude_processors")), False, id="another group"),
        pytest.param(Wanted(filter=DeadLetterFilter(event_type="stop")), True, id="its type"),
        pytest.param(Wanted(filter=DeadLetterFilter(event_type="start")), False, id="another type"),
        pytest.param(Wanted(filter=DeadLetterFilter(platform="claude_code")), False, id="another platform"),
        pytest.param(Wanted(filter=DeadLetterFilter(error="locked")), False, id="an error, which it has not"),
    ],
)
def test_which_messages_are_meant(wanted: Wanted, is_meant: bool) -> None:
    assert wanted.candidate(CANDIDATE, NOW) is is_meant


def test_no_filter_means_no_dead_letter() -> None:
    assert not Wanted().names_letters
    assert not Wanted(targets=frozenset(["dead-letters"])).names_letters
    assert Wanted(ids=frozenset(["1-0"])).names_letters
    assert Wanted(filter=DeadLetterFilter(error="locked")).names_letters


def test_targets_by_name() -> None:
    assert Wanted().target("lost")
    assert not Wanted(targets=frozenset(["stuck"])).target("lost")
