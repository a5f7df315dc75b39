import pytest

from blueplane_doctor.monitoring.connections import Reach
from tests.checks import builders
from tests.checks.builders import causes_of


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("the database is damaged", "database-damaged"),
        ("the database does not exist", "database-gone"),
        ("the database holds none of the tables that traces are written to", "database-gone"),
        ("the database has no table cursor_raw_traces: what belongs there cannot be written", "database-gone"),
        ("the database cannot be read: permission denied", "database-unreadable"),
    ],
)
def test_a_database_that_cannot_be_read(cause: str, expected: str) -> None:
    reach = Reach(address="~/.blueplane/telemetry.db", reachable=False, cause=cause)
    assert [one.id for one in causes_of(connections=builders.connections(database=reach))] == [expected]


def test_a_journal_of_a_crash() -> None:
    reach = Reach(
        address="~/.blueplane/telemetry.db", reachable=False, cause="a crash left a journal", interrupted=True
    )
    (cause,) = causes_of(connections=builders.connections(database=reach))
    assert (cause.id, "nothing is lost" in cause.summary) == ("database-interrupted", True)


def test_slow_writes_are_likely_to_have_a_reason_outside() -> None:
    causes = causes_of(database=builders.database(write_latency_p95_ms=180.0, recorder_ran=True, recorded_minutes=60))
    assert [(one.id, one.certain) for one in causes] == [("writes-are-slow", False)]


def test_a_log_that_is_not_emptied() -> None:
    assert [one.id for one in causes_of(database=builders.database(wal_size_mb=400.0))] == ["log-not-emptied"]
