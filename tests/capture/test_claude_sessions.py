"""What the server knows of Claude's sessions."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.capture.claude_sessions import ClaudeSession, ClaudeSessions, is_wired
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from tests.capture.transcripts import add_session, create_conversations, execute, settings_of


@pytest.fixture
def examination(pipeline: Pipeline, tmp_path: Path) -> Iterator[Examination]:
    with closing(Examination(settings_of(pipeline, tmp_path))) as opened:
        yield opened


def test_a_database_without_the_table_knows_no_session(examination: Examination) -> None:
    sessions = ClaudeSessions(examination)
    assert not sessions.are_known
    assert sessions.read(["a"]) == {}
    assert sessions.first_sign_ms() is None


def test_sessions_have_their_times_and_their_workspace(pipeline: Pipeline, examination: Examination) -> None:
    create_conversations(pipeline)
    add_session(pipeline, "a", "/home/me/site", started="2026-03-14T09:00:00+00:00", ended="2026-03-14T10:00:00+00:00")
    add_session(pipeline, "b", "", started="2026-03-14T08:00:00+00:00")
    execute(pipeline, "UPDATE conversations SET context = 'no JSON' WHERE external_id = 'b'")
    sessions = ClaudeSessions(examination)
    assert sessions.read(["a", "b", "c"]) == {
        "a": ClaudeSession(1_773_478_800_000, 1_773_482_400_000, "/home/me/site"),
        "b": ClaudeSession(1_773_475_200_000, None, ""),
    }
    assert sessions.first_sign_ms() == 1_773_475_200_000


def test_the_first_row_is_a_sign_as_well(pipeline: Pipeline, examination: Examination) -> None:
    pipeline.enqueue_claude(1)
    pipeline.drain()
    first = ClaudeSessions(examination).first_sign_ms()
    assert first is not None and abs(first - examination.now_ms()) < 60_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"hooks": {"Stop": [{"hooks": [{"command": "/h/.claude/hooks/telemetry/stop.py"}]}]}}', True),
        ('{"hooks": {"Stop": [{"hooks": [{"command": "blueplane-hook --claude"}]}]}}', True),
        ('{"hooks": {"Stop": [{"hooks": [{"command": "notify-send"}]}]}}', False),
        ('{"model": "opus", }', False),
    ],
)
def test_a_hook_of_the_pipeline_is_known_by_its_command(tmp_path: Path, text: str, expected: bool) -> None:
    (tmp_path / "settings.json").write_text(text)
    assert is_wired(tmp_path / "projects") is expected
    assert not is_wired(tmp_path / "elsewhere" / "projects")
