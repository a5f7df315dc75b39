"""Lost messages of every route in one run: an older copy of the database, and what only looks like it."""

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
from tests.monitoring.support import collected


def lose(pipeline: Pipeline, cursor: int, claude: int) -> list[str]:
    ids = []
    if cursor:
        ids += pipeline.enqueue_cursor(cursor)
    if claude:
        ids += pipeline.enqueue_claude(claude)
    for group in ("processors", "claude_processors"):
        pipeline.deliver(group)
        pipeline.acknowledge(group, ids)
    return ids


def write(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(2)
    pipeline.enqueue_claude(2)
    pipeline.drain()


@pytest.mark.parametrize("is_followed", [True, False])
def test_what_every_writer_lost_in_one_run(pipeline: Pipeline, is_followed: bool) -> None:
    write(pipeline)
    ids = lose(pipeline, 3, 2)
    if is_followed:
        write(pipeline)
    run = collected(ChainHealth, pipeline).lost_run
    assert run is not None
    assert (run.first_id, run.last_id, run.messages) == (ids[0], ids[-1], 5)


def test_what_one_writer_lost_is_no_sign_of_an_older_database(pipeline: Pipeline) -> None:
    write(pipeline)
    lose(pipeline, 5, 0)
    write(pipeline)
    assert collected(ChainHealth, pipeline).lost_run is None


def test_messages_between_that_are_written_tell_of_another_reason(pipeline: Pipeline) -> None:
    write(pipeline)
    lose(pipeline, 3, 2)
    write(pipeline)
    lose(pipeline, 1, 0)
    assert collected(ChainHealth, pipeline).lost_run is None
