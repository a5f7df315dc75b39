"""Lines of transcripts against the pipeline: each in the state that it was planted in."""

import os
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.capture.line_states import (
    BEFORE_SETUP,
    DEAD_LETTERED,
    IN_STREAM,
    LINE_STATES,
    MISSING,
    NOT_CAPTURED,
    REPEATED,
    TOO_YOUNG,
    WRITTEN,
)
from blueplane_doctor.capture.transcripts import Comparison, compare_transcripts, missing_lines
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.examination import Examination
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

HOUR = timedelta(hours=1)


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    return tmp_path / "claude" / "projects"


@pytest.fixture
def site(projects: Path) -> Project:
    return Project(projects, "/home/me/site")


def compared(pipeline: Pipeline, projects: Path, **changes: Any) -> Comparison:
    with closing(Examination(settings_of(pipeline, projects, **changes))) as examination:
        return compare_transcripts(examination)


def states(comparison: Comparison) -> dict[str, int]:
    return {state: comparison.total(state) for state in LINE_STATES if comparison.total(state)}


def test_lines_that_were_withheld_are_found_and_no_others(pipeline: Pipeline, projects: Path, site: Project) -> None:
    session = new_uuid()
    lines = site.lines(session, 50)
    file = site.write(session, lines)
    write_rows(pipeline, session, lines[:20] + lines[27:])
    comparison = compared(pipeline, projects)
    assert states(comparison) == {WRITTEN: 43, MISSING: 7}
    assert [line.uuid for line in comparison.missing] == [line["uuid"] for line in lines[20:27]]
    content = file.read_bytes()
    for missing, line in zip(comparison.missing, lines[20:27], strict=True):
        again = content[missing.offset : missing.offset + missing.length]
        assert line["uuid"].encode() in again and again.startswith(b"{") and again.endswith(b"}")


def test_no_folder_of_projects_is_nothing_to_compare(pipeline: Pipeline, projects: Path) -> None:
    assert compared(pipeline, projects).files == 0


def test_every_kind_of_line_is_in_its_state(pipeline: Pipeline, projects: Path, site: Project) -> None:
    session = new_uuid()
    lines = site.lines(session, 30)
    lines[25] = site.line(session, datetime.now(UTC) - HOUR, toolUseResult={"agentId": "named"})
    summary = site.line(session, datetime.now(UTC), uuid=None, type="summary")
    site.write(session, [*lines, summary])
    write_rows(pipeline, session, [*lines[:18], lines[25]])
    (letter,) = enqueue(pipeline, session, [lines[18]])
    pipeline.deliver("claude_processors")
    pipeline.dead_letter(letter)
    enqueue(pipeline, session, lines[19:22])
    # A line that stands twice, one of the last minute, a half-written one and one that is no JSON.
    site.write(session, [lines[0], lines[22]])
    site.write(session, [site.line(session, datetime.now(UTC))])
    with (site.folder / f"{session}.jsonl").open("a") as opened:
        opened.write('not JSON\n\n{"uuid": "half-wri')
    # Files of agents: named by a result, not named, and in a folder of the session.
    named = site.lines(session, 2)
    site.write("agent-named", named)
    site.write("agent-other", site.lines(session, 3))
    site.write(f"{session}/subagents/agent-inner", site.lines(session, 4))
    comparison = compared(pipeline, projects)
    assert states(comparison) == {
        WRITTEN: 20,  # with the one that stands twice
        DEAD_LETTERED: 1,
        IN_STREAM: 3,
        REPEATED: 1,
        TOO_YOUNG: 1,
        NOT_CAPTURED: 7,
        MISSING: 8 - 1 + 2,
    }
    assert comparison.without_uuid == 1
    assert comparison.unreadable == 1
    assert comparison.half_written == 1
    assert {line.session for line in comparison.missing} == {session}


def test_a_resumed_session_repeats_lines_under_its_own_name(pipeline: Pipeline, projects: Path, site: Project) -> None:
    first = new_uuid()
    second = new_uuid()
    lines = site.lines(first, 10)
    site.write(first, lines)
    write_rows(pipeline, first, lines)
    site.write(second, [{**line, "sessionId": second} for line in lines])
    assert states(compared(pipeline, projects)) == {WRITTEN: 10, REPEATED: 10}


def test_the_second_run_reads_only_what_is_new_and_counts_the_same(
    pipeline: Pipeline, projects: Path, site: Project, guarded_home: Path
) -> None:
    session = new_uuid()
    lines = site.lines(session, 40)
    site.write(session, lines[:30])
    write_rows(pipeline, session, lines[:25])
    first = compared(pipeline, projects)
    assert states(first) == {WRITTEN: 25, MISSING: 5}
    (memory,) = guarded_home.rglob("transcripts-*.json")
    assert memory.stat().st_mode & 0o777 == 0o600
    assert memory.parent.stat().st_mode & 0o777 == 0o700
    site.write(session, lines[30:])
    write_rows(pipeline, session, lines[25:28] + lines[30:38])
    second = compared(pipeline, projects)
    assert states(second) == {WRITTEN: 36, MISSING: 4}
    memory.unlink()
    anew = compared(pipeline, projects)
    assert (states(anew), anew.buckets, anew.missing) == (states(second), second.buckets, second.missing)


def test_rows_of_another_database_are_not_remembered(pipeline: Pipeline, projects: Path, site: Project) -> None:
    session = new_uuid()
    lines = site.lines(session, 5)
    site.write(session, lines)
    write_rows(pipeline, session, lines)
    assert states(compared(pipeline, projects)) == {WRITTEN: 5}
    execute(pipeline, "DELETE FROM claude_raw_traces WHERE sequence <= 3")
    execute(pipeline, "UPDATE claude_raw_traces SET sequence = sequence - 3")
    pipeline.client.delete(pipeline.queue)
    assert states(compared(pipeline, projects)) == {WRITTEN: 2, MISSING: 3}


def test_without_a_place_to_remember_everything_is_read_anew(
    pipeline: Pipeline, projects: Path, site: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    session = new_uuid()
    lines = site.lines(session, 5)
    site.write(session, lines)
    write_rows(pipeline, session, lines[:3])
    for _ in range(2):
        assert states(compared(pipeline, projects)) == {WRITTEN: 3, MISSING: 2}


def test_a_file_that_was_replaced_by_a_shorter_one_is_read_anew(
    pipeline: Pipeline, projects: Path, site: Project
) -> None:
    session = new_uuid()
    lines = site.lines(session, 10)
    file = site.write(session, lines)
    write_rows(pipeline, session, lines)
    assert states(compared(pipeline, projects)) == {WRITTEN: 10}
    file.unlink()
    site.write(session, lines[7:])
    assert states(compared(pipeline, projects)) == {WRITTEN: 3}


def test_a_file_that_was_written_anew_is_read_anew(pipeline: Pipeline, projects: Path, site: Project) -> None:
    session = new_uuid()
    lines = site.lines(session, 10)
    file = site.write(session, lines[:4])
    write_rows(pipeline, session, lines)
    assert states(compared(pipeline, projects)) == {WRITTEN: 4}
    with file.open("r+") as opened:
        opened.truncate()
    site.write(session, [{**lines[5], "filler": "x" * 2_000}, *lines[6:]])
    assert states(compared(pipeline, projects)) == {WRITTEN: 5}


def test_files_that_were_not_touched_within_the_window_are_left_out(
    pipeline: Pipeline, projects: Path, site: Project
) -> None:
    session = new_uuid()
    file = site.write(session, site.lines(session, 3))
    old = time.time() - 2 * 86_400
    os.utime(file, (old, old))
    assert compared(pipeline, projects).files == 0
    assert compared(pipeline, projects, since="7d").files == 1


def test_a_session_from_before_anything_was_captured_is_not_missing(
    pipeline: Pipeline, projects: Path, site: Project
) -> None:
    early = new_uuid()
    site.write(early, site.lines(early, 4, at=datetime.now(UTC) - 5 * HOUR))
    session = new_uuid()
    lines = site.lines(session, 4)
    site.write(session, lines)
    write_rows(pipeline, session, lines)
    assert states(compared(pipeline, projects)) == {WRITTEN: 4, BEFORE_SETUP: 4}


def test_a_pipeline_that_never_saw_claude_is_not_set_up(
    pipeline: Pipeline, projects: Path, site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new_uuid()
    site.write(session, site.lines(session, 4))
    comparison = compared(pipeline, projects)
    assert not comparison.is_set_up
    assert states(comparison) == {BEFORE_SETUP: 4}
    hook = "/home/me/.claude/hooks/telemetry/session_start.py"
    (projects.parent / "settings.json").write_text(f'{{"hooks": {{"SessionStart": "{hook}"}}}}')
    assert not compared(pipeline, projects).is_set_up, "the hooks lead to the usual home"
    monkeypatch.setenv("HOME", str(pipeline.home.parent))
    comparison = compared(pipeline, projects)
    assert comparison.is_set_up
    assert states(comparison) == {MISSING: 4}


def test_missing_lines_are_given_with_their_place(pipeline: Pipeline, projects: Path, site: Project) -> None:
    session = new_uuid()
    lines = site.lines(session, 4)
    file = site.write(session, lines)
    write_rows(pipeline, session, lines[:3])
    with closing(Examination(settings_of(pipeline, projects))) as examination:
        (line,) = missing_lines(examination)
    assert (line.path, line.project, line.session, line.uuid) == (file, 1, session, lines[3]["uuid"])


def test_repeated_lines_that_name_the_session_before_are_not_missing(
    pipeline: Pipeline, projects: Path, site: Project
) -> None:
    execute(pipeline, "DROP INDEX claude_uuid")
    first = new_uuid()
    lines = site.lines(first, 6)
    write_rows(pipeline, first, lines)
    site.write(new_uuid(), lines)
    assert states(compared(pipeline, projects)) == {REPEATED: 6}


def test_an_agents_file_that_has_a_row_is_read_by_the_server(pipeline: Pipeline, projects: Path, site: Project) -> None:
    session = new_uuid()
    lines = site.lines(session, 6)
    site.write("agent-a1", lines)
    write_rows(pipeline, session, lines[:4])
    assert states(compared(pipeline, projects)) == {WRITTEN: 4, MISSING: 2}


def test_what_cannot_be_read_is_counted(
    pipeline: Pipeline, projects: Path, site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new_uuid()
    lines = site.lines(session, 2)
    site.write(session, lines)
    write_rows(pipeline, session, lines)
    refused = Project(projects, "/home/me/refused").folder
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        # By its descriptor a folder is looked into by whoever removes what a test left.
        if not isinstance(path, int) and Path(path) == refused:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    comparison = compared(pipeline, projects)
    assert (states(comparison), comparison.unreadable_files) == ({WRITTEN: 2}, 1)
    refused = projects
    with pytest.raises(FileUnreadable, match="the folder of Claude's projects cannot be read"):
        compared(pipeline, projects)


def test_a_clock_that_was_ahead_makes_no_line_young(pipeline: Pipeline, projects: Path, site: Project) -> None:
    session = new_uuid()
    ahead = site.line(session, datetime.now(UTC) + timedelta(days=400))
    file = site.write(session, [*site.lines(session, 2), ahead])
    write_rows(pipeline, session, site.lines(session, 1))
    assert states(compared(pipeline, projects)) == {TOO_YOUNG: 1, MISSING: 2}
    an_hour_ago = time.time() - 3600
    os.utime(file, (an_hour_ago, an_hour_ago))
    assert states(compared(pipeline, projects)) == {MISSING: 3}


def test_a_link_that_helps_the_server_to_find_a_folder_counts_nothing_twice(pipeline: Pipeline, projects: Path) -> None:
    app = Project(projects, "/home/me/my_app")
    session = new_uuid()
    lines = app.lines(session, 5)
    app.write(session, lines)
    write_rows(pipeline, session, lines[:3])
    assert [line.reason for line in compared(pipeline, projects).missing] == ["folder_not_found"] * 2
    (projects / "-home-me-my_app").symlink_to(app.folder)
    for memory in (Path.home() / ".local" / "state").rglob("transcripts-*.json"):
        memory.unlink()
    comparison = compared(pipeline, projects)
    assert states(comparison) == {WRITTEN: 3, MISSING: 2}
    assert [line.reason for line in comparison.missing] == ["other"] * 2


def test_a_file_that_was_written_anew_in_its_place_and_size_is_read_anew(
    pipeline: Pipeline, projects: Path, site: Project
) -> None:
    session = new_uuid()
    lines = site.lines(session, 4)
    file = site.write(session, lines)
    write_rows(pipeline, session, lines)
    assert states(compared(pipeline, projects)) == {WRITTEN: 4}
    content = file.read_bytes()
    for line in lines:
        content = content.replace(line["uuid"].encode(), new_uuid().encode())
    file.write_bytes(content)
    assert states(compared(pipeline, projects)) == {MISSING: 4}


def test_a_line_that_stops_the_server_is_the_reason(pipeline: Pipeline, projects: Path, site: Project) -> None:
    session = new_uuid()
    create_conversations(pipeline)
    add_session(pipeline, session, site.workspace)
    lines = site.lines(session, 3)
    file = site.write(session, lines)
    with file.open("ab") as opened:
        opened.write(b'{"a": "\xff"}\n')
    write_rows(pipeline, session, lines[:1])
    for _ in range(2):
        assert [line.reason for line in compared(pipeline, projects).missing] == ["stopped"] * 2
