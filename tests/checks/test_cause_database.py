from blueplane_doctor.custody.blockers import ChainBlocker
from blueplane_doctor.monitoring.server_health import LockHolder, LoggedErrors, ServerHealth
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


def test_a_lock_that_left_nothing_names_no_repair() -> None:
    error = LoggedErrors(kind="database is locked", count=60, lately=60, first=FIRST, last=builders.NOW)
    (locked,) = causes_of(server=builders.server(errors=[error], errors_per_minute=12, errors_window_seconds=300))
    assert locked.next_step is not None
    assert not [command for command in locked.next_step.commands if "repair" in command]


def test_a_lock_that_is_over_is_told_as_the_past() -> None:
    error = LoggedErrors(kind="database is locked", count=60, lately=60, first=FIRST, last=FIRST)
    given = builders.server(errors=[error], errors_per_minute=12, last_error_timestamp=FIRST)
    (locked,) = causes_of(server=given)
    assert locked.title == "The database was locked for a time"
    assert locked.status == "yellow"
    assert locked.next_step is not None
    assert "nothing needs to be done" in locked.next_step.text
    assert not [command for command in locked.next_step.commands if "repair" in command]
    (stuck,) = causes_of(server=given, queue=builders.one_writer(**STUCK))
    assert stuck.title == "The database was locked, and batches were not written"


def test_what_is_stuck_without_any_sign_stands_for_itself() -> None:
    assert causes_of(queue=builders.one_writer(**STUCK, most_deliveries=1)) == []


def test_somebody_who_holds_the_lock_now_is_likely_the_reason() -> None:
    server = builders.server(lock_holder=LockHolder(pid=5_224))
    causes = causes_of(server=server, queue=builders.one_writer(**STUCK, most_deliveries=1))
    assert [(one.id, one.certain, one.at_stake.at_risk) for one in causes] == [("database-locked", False, 120)]
    assert causes[0].next_step is not None
    assert causes[0].next_step.commands[0].endswith("repair stuck --save-only"), "until then nothing is delivered"
    assert causes_of(server=server) == [], "and nothing without messages that are stuck"


def test_a_lock_has_left_nothing_that_was_enqueued_after_it() -> None:
    error = LoggedErrors(kind="database is locked", count=6, lately=0, first=FIRST, last=FIRST)
    later = {**STUCK, "stuck_ids": ["1773480301310-0"], "longest_unacknowledged_ms": 90_000}  # 09:25
    assert causes_of(server=builders.server(errors=[error]), queue=builders.one_writer(**later)) == []


def test_a_lock_beside_a_message_that_cannot_be_written_is_likely() -> None:
    chain = builders.chain(blockers=[ChainBlocker(id="1773479901310-0", group="processors", reason="same event_id")])
    queue = builders.one_writer(**STUCK)
    causes = causes_of(server=builders.server(errors=logged("database is locked")), queue=queue, chain=chain)
    assert {(one.id, one.certain, one.at_stake.at_risk) for one in causes} == {
        ("database-locked", False, None),
        ("poison-message", True, 120),
    }
    poison = next(one for one in causes if one.id == "poison-message")
    assert "holds up those of its batch" in poison.summary, "and nobody knows how many these are"


def test_orphans_and_storms_are_no_work_of_a_lock() -> None:
    claude = builders.writer("claude_processors", **STUCK, most_deliveries=319)
    cursor = builders.writer("processors", **{**STUCK, "orphaned": 100})
    causes = causes_of(
        server=builders.server(errors=logged("database is locked")), queue=builders.queue(groups=[claude, cursor])
    )
    locked = next(one for one in causes if one.id == "database-locked")
    assert locked.at_stake.at_risk == 20


def test_a_writer_at_work_holds_the_lock_and_is_no_cause() -> None:
    assert causes_of(server=builders.server(lock_holder=LockHolder(pid=48_112, is_server=True))) == []


def test_the_server_may_not_write() -> None:
    server = builders.server(errors=logged("database is read-only"), errors_per_minute=20.0)
    causes = causes_of(server=server, queue=builders.one_writer(**STUCK))
    assert "database-not-writable" in {one.id for one in causes}


def test_the_server_may_not_write_by_the_permissions_alone() -> None:
    (cause,) = causes_of(database_access=builders.database_access(writable=False, refused=["folder"]))
    assert (cause.id, cause.certain) == ("database-not-writable", True)
    assert "folder" in cause.summary


def test_once_it_can_be_written_again_the_step_is_the_repair() -> None:
    server = builders.server(errors=logged("database is read-only"), errors_per_minute=20.0)
    access = builders.database_access(writable=False, refused=["folder"])
    (refused,) = causes_of(server=server, queue=builders.one_writer(**STUCK), database_access=access)
    (over,) = causes_of(server=server, queue=builders.one_writer(**STUCK))
    assert refused.next_step is not None and over.next_step is not None
    assert "No repair helps while it cannot be written" in refused.next_step.text
    assert over.next_step.commands[0] == "blueplane-doctor repair stuck"
    assert "No repair" not in over.next_step.text


def test_a_full_disk() -> None:
    causes = causes_of(disk_space=builders.disk_space(database_free_mb=12.0))
    assert [one.id for one in causes] == ["disk-full"]


def test_after_a_full_disk_the_step_is_the_repair() -> None:
    server = builders.server(errors=logged("disk is full"), errors_per_minute=20.0)
    (full,) = causes_of(
        server=server, queue=builders.one_writer(**STUCK), disk_space=builders.disk_space(database_free_mb=12.0)
    )
    (over,) = causes_of(server=server, queue=builders.one_writer(**STUCK))
    assert full.next_step is not None and over.next_step is not None
    assert "No repair helps while the disk is full" in full.next_step.text
    assert over.next_step.commands[0] == "blueplane-doctor repair stuck"
    assert over.next_step.text.startswith("There is room now.")
    assert "No repair" not in over.next_step.text


def test_a_writer_that_tries_again_while_the_database_is_locked_is_no_storm() -> None:
    error = LoggedErrors(kind="database is locked", count=30, lately=30, first=FIRST, last=builders.NOW)
    server = builders.server(errors=[error], errors_per_minute=20.0)
    queue = builders.one_writer(**STUCK, most_deliveries=40)
    (cause,) = causes_of(server=server, queue=queue)
    assert (cause.id, cause.at_stake.at_risk) == ("database-locked", 120)
    assert {"retry-storm", "stuck-consumers", "server-errors"} <= set(cause.explains)
    assert "the writer that tries again may still write its own" in cause.summary
    assert "nobody reads them again" not in cause.summary


def failing(last: str, **changes: object) -> ServerHealth:
    error = LoggedErrors(kind="disk I/O error", count=180, lately=180, first=FIRST, last=last)
    return builders.server(errors=[error], errors_per_minute=180.0, last_error_timestamp=last, **changes)


def test_a_disk_that_fails_is_the_cause_of_what_is_tried_again() -> None:
    (one,) = causes_of(server=failing(builders.NOW), queue=builders.one_writer(**STUCK, most_deliveries=50))
    assert (one.id, one.since, one.certain, one.at_stake.at_risk) == ("disk-fails", FIRST, True, 120)
    assert {"retry-storm", "stuck-consumers", "server-errors"} <= set(one.explains)
    assert one.next_step is not None
    assert "Keep a copy of the database" in one.next_step.text and "dmesg" in one.next_step.text
    assert one.next_step.commands[0].endswith("repair stuck --save-only")


def test_a_disk_that_failed_for_a_time() -> None:
    (one,) = causes_of(server=failing(FIRST), queue=builders.one_writer(**STUCK, most_deliveries=1))
    assert one.next_step is not None
    assert one.next_step.text.startswith("Rows are written again.")
    assert one.next_step.commands[0].endswith("repair stuck")
    (one,) = causes_of(server=failing(FIRST))
    assert one.next_step is not None
    assert not [command for command in one.next_step.commands if "repair" in command]


def test_a_disk_that_fails_because_it_is_full_is_told_as_full() -> None:
    (one,) = causes_of(server=failing(builders.NOW), disk_space=builders.disk_space(database_free_mb=12.0))
    assert (one.id, one.leads_to) == ("disk-full", ["disk-fails"])
