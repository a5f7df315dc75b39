"""Errors in the server's log: every edge of the scale, what is said of them, and when they are over."""

import pytest
from blueplane_doctor.checks.check_server_errors import ADVICE

from blueplane_doctor.model import Finding
from blueplane_doctor.monitoring.server_health import LockHolder, LoggedErrors
from blueplane_doctor.sources.log_kinds import KINDS
from tests.checks.builders import cases, database, one_writer, run, server


@pytest.mark.parametrize(
    ("sentence", "rate", "status"),
    cases(
        [
            ("none", "a log without errors is green", 0.0, "green"),
            ("first-yellow", "one error in five minutes is yellow", 0.2, "yellow"),
            ("below-orange", "9.8 a minute is the last yellow", 9.8, "yellow"),
            ("orange-edge", "10 a minute is the first orange", 10.0, "orange"),
            ("last-orange", "60 a minute is still orange", 60.0, "orange"),
            ("above-red", "60.2 a minute is red", 60.2, "red"),
            ("no-data", "without a log it is unknown, never green", None, "unknown"),
        ]
    ),
)
def test_server_errors(sentence: str, rate: float | None, status: str) -> None:
    assert run("server-errors", server=server(errors_per_minute=rate)).status == status, sentence


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (0.0, "No error in the server's log for five minutes"),
        (0.2, "0.2 errors a minute in the server's log"),
        (1.0, "1 error a minute in the server's log"),
        (56.4, "56.4 errors a minute in the server's log"),
    ],
)
def test_server_errors_says_how_many(rate: float, said: str) -> None:
    assert run("server-errors", server=server(errors_per_minute=rate)).summary == said


def errors(kind: str, lately: int = 5) -> LoggedErrors:
    return LoggedErrors(kind=kind, count=7, lately=lately, first="2026-03-14T09:21:00Z", last="2026-03-14T09:26:00Z")


def test_server_errors_names_what_they_are_and_who_holds_the_lock() -> None:
    holder = LockHolder(pid=4711, program="sqlite3")
    kinds = [errors("another error", 9), errors("database is locked"), errors("NOGROUP", 0)]
    finding = run("server-errors", server=server(errors_per_minute=2.8, errors=kinds, lock_holder=holder))
    assert finding.summary == "2.8 errors a minute in the server's log: another error (9), database is locked (5)"
    assert finding.remedy is not None
    assert finding.remedy.text.startswith("Process 4711 (sqlite3) holds the database's write lock now.")


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (None, "Another process kept the database locked"),
        (LockHolder(pid=7), "Process 7 holds the database's write lock now."),
        (LockHolder(pid=7, is_server=True), "The server itself (process 7) holds"),
    ],
)
def test_server_errors_says_who_holds_the_lock_as_far_as_it_is_known(holder: LockHolder | None, said: str) -> None:
    locked = server(errors_per_minute=1.0, errors=[errors("database is locked")], lock_holder=holder)
    finding = run("server-errors", server=locked)
    assert finding.remedy is not None
    assert finding.remedy.text.startswith(said)


def test_server_errors_of_a_part_of_the_window_are_a_lower_bound() -> None:
    given = server(errors_per_minute=171_000.0, errors_window_seconds=3.0, errors_are_at_least=True)
    summary = run("server-errors", server=given).summary
    assert summary == "At least 171,000 errors a minute in the server's log, of which the last 3 s were read"


def test_groups_that_are_gone_need_a_restart() -> None:
    finding = run("server-errors", server=server(errors_per_minute=99.0, errors=[errors("NOGROUP")]))
    assert finding.remedy is not None
    assert "restart it" in finding.remedy.text and "does not help" in finding.remedy.text


@pytest.mark.parametrize("kind", sorted(ADVICE))
def test_there_is_advice_only_for_kinds_that_exist(kind: str) -> None:
    assert kind in dict(KINDS)


LAST_ERROR = "2026-03-14T09:26:00.000Z"
"""53 seconds before the time of the report."""


def storm_until(last_error: str, **changes: object) -> Finding:
    """The finding of a storm of errors that ended then; rows were written until two seconds ago."""
    given = server(
        errors_per_minute=900.0, errors=[errors("NOGROUP", 4_500)], last_error_timestamp=last_error, **changes
    )
    return run("server-errors", server=given)


def test_errors_before_the_newest_row_are_over() -> None:
    finding = storm_until(LAST_ERROR)
    assert finding.status == "yellow"
    expected = "4,500 errors were logged in the last five minutes: NOGROUP (4,500); the last one 54 s ago"
    assert finding.summary == f"{expected}, and rows were written since"
    assert finding.remedy is not None
    assert "restart" not in finding.remedy.text


def test_past_errors_of_which_not_all_were_read_are_a_lower_bound() -> None:
    assert storm_until(LAST_ERROR, errors_are_at_least=True).summary.startswith("At least 4,500 errors were logged")


def test_one_past_error_is_told_once() -> None:
    given = server(errors_per_minute=0.2, errors=[errors("timeout", 1)], last_error_timestamp=LAST_ERROR)
    said = "1 error was logged in the last five minutes: timeout (1); 54 s ago, and rows were written since"
    assert run("server-errors", server=given).summary == said


@pytest.mark.parametrize("last_error", ["2026-03-14T09:26:50.000Z", "2026-03-14T09:26:52.000Z"])
def test_errors_of_the_last_seconds_may_go_on(last_error: str) -> None:
    assert storm_until(last_error).status == "red"


@pytest.mark.parametrize("row", ["2026-03-14T09:25:59.000Z", LAST_ERROR, None])
def test_a_row_of_the_same_second_may_be_older_than_the_error(row: str | None) -> None:
    given = server(errors_per_minute=900.0, errors=[errors("NOGROUP", 4_500)], last_error_timestamp=LAST_ERROR)
    assert run("server-errors", server=given, database=database(last_successful_write_timestamp=row)).status == "red"


@pytest.mark.parametrize("missing", [{"exists": False}, {"consumers": []}])
def test_errors_are_not_over_while_a_writer_is_missing(missing: dict[str, object]) -> None:
    given = server(errors_per_minute=900.0, errors=[errors("NOGROUP", 4_500)], last_error_timestamp=LAST_ERROR)
    assert run("server-errors", server=given, queue=one_writer(**missing)).status == "red"
