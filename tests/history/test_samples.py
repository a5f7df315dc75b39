"""What a sample takes from a report, and the verdict on a loss that two samples enclose."""

import time

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.history.losses import losses_between
from blueplane_doctor.history.samples import minute_of
from blueplane_doctor.history.trend import group_samples
from blueplane_doctor.judging.sampler import Sampler
from blueplane_doctor.text.times import iso_of_seconds
from tests.helpers import settings_for


def test_a_sample_holds_the_numbers_that_loss_and_backlog_need(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(30)
    pipeline.deliver("processors", count=10)
    values = Sampler(settings_for(pipeline)).examine(time.time()).values
    assert values["queue.entries_added"] == 30
    assert values["queue.stream_length"] == 30
    assert values["queue.queue_depth"] == 30
    assert values["queue.groups.processors.entries_read"] == 10
    assert values["queue.groups.processors.undelivered"] == 20
    assert values["queue.groups.processors.pending"] == 10
    assert values["queue.groups.processors.last_delivered"] > 1_600_000_000_000
    assert values["chain.losses.processors.trimmed_unread"] == 0
    assert values["status.report"] == 3  # nobody serves here
    assert values["status.dead-letters"] == 0
    assert values["server.pid_state"] in (0, 3)


def test_readers_ids_and_text_stay_out(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3)
    values = Sampler(settings_for(pipeline)).examine(time.time()).values
    assert not [name for name in values if "session_monitors" in name or name.endswith((".lag", ".pid", "_id"))]
    assert all(isinstance(value, float) for value in values.values())
    assert len(values) <= 250


def test_what_could_not_be_read_is_no_zero(pipeline: Pipeline) -> None:
    values = Sampler(settings_for(pipeline, redis_url="redis://127.0.0.1:1/0")).examine(time.time()).values
    assert "queue.queue_depth" not in values
    assert "database.write_throughput_events_per_sec" in values
    assert values["status.report"] == 3
    assert values["status.queue"] == -1


def test_of_a_group_that_is_not_there_nothing_is_known(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3)
    pipeline.client.xgroup_destroy(pipeline.queue, "claude_processors")
    values = Sampler(settings_for(pipeline)).examine(time.time()).values
    assert values["queue.groups.processors.undelivered"] == 3
    assert not [name for name in values if name.startswith("queue.groups.claude_processors.")]


def test_a_narrow_selection_does_not_narrow_the_sample(pipeline: Pipeline) -> None:
    values = Sampler(settings_for(pipeline, select=["wal-size"])).examine(time.time()).values
    assert "queue.queue_depth" in values
    assert "status.queue" not in values


def test_a_selection_of_history_checks_alone_still_gives_a_sample(pipeline: Pipeline) -> None:
    values = Sampler(settings_for(pipeline, select=["backlog-trend"])).examine(time.time()).values
    assert values["queue.queue_depth"] == 0
    assert values["status.report"] == -1, "nothing is left that could be judged"


def test_a_sample_belongs_to_its_minute() -> None:
    assert minute_of(119.999) == 60
    assert minute_of(120.0) == 120


@pytest.mark.slow
def test_a_loss_that_the_server_erases_is_found_between_samples(any_pipeline: Pipeline) -> None:
    pipeline, now = any_pipeline, 1_795_360_020
    sampler = Sampler(settings_for(pipeline))
    pipeline.enqueue_cursor(10)
    pipeline.drain()
    taken = [sampler.examine(now)]
    pipeline.enqueue_cursor(50)
    pipeline.client.xtrim(pipeline.queue, maxlen=20, approximate=False)
    taken.append(sampler.examine(now + 60))
    pipeline.drain()
    taken += [sampler.examine(now + 120), sampler.examine(now + 180)]
    for group in ("processors", "claude_processors"):
        seen = losses_between(group_samples(taken, group), group)
        assert (seen.lost, seen.losses) == (30, {iso_of_seconds(now + 60): 30}), group
