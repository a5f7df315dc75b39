"""Who may write the database: what is looked at, and when nothing is known."""

import json
import os
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring import database_access
from blueplane_doctor.monitoring.database_access import DatabaseAccess
from blueplane_doctor.sources.file_access import User
from tests.monitoring.support import collected

STRANGER = User(uid=4_294_901, gids=frozenset(), passes_permissions=False)


@pytest.fixture
def served(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline whose server runs as a user who owns nothing there."""
    (pipeline.home / "server.pid").write_text(json.dumps({"pid": os.getpid()}))
    monkeypatch.setattr(database_access, "process_state", lambda pid: "running")
    monkeypatch.setattr(database_access, "user_of_process", lambda pid: STRANGER)
    return pipeline


def test_the_file_the_folder_and_what_lies_beside_it_are_looked_at(served: Pipeline) -> None:
    log = served.database.with_name(served.database.name + "-wal")
    log.touch()
    log.chmod(0o600)
    served.database.chmod(0o666)
    served.database.parent.chmod(0o777)
    record = collected(DatabaseAccess, served)
    assert (record.writable, record.refused) == (False, ["-wal"])
    log.chmod(0o666)
    assert collected(DatabaseAccess, served).writable is True


def test_a_link_is_followed(served: Pipeline, tmp_path: Path) -> None:
    served.database.chmod(0o666)
    link = tmp_path / "linked" / "telemetry.db"
    link.parent.mkdir()
    link.parent.chmod(0o777)
    link.symlink_to(served.database)
    served.database.parent.chmod(0o755)
    assert collected(DatabaseAccess, served, database=link).refused == ["folder"]


@pytest.mark.parametrize("state", ["not running", "another program", "no pid file"])
def test_without_the_servers_process_nobody_knows_its_user(
    state: str, served: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_access, "process_state", lambda pid: state)
    record = collected(DatabaseAccess, served)
    assert record.writable is None
    assert "its user is not known" in record.cause


def test_without_a_database_there_is_nothing_to_write(served: Pipeline, tmp_path: Path) -> None:
    record = collected(DatabaseAccess, served, database=tmp_path / "nothing.db")
    assert (record.writable, record.cause) == (None, "there is no database")


def test_a_read_only_mount_counts_whoever_runs_the_server(served: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_access, "is_mounted_read_only", lambda path: True)
    record = collected(DatabaseAccess, served)
    assert (record.writable, record.read_only_mount) == (False, True)
