"""The free space of the disks, as the file systems tell it."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring import disk_space
from blueplane_doctor.monitoring.disk_space import DiskSpace
from tests.monitoring.support import collected


@pytest.mark.server
def test_each_disk_is_asked(any_pipeline: Pipeline) -> None:
    record = collected(DiskSpace, any_pipeline)
    assert set(record.free_mb) >= {"database", "spool"}
    assert all(value > 0 for value in record.free_mb.values())
    assert record.no_more_files == []


def test_redis_that_does_not_answer_leaves_only_its_own_disk_unknown(pipeline: Pipeline) -> None:
    record = collected(DiskSpace, pipeline, redis_url="redis://127.0.0.1:1/0")
    assert set(record.free_mb) == {"database", "spool"}


def test_a_link_is_followed_and_a_home_that_does_not_exist_counts_as_its_parent(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "another disk"
    other.mkdir()
    link = tmp_path / "telemetry.db"
    link.symlink_to(other / "telemetry.db")
    asked: list[Path] = []

    def statvfs(place: Path) -> SimpleNamespace:
        asked.append(place)
        os.stat(place)
        return SimpleNamespace(f_bavail=5, f_frsize=1_000_000, f_files=10, f_favail=0)

    monkeypatch.setattr(disk_space.os, "statvfs", statvfs)
    record = collected(DiskSpace, pipeline, database=link, home=tmp_path / "nothing" / "here")
    assert other.resolve() in asked
    assert record.free_mb["database"] == record.free_mb["spool"] == 5.0
    assert set(record.no_more_files) >= {"database", "spool"}
