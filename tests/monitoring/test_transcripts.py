"""The record of transcripts."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.monitoring.transcripts import TranscriptHealth, TranscriptMonitor
from tests.capture.transcripts import Project, add_session, create_conversations, new_uuid, settings_of, write_rows


def health(pipeline: Pipeline, projects: Path) -> TranscriptHealth:
    with closing(Examination(settings_of(pipeline, projects))) as examination:
        return TranscriptMonitor(examination).collect()


def test_no_transcripts_are_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    record = health(pipeline, tmp_path / "projects")
    assert (record.files, record.lines, record.cause) == (0, 0, "")


def test_the_record_adds_up_and_says_why_lines_are_missing(pipeline: Pipeline, tmp_path: Path) -> None:
    projects = tmp_path / "projects"
    create_conversations(pipeline)
    session = new_uuid()
    site = Project(projects, "/home/me/site")
    lines = site.lines(session, 30)
    site.write(session, lines)
    write_rows(pipeline, session, lines)
    add_session(pipeline, session, "/home/me/site")
    dotted = Project(projects, "/home/me/site.v2")
    other = new_uuid()
    add_session(pipeline, other, "/home/me/site.v2")
    dotted.write(other, dotted.lines(other, 12))
    never = new_uuid()
    site.write(never, site.lines(never, 3))
    ended = new_uuid()
    add_session(pipeline, ended, "/home/me/site", ended=(datetime.now(UTC) - timedelta(hours=2)).isoformat())
    late = site.lines(ended, 2)
    site.write(ended, late)
    record = health(pipeline, projects)
    assert record.equation == "47 lines = 30 written + 17 missing"
    assert record.lines == sum(record.states.values()) == sum(project.lines for project in record.projects)
    assert record.lines == sum(sum(bucket.states.values()) for bucket in (*record.buckets, *record.other_buckets))
    assert record.missing_by_reason == {"folder_not_found": 12, "not_started": 3, "ended": 2}
    assert [(one.number, one.missing, one.unfindable_reason) for one in record.projects] == [
        (1, 5, ""),
        (2, 12, "a dot"),
    ]
    assert record.deleted_at == (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    assert len(record.missing_ids) == 3
    assert "site" not in record.model_dump_json()


def test_a_database_that_cannot_be_read_is_a_cause(pipeline: Pipeline, tmp_path: Path) -> None:
    projects = tmp_path / "projects"
    site = Project(projects, "/home/me/site")
    site.write("s", site.lines("s", 1))
    pipeline.database.unlink()
    assert "telemetry.db" in health(pipeline, projects).cause


@pytest.mark.parametrize("days", [10**9])
def test_days_beyond_the_calendar_are_no_date(pipeline: Pipeline, tmp_path: Path, days: int) -> None:
    projects = tmp_path / "projects"
    site = Project(projects, "/home/me/site")
    lines = site.lines("s", 2)
    site.write("s", lines)
    write_rows(pipeline, "s", lines[:1])
    (tmp_path / "settings.json").write_text(f'{{"cleanupPeriodDays": {days}}}')
    record = health(pipeline, projects)
    assert record.missing == 1 and record.deleted_at is None
