"""What the simulated pipeline stands on: its home's files and its streams' groups."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo.foundation import CLOSED_PORT, consumer_name
from blueplane_doctor.demo.simulator import Pipeline
from tests.demo.observe import query

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_sessions_open_and_close(pipeline: Pipeline) -> None:
    pipeline.open_session(minutes_ago=20)
    ((started, ended),) = query(pipeline.database, "SELECT started_at, ended_at FROM cursor_sessions")
    assert datetime.now(UTC) - datetime.fromisoformat(started) >= timedelta(minutes=20)
    assert ended is None
    pipeline.close_sessions(at=NOW)
    assert query(pipeline.database, "SELECT ended_at FROM cursor_sessions") == [(NOW.isoformat(),)]


def test_a_log_line_is_in_local_time(pipeline: Pipeline) -> None:
    pipeline.log("ERROR", "words", at=NOW, logger="a.b")
    assert (pipeline.home / "server.log").read_text() == f"{NOW.astimezone():%F %T} - a.b - ERROR - words\n"


def test_the_pid_file(pipeline: Pipeline) -> None:
    pipeline.write_pid_file(4711)
    assert json.loads((pipeline.home / "server.pid").read_text())["pid"] == 4711


def test_config_names_a_closed_port_until_a_server_is_there(pipeline: Pipeline) -> None:
    pipeline.configure()
    endpoint = yaml.safe_load((pipeline.home / "config.yaml").read_text())["http_endpoint"]
    assert endpoint == {"host": "127.0.0.1", "port": CLOSED_PORT}
    pipeline.configure(http_port=4711)
    assert yaml.safe_load((pipeline.home / "config.yaml").read_text())["http_endpoint"]["port"] == 4711


def test_every_group_has_its_consumer(pipeline: Pipeline) -> None:
    groups = {group["name"] for group in pipeline.client.xinfo_groups(pipeline.queue)}
    assert groups == {"processors", "claude_processors", *names.READER_GROUPS}
    for group in groups:
        (consumer,) = pipeline.client.xinfo_consumers(pipeline.queue, group)
        assert consumer["name"] == consumer_name(group, pipeline.pid)


def test_a_home_that_exists_keeps_its_rows(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.enqueue_cursor(1)
    pipeline.drain()
    pipeline.create_database()
    assert query(pipeline.database, "SELECT count(*) FROM cursor_raw_traces") == [(1,)]
