"""Lines of transcripts that are missing: enqueued as the monitor would have done it, each once."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import Action, Plan
from blueplane_doctor.repair.planning import make_plan
from blueplane_doctor.repair.running import Outcome, run_plan
from tests.capture.transcripts import Project, add_session, create_conversations, new_uuid, settings_of, write_rows
from tests.repair.pipelines import store_of, writers_at_work


@pytest.fixture
def site(tmp_path: Path) -> Project:
    return Project(tmp_path / "claude" / "projects", "/home/me/site")


def planned(pipeline: Pipeline, site: Project) -> Plan:
    settings = settings_of(pipeline, site.folder.parent)
    store = store_of(pipeline)
    plan = make_plan(settings, Wanted(frozenset({"transcripts"})), store.new_id())
    store.keep(plan)
    return plan


def applied(pipeline: Pipeline, site: Project, plan: Plan) -> Outcome:
    settings = settings_of(pipeline, site.folder.parent)
    with writers_at_work(pipeline):
        return run_plan(settings, store_of(pipeline), plan.id, pipeline.redis_url, patience=20)


def uuids(pipeline: Pipeline) -> list[str]:
    with closing(sqlite3.connect(pipeline.database)) as connection:
        return [row[0] for row in connection.execute("SELECT uuid FROM claude_raw_traces ORDER BY sequence")]


def some_missing(pipeline: Pipeline, site: Project) -> tuple[str, list[dict[str, Any]]]:
    session = new_uuid()
    lines = site.lines(session, 20)
    site.write(session, lines)
    write_rows(pipeline, session, lines[:12] + lines[17:])
    return session, lines


def test_missing_lines_are_written_once(live_pipeline: Pipeline, site: Project) -> None:
    _, lines = some_missing(live_pipeline, site)
    plan = planned(live_pipeline, site)
    assert [item.action for item in plan.items] == [Action.DELIVER] * 5
    outcome = applied(live_pipeline, site, plan)
    assert outcome.exit_code == 0, outcome.text
    assert sorted(uuids(live_pipeline)) == sorted(line["uuid"] for line in lines)
    again = planned(live_pipeline, site)
    assert again.items == () and again.refusals == ()


def test_the_message_is_that_of_the_monitor(live_pipeline: Pipeline, site: Project) -> None:
    create_conversations(live_pipeline)
    session, lines = some_missing(live_pipeline, site)
    add_session(live_pipeline, session, "/home/me/site")
    applied(live_pipeline, site, planned(live_pipeline, site))
    fields = dict(live_pipeline.client.xrevrange(live_pipeline.queue, count=1)[0][1])
    assert fields["blueplane_doctor_repaired_from"] == f"transcript/{session}/{lines[16]['uuid']}"
    assert json.loads(fields["payload"]) == {"entry_data": lines[16]}
    assert json.loads(fields["metadata"])["project_name"] == "site"
    assert (fields["session_id"], fields["hook_type"]) == (session, "JSONLTrace")


def test_a_line_that_blocks_its_writer_is_not_sent(live_pipeline: Pipeline, site: Project) -> None:
    session = new_uuid()
    lines = site.lines(session, 3)
    lines[1]["message"] = {"usage": None}
    site.write(session, lines)
    write_rows(live_pipeline, session, lines[:1])
    plan = planned(live_pipeline, site)
    assert len(plan.items) == 1
    (refusal,) = plan.refusals
    assert (refusal.what, refusal.reason) == (
        "deliver 1 line of a transcript",
        "its writer cannot write it: usage is null",
    )


def test_a_transcript_that_is_gone_when_it_is_applied_is_left_alone(live_pipeline: Pipeline, site: Project) -> None:
    some_missing(live_pipeline, site)
    plan = planned(live_pipeline, site)
    for file in site.folder.iterdir():
        file.unlink()
    outcome = applied(live_pipeline, site, plan)
    assert "before it could be saved" in outcome.text
    assert len(uuids(live_pipeline)) == 15


def test_without_transcripts_there_is_nothing_to_do(live_pipeline: Pipeline, site: Project) -> None:
    live_pipeline.enqueue_claude(1)
    live_pipeline.drain()
    assert planned(live_pipeline, site).items == ()
