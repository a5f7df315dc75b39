"""A line that is looked for is found in whichever file has it; of repeated ones, that of its own session."""

from pathlib import Path

from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.transcript_search import find_lines
from tests.capture.transcripts import Project, new_uuid


def test_of_a_repeated_line_that_of_its_own_session_is_found(tmp_path: Path) -> None:
    project = Project(tmp_path, "/home/me/site")
    first = new_uuid()
    resumed = new_uuid()
    lines = project.lines(first, 2)
    project.write(first, lines)
    project.write(resumed, lines)
    uuid, other = (line["uuid"] for line in lines)
    for session in (first, resumed):
        matches = find_lines(tmp_path, {uuid: session, "nowhere": ""}, Deadline(60))
        assert list(matches) == [uuid]
        assert matches[uuid].file.session == session
    assert find_lines(tmp_path, {other: ""}, Deadline(60))[other].line.uuid == other


def test_where_the_time_is_up_a_line_is_not_found(tmp_path: Path) -> None:
    session = new_uuid()
    project = Project(tmp_path, "/home/me/site")
    lines = project.lines(session, 1)
    project.write(session, lines)
    assert find_lines(tmp_path, {lines[0]["uuid"]: session}, Deadline(0)) == {}
