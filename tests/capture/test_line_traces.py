"""Where lines are looked for: rows, dead letters, the stream."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.capture import line_traces
from blueplane_doctor.capture.line_traces import LineKey, LineTraces
from blueplane_doctor.demo.messages import SHAPES, Shape
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.examination import Examination
from blueplane_doctor.sources.entries import RawEntry, pages
from tests.capture.transcripts import execute, new_uuid, settings_of


def test_a_line_is_found_where_it_is(pipeline: Pipeline, tmp_path: Path) -> None:
    session = new_uuid()
    uuids = [new_uuid() for _ in range(3)]
    keys = [LineKey(session, uuid) for uuid in uuids]
    pipeline.enqueue_claude(1, session=session, uuids=uuids[:1])
    pipeline.drain()
    pipeline.enqueue_claude(1, session=session, uuids=uuids[1:2])
    with closing(Examination(settings_of(pipeline, tmp_path))) as examination:
        traces = LineTraces(examination)
        assert traces.written(keys) == set(keys[:1])
        assert traces.written([LineKey("another session", uuids[0])]) == set()
        assert traces.in_stream(set(keys)) == set(keys[:2]), "what is written is in the stream still"
        assert traces.has_rows(session) and not traces.has_rows("another session")
        assert traces.generation().highest == 1


def test_what_custody_walked_through_is_not_walked_through_again(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new_uuid()
    uuids = [new_uuid() for _ in range(3)]
    keys = [LineKey(session, uuid) for uuid in uuids]
    pipeline.enqueue_claude(2, session=session, uuids=uuids[:2])
    read: list[int] = []

    def counted(*arguments: Any, **more: Any) -> Iterator[list[RawEntry]]:
        for page in pages(*arguments, **more):
            read.append(len(page))
            yield page

    monkeypatch.setattr(line_traces, "pages", counted)
    with closing(Examination(settings_of(pipeline, tmp_path))) as examination:
        assert LineTraces(examination).in_stream(set(keys)) == set(keys[:2])
        assert sum(read) == 2, "nobody has walked through the stream"
        read.clear()
        examination.ledger()
        assert LineTraces(examination).in_stream(set(keys)) == set(keys[:2])
        assert not read
        pipeline.enqueue_claude(1, session=session, uuids=uuids[2:])
        assert LineTraces(examination).in_stream(set(keys)) == set(keys)
        assert sum(read) == 1, "only what came since"


def test_a_uuid_of_another_session_is_found_where_an_index_allows_it(pipeline: Pipeline, tmp_path: Path) -> None:
    session = new_uuid()
    uuid = new_uuid()
    pipeline.enqueue_claude(1, session=session, uuids=[uuid])
    pipeline.drain()
    wanted = {LineKey("resumed", uuid), LineKey("resumed", new_uuid())}
    execute(pipeline, "DROP INDEX claude_uuid")
    for expected in (set(), {LineKey("resumed", uuid)}):
        with closing(Examination(settings_of(pipeline, tmp_path))) as examination:
            assert LineTraces(examination).written_elsewhere(wanted) == expected
        execute(pipeline, "CREATE INDEX IF NOT EXISTS by_uuid ON claude_raw_traces (uuid)")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_dead_letter_holds_its_line(pipeline: Pipeline, tmp_path: Path, shape: Shape) -> None:
    key = LineKey(new_uuid(), new_uuid())
    (message,) = pipeline.enqueue_claude(1, session=key.session, uuids=[key.uuid])
    pipeline.dead_letter(message, shape)
    with closing(Examination(settings_of(pipeline, tmp_path))) as examination:
        named = LineTraces(examination).dead_lettered({key, LineKey("a", "b")})
    assert named == {key}


def test_without_the_table_nothing_can_be_looked_up(pipeline: Pipeline, tmp_path: Path) -> None:
    execute(pipeline, "DROP TABLE claude_raw_traces")
    with closing(Examination(settings_of(pipeline, tmp_path))) as examination, pytest.raises(SourceMissing):
        LineTraces(examination)


def test_no_stream_holds_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.client.delete(pipeline.queue)
    with closing(Examination(settings_of(pipeline, tmp_path))) as examination:
        assert LineTraces(examination).in_stream({LineKey("a", "b")}) == set()
