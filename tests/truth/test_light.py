"""Neither looking nor recording makes a nearly full Redis delete the queue."""

import time
from pathlib import Path

import pytest

from blueplane_doctor.errors import SourceTooFull
from blueplane_doctor.judging.sampler import Sampler
from blueplane_doctor.settings.values import load
from blueplane_doctor.sources.redis_room import NOT_READ, refuse_where_full
from tests.parameters import one_quick
from tests.truth.messages import QUEUE
from tests.truth.situations import SITUATIONS, instances, named


@pytest.mark.parametrize(("name", "server"), instances(*named("reading-must-not-evict")))
@pytest.mark.parametrize("room", one_quick([None, 150_000]))
def test_reading_evicts_nothing_and_what_was_not_read_is_not_known(
    name: str, server: str, room: int | None, tmp_path: Path
) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        if room:
            situation.client.config_set("maxmemory", situation.client.info("memory")["used_memory"] + room)
        for _ in range(2):
            examination = situation.doctor()
        sampler = Sampler(load({"home": situation.home, "redis_url": situation.redis.url}).settings)
        with pytest.raises(SourceTooFull, match="writing to it could make it delete the queue"):
            sampler.take(time.time())
        with pytest.raises(SourceTooFull, match="so nothing is read"):
            refuse_where_full(sampler.storage.connection, NOT_READ)
        sampler.storage.close()
        assert situation.client.info("stats")["evicted_keys"] == 0
        assert situation.client.xlen(QUEUE) == situation.truth.stream_length
        assert examination.custody is None
        breaks = examination.finding("chain-breaks")
        assert breaks["status"] not in ("green", "red")
        assert "could make it delete the queue" in breaks["cause"]
        assert examination.finding("redis-durability")["status"] == "orange"
        assert examination.status != "green"


@pytest.mark.parametrize(("name", "server"), instances("may-evict-the-queue"))
def test_what_was_never_read_evicts_nothing_either_where_some_room_is_left(
    name: str, server: str, tmp_path: Path
) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        assert situation.client.info("stats")["evicted_keys"] == 0
        assert examination.finding("redis-durability")["status"] == "orange"


@pytest.mark.parametrize(("name", "server"), instances("may-evict-the-queue"))
def test_a_heavy_message_that_replies_on_the_stream_repeat_evicts_nothing(
    name: str, server: str, tmp_path: Path
) -> None:
    """XINFO STREAM repeats the last message, which has 2 MB, where 2 MB are left."""
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        client = situation.client
        client.config_set("maxmemory", 0)
        client.xadd(QUEUE, {"event_id": "heavy", "payload": "x" * 2_000_000})
        length = client.xlen(QUEUE)
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 2_000_000)
        examination = situation.doctor()
        assert client.info("stats")["evicted_keys"] == 0
        assert client.xlen(QUEUE) == length
        assert examination.status not in ("green", "yellow")
        assert "could make it delete the queue" in examination.finding("chain-breaks")["cause"]
