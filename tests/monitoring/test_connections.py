"""Whether Redis and the database answer: always a record, with the reason where one does not."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceUnreachable
from blueplane_doctor.examination import Examination
from blueplane_doctor.monitoring.connections import ConnectionMonitor, Connections
from blueplane_doctor.settings.values import load


def collected(**flags: object) -> Connections:
    examination = Examination(load(flags).settings)
    try:
        return ConnectionMonitor(examination).collect()
    finally:
        examination.close()


def test_both_answer(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1)
    connections = collected(home=pipeline.home, redis_url=pipeline.redis_url)
    assert (connections.redis.reachable, connections.database.reachable) == (True, True)
    assert connections.redis.address == "a unix socket"
    assert (connections.redis.cause, connections.database.cause) == ("", "")


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1/0", "redis+cluster://127.0.0.1:1", "redis+sentinel://127.0.0.1:1/m"]
)
def test_neither_answers(url: str, tmp_path: Path) -> None:
    connections = collected(home=tmp_path, redis_url=url)
    assert (connections.redis.reachable, connections.database.reachable) == (False, False)
    assert "cannot be reached" in connections.redis.cause
    assert "--redis-url" in connections.redis.hint
    assert connections.database.cause


def test_a_database_without_the_tables_of_traces_does_not_count(pipeline: Pipeline, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE something (id INTEGER)")
        database.commit()
    connections = collected(home=pipeline.home, redis_url=pipeline.redis_url, database=other)
    assert not connections.database.reachable
    assert "none of the tables" in connections.database.cause
    assert "--database" in connections.database.hint


@pytest.mark.parametrize("table", ["cursor_raw_traces", "claude_raw_traces"])
def test_one_of_the_two_tables_is_not_there(pipeline: Pipeline, table: str) -> None:
    pipeline.create_database()
    with closing(sqlite3.connect(pipeline.database)) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO kept")
    connections = collected(home=pipeline.home, redis_url=pipeline.redis_url)
    assert not connections.database.reachable
    assert f"has no table {table}: " in connections.database.cause


@pytest.mark.parametrize(("url", "found"), [("redis://127.0.0.1:1/0", True), ("redis://localhost:6379/0", False)])
def test_an_address_that_was_named_is_one_where_a_pipeline_is_looked_for(
    url: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty home and no Redis at the usual address: nothing was installed. A named one that is down is a finding."""

    def unreachable(_: Examination) -> None:
        raise SourceUnreachable("nobody answers")

    monkeypatch.setattr(Examination, "stream", unreachable)
    assert collected(home=tmp_path, redis_url=url).blueplane_found is found
