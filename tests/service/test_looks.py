"""What of the two looks may be shown together: a custody look never outlives an outage."""

import pytest

from blueplane_doctor.evidence import Evidence
from blueplane_doctor.monitoring.connections import Connections, Reach
from blueplane_doctor.service.looks import Look, Reachable, merged, reachable_in, why_custody_does_not_hold
from blueplane_doctor.service.snapshot import Freshness
from tests.checks.builders import queue

NOW = 1000.0
BOTH = Reachable(redis=True, database=True)
HOLDS = Freshness(NOW - 10, NOW + 10)


def connections(redis: bool = True, database: bool = True) -> Evidence:
    """What a quick look read of the sources."""
    record = Connections(
        redis=Reach(address="localhost:6379", reachable=redis, cause="" if redis else "Redis is away"),
        database=Reach(address="telemetry.db", reachable=database, cause="" if database else "it is locked"),
    )
    return Evidence("", records={"connections": record})


def quick(redis: bool = True, database: bool = True) -> Look:
    evidence = connections(redis, database)
    return Look(evidence, HOLDS, reachable_in(evidence))


def custody(reachable: Reachable | None = BOTH, freshness: Freshness = HOLDS) -> Look:
    return Look(Evidence("", records={"queue": queue()}), freshness, reachable)


NO_LOOK = Look(Evidence("", missing={"connections": "the first examination has not ended yet"}), HOLDS)


@pytest.mark.parametrize(
    ("quick_look", "custody_look", "why"),
    [
        pytest.param(quick(), custody(), "", id="both hold"),
        pytest.param(NO_LOOK, custody(), "the first examination has not ended yet", id="no quick look"),
        pytest.param(quick(redis=False), custody(), "Redis is away", id="Redis is away"),
        pytest.param(quick(), custody(None), "", id="no custody look, which its evidence says"),
        pytest.param(quick(database=False), custody(), "is being examined again", id="the database has gone"),
        pytest.param(quick(), custody(Reachable(False, True)), "is being examined again", id="Redis has come back"),
        pytest.param(quick(), custody(freshness=Freshness(0, NOW - 1)), "has not ended in time", id="too old"),
    ],
)
def test_a_custody_look_is_shown_only_where_it_holds(quick_look: Look, custody_look: Look, why: str) -> None:
    reason = why_custody_does_not_hold(quick_look, custody_look, NOW)
    assert why in reason
    assert bool(reason) is bool(why)


@pytest.mark.parametrize("redis", [True, False])
@pytest.mark.parametrize("database", [True, False])
def test_which_sources_answered(redis: bool, database: bool) -> None:
    assert reachable_in(connections(redis, database)) == (redis, database)
    assert reachable_in(Evidence("")) == (False, False)


def test_what_one_look_has_read_the_other_does_not_miss() -> None:
    first = Evidence("10:00", 7.0, {"queue": queue()}, {"server": "not read", "chain": "no time"}, {"queue": 5.0})
    second = Evidence("10:05", 2.0, connections().records, {"queue": "not read", "server": "gone"}, {"server": 1.0})
    both = merged(first, second)
    assert (both.taken_at, both.duration_ms) == ("10:05", 2.0)
    assert set(both.records) == {"queue", "connections"}
    assert both.missing == {"server": "gone", "chain": "no time"}
    assert both.durations == {"queue": 5.0, "server": 1.0}
