"""A message's way begins where the event happened: at the line of a transcript, or at the hook."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.trace import Trace, Tracer
from tests.capture.transcripts import Project, new_uuid, settings_of, write_rows


@pytest.fixture
def site(tmp_path: Path) -> Project:
    Project(tmp_path, "/home/me/another")
    return Project(tmp_path, "/home/me/site")


def traced(pipeline: Pipeline, projects: Path, *ids: str) -> list[Trace]:
    with closing(Examination(settings_of(pipeline, projects))) as examination:
        return Tracer(examination).trace(list(ids))


def test_a_line_is_followed_from_its_transcript_to_its_row(pipeline: Pipeline, site: Project, tmp_path: Path) -> None:
    session = new_uuid()
    lines = site.lines(session, 3)
    site.write(session, lines)
    write_rows(pipeline, session, lines[:2])
    ((stream_id, _), *_) = pipeline.client.xrange(pipeline.queue)
    for trace in traced(pipeline, tmp_path, lines[0]["uuid"], stream_id):
        assert trace.state == "written"
        assert [hop.stage for hop in trace.hops] == ["transcript", "enqueued", "not_pending", "not_pending", "row"]
        assert trace.hops[0].text == f"assistant in a transcript of project 2, session {session}"
        assert trace.hops[0].at == lines[0]["timestamp"]
        assert trace.hops[0].detail["project"] == 2
        assert "site" not in trace.model_dump_json() and PRIVATE_TEXT not in trace.model_dump_json()


def test_a_line_that_never_reached_the_stream_is_found(pipeline: Pipeline, site: Project, tmp_path: Path) -> None:
    session = new_uuid()
    lines = [*site.lines(session, 1), site.line(session, datetime.now(UTC))]
    site.write(session, lines)
    missing, young, unknown = traced(pipeline, tmp_path, *(line["uuid"] for line in lines), new_uuid())
    assert missing.state == "missing"
    assert [hop.stage for hop in missing.hops] == ["transcript"]
    assert "the transcript still holds it" in missing.advice
    assert young.state == "too_young"
    assert unknown.state == "not_found"


def test_an_event_of_a_hook_begins_with_the_hook(pipeline: Pipeline, tmp_path: Path) -> None:
    (cursor,) = pipeline.enqueue_cursor(1, hook_type="stop")
    (monitor,) = pipeline.enqueue_cursor(1, source="workspace_monitor")
    (claude,) = pipeline.enqueue_claude_hook(1)
    of_cursor, of_monitor, of_claude = traced(pipeline, tmp_path, cursor, monitor, claude)
    assert [of_cursor.hops[0].stage, of_cursor.hops[0].text] == ["hook", "stop of cursor fired"]
    assert of_monitor.hops[0].stage == "enqueued"
    assert of_claude.hops[0].text == "SessionStart of claude_code fired"


def test_a_line_of_an_agent_says_so(pipeline: Pipeline, site: Project, tmp_path: Path) -> None:
    session = new_uuid()
    lines = site.lines(session, 1)
    site.write("agent-a1", lines)
    (trace,) = traced(pipeline, tmp_path, lines[0]["uuid"])
    assert trace.hops[0].text == f"assistant in an agent's transcript of project 2, session {session}"


def test_a_line_that_a_resumed_session_repeats_is_that_of_its_own_session(
    pipeline: Pipeline, site: Project, tmp_path: Path
) -> None:
    session = new_uuid()
    resumed = new_uuid()
    lines = site.lines(session, 2)
    site.write(session, lines)
    write_rows(pipeline, session, lines)
    site.write(resumed, [{**line, "sessionId": resumed} for line in lines])
    (trace,) = traced(pipeline, tmp_path, lines[0]["uuid"])
    assert trace.hops[0].detail["session_id"] == session
