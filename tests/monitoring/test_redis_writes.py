"""Whether Redis takes writes; the reasons for refusing them are in tests/truth/test_writable.py."""

from collections.abc import Iterator

import pytest
import redis

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.redis_writes import RedisWrites
from tests.monitoring.support import collected


@pytest.fixture
def paused(any_pipeline: Pipeline) -> Iterator[Pipeline]:
    any_pipeline.enqueue_cursor(3)
    any_pipeline.client.execute_command("CLIENT", "PAUSE", 600_000, "WRITE")
    yield any_pipeline
    any_pipeline.client.execute_command("CLIENT", "UNPAUSE")


@pytest.mark.server
def test_a_healthy_server_takes_writes(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(3)
    record = collected(RedisWrites, any_pipeline)
    assert (record.taken, record.refusal, record.last_message_timestamp) == (True, "", None)


@pytest.mark.server
def test_writes_that_are_held_back_are_noticed_while_all_else_is_answered(paused: Pipeline) -> None:
    record = collected(RedisWrites, paused)
    assert (record.taken, record.refusal) == (False, "paused")
    assert record.last_message_timestamp is not None


@pytest.mark.server
def test_a_stream_that_gave_its_last_id_takes_no_more(any_pipeline: Pipeline) -> None:
    any_pipeline.client.xadd(any_pipeline.queue, {"event_id": "last"}, id=f"{2**64 - 1}-{2**64 - 1}")
    with pytest.raises(redis.ResponseError, match="exhausted"):
        any_pipeline.client.xadd(any_pipeline.queue, {"event_id": "one more"})
    writes = collected(RedisWrites, any_pipeline)
    assert (writes.taken, writes.refusal) == (False, "exhausted")
    assert "takes no message more" in writes.reason
