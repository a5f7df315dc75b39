from blueplane_doctor.monitoring.connections import Reach
from blueplane_doctor.monitoring.server_health import LockHolder, LoggedErrors
from tests.checks import builders
from tests.checks.builders import causes_of

FIRST = "2026-03-14T09:20:00.000Z"
STUCK = {"pending": 120, "stuck": 120, "longest_unacknowledged_ms": 600_000, "stuck_ids": ["1773479901310-0"]}


def logged(kind: str) -> list[LoggedErrors]:
    return [LoggedErrors(kind=kind, count=6, lately=0, first=FIRST, last=builders.NOW)]


def test_the_log_tells_of_a_lock_and_batches_are_stuck() -> None:
    server = builders.server(errors=logged("database is locked"))
    causes = causes_of(server=server, queue=builders.one_writer(**STUCK))
    assert [(one.id, one.since, one.certain) for one in causes] == [("database-locked", FIRST, True)]


def test_without_a_word_in_the_log_it_is_likely() -> None:
    causes = causes_of(queue=builders.one_writer(**STUCK, most_deliveries=1))
    assert [(one.id, one.certain) for one in causes] == [("database-locked", False)]


def test_a_writer_at_work_holds_the_lock_and_is_no_cause() -> None:
    assert causes_of(server=builders.server(lock_holder=LockHolder(pid=48_112, is_server=True))) == []


def test_the_server_may_not_write() -> None:
    server = builders.server(errors=logged("database is read-only"), errors_per_minute=20.0)
    causes = causes_of(server=server, queue=builders.one_writer(**STUCK))
    assert "database-not-writable" in {one.id for one in causes}


def test_the_server_may_not_write_by_the_permissions_alone() -> None:
    (cause,) = causes_of(database_access=builders.database_access(writable=False, refused=["folder"]))
    assert (cause.id, cause.certain) == ("database-not-writable", True)
    assert "its folder" in cause.summary


def test_a_damaged_database() -> None:
    reach = Reach(address="~/.blueplane/telemetry.db", reachable=False, cause="the database is damaged")
    assert [one.id for one in causes_of(connections=builders.connections(database=reach))] == ["database-damaged"]


def test_a_full_disk() -> None:
    causes = causes_of(disk_space=builders.disk_space(database_free_mb=12.0))
    assert [one.id for one in causes] == ["disk-full"]
