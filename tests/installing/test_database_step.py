"""The telemetry database: made where there is none, removed only as long as it is ours and empty."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.installing.database_step import WORK_FOLDER, DatabaseStep
from tests.installing.conftest import Person

STEP = DatabaseStep()
SCRIPT = """
import pathlib, sqlite3
path = pathlib.Path.home() / ".blueplane" / "telemetry.db"
path.parent.mkdir()
connection = sqlite3.connect(path)
connection.executescript("CREATE TABLE own (a); CREATE TABLE schema_version (v); INSERT INTO schema_version VALUES (3)")
connection.close()
"""


@pytest.fixture
def core(tmp_path: Path, programs: Path) -> Path:
    """A checkout whose script is run by its own interpreter."""
    folder = tmp_path / "core"
    (folder / "scripts").mkdir(parents=True)
    (folder / "scripts" / "init_database.py").write_text(SCRIPT)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    real = subprocess.run(["sh", "-c", "command -v python3"], capture_output=True, text=True, check=True).stdout.strip()
    python.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    python.chmod(0o755)
    return folder


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def execute(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(sql)


def test_it_is_made_with_the_known_schema_and_removed(person: Person) -> None:
    path = person.site.settings.database_file
    assert person.install(STEP)
    assert {"cursor_raw_traces", "claude_raw_traces", "cursor_sessions"} <= tables(path)
    after = person.tree()
    assert person.install(STEP)
    assert person.tree() == after
    assert person.uninstall(STEP)
    assert person.tree() == {}


def test_the_pipelines_own_script_makes_it_where_a_checkout_is_given(person: Person, core: Path) -> None:
    path = person.site.settings.database_file
    assert person.install(STEP, core=core), person.text
    assert tables(path) == {"own", "schema_version"}
    assert person.uninstall(STEP)
    assert person.tree() == {}


@pytest.mark.parametrize("script", ["raise SystemExit('no module')", "pass", "import sys; sys.exit(3)"])
def test_a_script_that_fails_leaves_nothing(person: Person, core: Path, script: str) -> None:
    (core / "scripts" / "init_database.py").write_text(script)
    assert not person.install(STEP, core=core)
    assert "script ended with" in person.text
    assert not person.site.settings.database_file.exists()
    assert person.uninstall(STEP)
    assert person.tree() == {}


def test_a_checkout_without_the_script_is_an_error(person: Person, tmp_path: Path) -> None:
    assert not person.install(STEP, core=tmp_path)
    assert "there is no scripts/init_database.py" in person.text


def test_one_that_is_there_is_left_as_it_is(person: Person) -> None:
    path = person.site.settings.database_file
    path.parent.mkdir()
    path.write_bytes(b"whatever this is")
    before = person.tree()
    assert person.install(STEP) and person.uninstall(STEP)
    assert person.tree() == before


@pytest.mark.parametrize(
    ("sql", "stays"),
    [
        ("INSERT INTO cursor_sessions VALUES ('a', 'b', 'c', 'd', NULL)", True),
        ("CREATE TABLE later (a)", False),
        ("CREATE TABLE schema_version (v)", False),
    ],
)
def test_it_stays_from_the_first_row_on(person: Person, sql: str, stays: bool) -> None:
    path = person.site.settings.database_file
    person.install(STEP)
    execute(path, sql)
    assert person.uninstall(STEP)
    assert path.exists() is stays


def test_it_stays_while_somebody_has_it_open(person: Person) -> None:
    path = person.site.settings.database_file
    person.install(STEP)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("SELECT count(*) FROM cursor_sessions").fetchall()
        database.execute("CREATE TABLE later (a)")
        assert person.uninstall(STEP)
    assert path.exists() and "is open" in person.text


def test_one_that_others_made_in_its_place_stays(person: Person) -> None:
    path = person.site.settings.database_file
    person.install(STEP)
    kept = path.with_name("kept")
    path.rename(kept)  # so that its inode is not given away again
    path.write_bytes(kept.read_bytes())
    assert person.uninstall(STEP)
    assert path.exists() and "made by others" in person.text


def test_what_a_killed_run_left_goes_with_the_database_and_not_in_a_dry_run(person: Person) -> None:
    person.install(STEP)
    work_folder = person.site.settings.database_file.with_name(WORK_FOLDER)
    work_folder.mkdir()
    (work_folder / "telemetry.db").touch()
    before = person.tree()
    assert person.uninstall(STEP, dry_run=True)
    assert f"remove {work_folder}" in person.text
    assert person.tree() == before
    assert person.uninstall(STEP)
    assert person.tree() == {}


@pytest.mark.parametrize("loose", [".", "scripts", "scripts/init_database.py", ".venv/bin/python", "src/module.py"])
def test_the_script_of_a_checkout_that_others_may_write_to_is_not_run(person: Person, core: Path, loose: str) -> None:
    (core / "src").mkdir()
    (core / "src" / "module.py").touch()
    place = core / loose
    place.chmod(0o777)
    assert not person.install(STEP, core=core)
    assert "its script is not run, for others decide what it does" in person.text
    assert f"chmod go-w {place}" in person.text
    assert person.tree() == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_root_runs_no_script_of_another_user(person: Person, core: Path) -> None:
    os.chown(core / "scripts" / "init_database.py", 65_534, 65_534)
    assert not person.install(STEP, core=core)
    assert "belongs to another user" in person.text
    assert person.tree() == {}
