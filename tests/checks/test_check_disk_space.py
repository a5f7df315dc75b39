"""The disks: every edge of the scale."""

import pytest

from tests.checks.builders import cases, disk_space, forecast, history, run


@pytest.mark.parametrize(
    ("sentence", "free", "status"),
    cases(
        [
            ("plenty", "room for years", 70_000.0, "green"),
            ("yellow-edge", "2 GB are still enough", 2_000.0, "green"),
            ("below-yellow", "a little less is not", 1_999.9, "yellow"),
            ("orange-edge", "500 MB are still yellow", 500.0, "yellow"),
            ("below-orange", "a little less is orange", 499.9, "orange"),
            ("red-edge", "50 MB are still orange", 50.0, "orange"),
            ("below-red", "a little less is red", 49.9, "red"),
            ("full", "nothing", 0.0, "red"),
            ("no-data", "Redis' folder is not told, the others are", None, "green"),
        ]
    ),
)
def test_the_fullest_disk_counts(sentence: str, free: float | None, status: str) -> None:
    found = run("disk-space", disk_space=disk_space(redis_free_mb=free))
    assert found.status == status, sentence


def test_the_disk_is_named_with_what_is_free() -> None:
    found = run("disk-space", disk_space=disk_space(database_free_mb=312.0))
    assert found.summary == "312 MB are free on the disk of the telemetry database"
    assert found.remedy is not None and "-wal" in found.remedy.text


def test_a_disk_without_inodes_is_full() -> None:
    found = run("disk-space", disk_space=disk_space(no_more_files=["spool"]))
    assert found.status == "red"
    assert "no inodes" in found.summary


def test_what_no_file_system_tells_is_unknown() -> None:
    nothing = disk_space(database_free_mb=None, spool_free_mb=None, redis_free_mb=None)
    assert run("disk-space", disk_space=nothing).status == "unknown"


def test_until_when_the_room_lasts_is_told_of_the_disk_that_is_full_first() -> None:
    shrinking = history(room={"database": forecast(minutes_left=30.0), "spool": forecast(), "memory": forecast()})
    little = run("disk-space", disk_space=disk_space(database_free_mb=312.0), history=shrinking)
    assert little.summary.startswith("312 MB are free on the disk of the telemetry database; there, at the rate of ")
    assert "in about 30 min" in little.summary
    plenty = run("disk-space", disk_space=disk_space(), history=shrinking)
    assert plenty.status == "green"
    assert "; on the disk of the telemetry database, at the rate" in plenty.summary
    assert "at the rate" not in run("disk-space", disk_space=disk_space(), history=history()).summary
