"""The look at custody: due by what the last one cost and by what has changed; and it never outlives an outage."""

import pytest

from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.monitoring.connections import Connections, Reach
from blueplane_doctor.service.custody_look import is_due, least_rest, longest_rest, why_it_does_not_hold
from blueplane_doctor.service.snapshot import Freshness, Look, Reachable
from tests.checks.builders import queue

NOW = 1000.0
BOTH = Reachable(redis=True, database=True)
AWAY = Reachable(redis=False, database=True)
HOLDS = Freshness(0.0, NOW + 10)
"""Of a look that began at 0 by the monotonic clock too: for so long it holds."""


def quick(redis: bool = True, database: bool = True) -> Look:
    record = Connections(
        redis=Reach(address="localhost:6379", reachable=redis, cause="" if redis else "Redis is away"),
        database=Reach(address="telemetry.db", reachable=database, cause="" if database else "it is locked"),
    )
    reachable = Reachable(redis, database)
    return Look(Evidence("", records={"connections": record}), HOLDS, 0.0, reachable=reachable, fingerprint=("same",))


def custody(reachable: Reachable | None = BOTH, freshness: Freshness = HOLDS, *, queue_read: bool = True) -> Look:
    evidence = Evidence("", records={"queue": queue()} if queue_read else {})
    return Look(evidence, freshness, 0.0, took=2.0, reachable=reachable, fingerprint=("same",))


NO_LOOK = Look(Evidence("", missing={"connections": "the first examination has not ended yet"}), HOLDS, 0.0)
WAITING = custody()._replace(evidence=Evidence("", records={"queue": queue(queue_depth=1)}))
CHANGED = custody()._replace(fingerprint=("another",))


@pytest.mark.parametrize(("took", "least", "longest"), [(0.0, 1.0, 180.0), (0.5, 4.5, 180.0), (2.0, 18.0, 398.0)])
def test_the_schedule_goes_by_cost(took: float, least: float, longest: float) -> None:
    assert (least_rest(took), longest_rest(took)) == (least, longest)


@pytest.mark.parametrize(
    ("quick_look", "custody_look", "rested", "due"),
    [
        pytest.param(NO_LOOK, custody(), 1_000, False, id="no quick look yet"),
        pytest.param(quick(), custody(None), 0, True, id="no custody look yet"),
        pytest.param(quick(redis=False), custody(), 0, True, id="Redis has gone"),
        pytest.param(quick(), custody(AWAY), 0, True, id="Redis has come back"),
        pytest.param(quick(), custody(), 397, False, id="nothing has changed"),
        pytest.param(quick(), custody(), 398, True, id="nothing has changed for long"),
        pytest.param(quick(), CHANGED, 17, False, id="changed, and just looked at"),
        pytest.param(quick(), CHANGED, 18, True, id="changed"),
        pytest.param(quick(), WAITING, 17, False, id="messages wait, and just looked at"),
        pytest.param(quick(), WAITING, 18, True, id="messages wait"),
        pytest.param(quick(), custody(queue_read=False), 18, True, id="the queue was not read"),
        pytest.param(quick(redis=False), custody(AWAY, queue_read=False), 18, False, id="Redis is away"),
        pytest.param(quick(redis=False), custody(AWAY, queue_read=False), 398, True, id="Redis is away for long"),
    ],
)
def test_when_it_is_due(quick_look: Look, custody_look: Look, rested: float, due: bool) -> None:
    """Each took 2 s."""
    assert is_due(quick_look, custody_look, 2.0 + rested) is due


@pytest.mark.parametrize(
    ("quick_look", "custody_look", "why"),
    [
        pytest.param(quick(), custody(), "", id="both hold"),
        pytest.param(NO_LOOK, custody(), "the first examination has not ended yet", id="no quick look"),
        pytest.param(quick(redis=False), custody(), "Redis is away", id="Redis is away"),
        pytest.param(quick(redis=False), custody(AWAY), "Redis is away", id="it read the queue all the same"),
        pytest.param(quick(redis=False), custody(AWAY, queue_read=False), "", id="what lies outside Redis"),
        pytest.param(quick(), custody(None), "", id="no custody look, which its evidence says"),
        pytest.param(quick(database=False), custody(), "is being examined again", id="the database has gone"),
        pytest.param(quick(), custody(AWAY), "is being examined again", id="Redis has come back"),
        pytest.param(quick(), custody(freshness=Freshness(0, NOW - 1)), "has not ended in time", id="too old"),
        pytest.param(quick(), custody(freshness=Freshness(2 * NOW, 4 * NOW)), "", id="the clock was set back"),
        pytest.param(quick(), custody(freshness=Freshness(-NOW, 1)), "", id="the clock was set forward"),
        pytest.param(
            quick(), custody(freshness=Freshness(9 * NOW, 9 * NOW + 5)), "has not ended in time", id="too old, set back"
        ),
    ],
)
def test_it_is_shown_only_where_it_holds(quick_look: Look, custody_look: Look, why: str) -> None:
    reason = why_it_does_not_hold(quick_look, custody_look, NOW)
    assert why in reason
    assert bool(reason) is bool(why)
