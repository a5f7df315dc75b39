"""`probe`: what it asks, refuses, and would do; tests/installing/ sends real events."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blueplane_doctor.cli import app
from blueplane_doctor.commands.probe import in_words
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.installing.probing import Hop, Probe
from tests.doctor_command import run
from tests.hook.way_in import stream_fields, way_in

NOT_ARRIVED = Probe(
    event_id="e",
    sent_at="2026-11-01T00:00:00Z",
    arrived=False,
    hops=[Hop(name="accepted", milliseconds=3.4), Hop(name="delivered", milliseconds=None)],
    queue="q",
    group="g",
    stream_id=None,
    table=None,
    sequence=None,
    cause="nobody took it",
    recognise="SELECT 1",
)


def test_a_dry_run_sends_nothing_and_says_where_it_would(tmp_path: Path) -> None:
    words = ["--home", str(tmp_path), "--redis-url", "redis://127.0.0.1:1/0", "probe", "--dry-run"]
    ended = CliRunner().invoke(app, words)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert "would be sent to http://127.0.0.1:8787" in ended.stdout
    server = {"BLUEPLANE_DOCTOR_HTTP_URL": "http://me:s3cret@127.0.0.1:1"}
    ended = CliRunner().invoke(app, words, env=server)
    assert "would be sent to http://me:***@127.0.0.1:1" in ended.stdout


def test_to_an_address_with_tls_it_says_why_it_sends_nothing(tmp_path: Path) -> None:
    server = {"BLUEPLANE_DOCTOR_HTTP_URL": "https://127.0.0.1:8787"}
    ended = CliRunner().invoke(app, ["--home", str(tmp_path), "probe", "--yes"], env=server)
    assert ended.exit_code == 2
    assert "without TLS" in ended.stderr


def test_without_a_person_it_refuses_and_the_hint_is_an_option_that_it_has(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["--home", str(tmp_path), "probe"])
    assert ended.exit_code == 2
    assert "add --yes, or --dry-run" in ended.stderr


def test_a_wait_that_is_too_short_is_refused() -> None:
    ended = CliRunner().invoke(app, ["probe", "--wait", "0"])
    assert ended.exit_code == 2
    assert "--wait 0: too short" in ended.stderr


def test_words() -> None:
    text = in_words(NOT_ARRIVED)
    assert "accepted" in text and "3 ms" in text
    assert "delivered" in text and "not seen" in text
    assert "It did not arrive: nobody took it." in text


@pytest.mark.slow
def test_a_probe_that_arrives_and_one_that_does_not(home: Path, pipeline: Pipeline) -> None:
    def write(body: dict[str, object]) -> None:
        pipeline.client.xadd(pipeline.queue, stream_fields(body))
        pipeline.drain("processors")

    with way_in(write) as server:
        environment = os.environ | {"BLUEPLANE_DOCTOR_HTTP_URL": server.url}
        options = ["--home", str(pipeline.home), "--redis-url", pipeline.redis_url, "probe"]
        unasked = run(options, env=environment)
        arrived = run([*options, "--yes", "--format", "json"], env=environment)
        server.status = 503
        lost = run([*options, "--yes", "--wait", "0.2"], env=environment)
    assert (unasked.returncode, unasked.stdout) == (2, "")
    assert (arrived.returncode, arrived.stderr) == (0, "")
    assert json.loads(arrived.stdout)["arrived"] is True
    assert lost.returncode == 1
    assert "It did not arrive" in lost.stdout and "SELECT * FROM cursor_raw_traces" in lost.stdout
