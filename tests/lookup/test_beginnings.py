"""A message's way begins where the event happened: at the line of a transcript, or at the hook."""

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blueplane_doctor.capture.line_states import (
    BEFORE_SETUP,
    DEAD_LETTERED,
    IN_STREAM,
    MISSING,
    NOT_CAPTURED,
    REPEATED,
    ROWS_DELETED,
    TOO_YOUNG,
    WRITTEN,
)
from blueplane_doctor.capture.transcripts import compare_transcripts, states_of_lines
from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.trace import Trace, Tracer
from blueplane_doctor.sources.transcript_files import transcript_files
from blueplane_doctor.sources.transcript_search import FoundLine
from blueplane_doctor.sources.transcripts import Progress, Reading
from tests.capture.transcripts import (
    Project,
    add_session,
    create_conversations,
    enqueue,
    execute,
    new_uuid,
    settings_of,
    write_rows,
)


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
    write_rows(pipeline, session, site.lines(session, 1, at=datetime.now(UTC) - timedelta(hours=2)))
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


AS_COMPLETENESS_HAS_IT = {
    "waiting": IN_STREAM,
    "in_flight": IN_STREAM,
    "stuck": IN_STREAM,
}
"""Custody tells more of a message in the stream."""


def test_trace_and_completeness_agree_on_every_line(pipeline: Pipeline, site: Project, tmp_path: Path) -> None:
    create_conversations(pipeline)
    now = datetime.now(UTC)
    session, young, early, resumed, ended = (new_uuid() for _ in range(5))
    add_session(pipeline, session, site.workspace)
    add_session(pipeline, young, site.workspace, started=now.isoformat())
    lines = site.lines(session, 20)
    lines[3] = site.line(session, now - timedelta(hours=1), toolUseResult={"agentId": "named"})
    site.write(session, [*lines, lines[0], lines[19], site.line(session, now)])
    write_rows(pipeline, session, lines[:10])
    (letter,) = enqueue(pipeline, session, [lines[10]])
    pipeline.deliver("claude_processors")
    pipeline.dead_letter(letter)
    enqueue(pipeline, session, lines[11:14])
    # The server was told of this one a moment ago, whatever its lines say.
    site.write(young, site.lines(young, 2, at=now - timedelta(minutes=30)))
    site.write(early, site.lines(early, 2, at=now - timedelta(hours=20)))
    site.write(resumed, [{**line, "sessionId": resumed} for line in lines[:2]])
    site.write(ended, site.lines(ended, 2, at=now - timedelta(minutes=10)))
    site.write("agent-named", site.lines(session, 2))
    site.write("agent-another", site.lines(session, 2))
    site.write(f"{session}/subagents/agent-inner", site.lines(session, 2))
    os.utime(site.write("older-than-the-window", site.lines("older", 2, at=now - timedelta(days=9))), (1e9, 1e9))
    with closing(Examination(settings_of(pipeline, tmp_path))) as examination:
        found = []
        for file in transcript_files(tmp_path, 0, examination.deadline).files:
            found += [FoundLine(file, line) for line in Reading(file, Progress(), {}).lines(float("inf"))]
        states = states_of_lines(examination, found)
    assert set(states.values()) == {
        *(WRITTEN, DEAD_LETTERED, IN_STREAM, REPEATED, TOO_YOUNG, NOT_CAPTURED, BEFORE_SETUP, MISSING),
    }
    expected: dict[str, set[str]] = {}
    for one, state in states.items():
        expected.setdefault(one.line.uuid, set()).add(state)
    for trace in traced(pipeline, tmp_path, *expected):
        state = AS_COMPLETENESS_HAS_IT.get(trace.state, trace.state)
        assert state in expected[trace.id], f"a line that is {expected[trace.id]}"


def test_rows_that_were_deleted_are_no_missing_lines(pipeline: Pipeline, site: Project, tmp_path: Path) -> None:
    session = new_uuid()
    lines = site.lines(session, 6)
    site.write(session, lines)
    write_rows(pipeline, session, lines)
    execute(pipeline, "UPDATE claude_raw_traces SET ingested_at = ? WHERE sequence = 5", lines[4]["timestamp"])
    execute(pipeline, "DELETE FROM claude_raw_traces WHERE sequence < 5 OR sequence = 6")
    pipeline.client.xtrim(pipeline.queue, maxlen=0, approximate=False)
    deleted, kept, missing = traced(pipeline, tmp_path, *(line["uuid"] for line in lines[3:]))
    assert (deleted.state, kept.state, missing.state) == ("rows_deleted", "written", "missing")
    with closing(Examination(settings_of(pipeline, tmp_path))) as examination:
        comparison = compare_transcripts(examination)
    assert [comparison.total(state) for state in (ROWS_DELETED, WRITTEN, MISSING)] == [4, 1, 1]
