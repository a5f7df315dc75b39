"""Whether Redis keeps what it was given, and that the remedies keep it too: also through the restart that follows."""

import time
from pathlib import Path

import pytest

from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import Sample
from tests.truth.following import follow
from tests.truth.messages import QUEUE
from tests.truth.situations import SITUATIONS, instances


@pytest.mark.parametrize(("name", "server"), instances("snapshots-fail-writes-taken", "refuses-misconf"))
def test_a_failed_save_is_told(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor().finding("redis-durability")
        assert finding["status"] == "orange"
        assert "The last save failed" in finding["summary"]


@pytest.mark.parametrize(("name", "server"), instances("no-persistence", "append-only-not-in-the-file"))
def test_what_the_remedy_switches_on_is_there_after_a_restart(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        assert situation.doctor().finding("redis-durability")["status"] == "yellow"
        outcome = follow(situation)
        assert outcome.harm == []
        rewritten = [followed for followed in outcome.commands if followed.command.endswith("CONFIG REWRITE")]
        assert [followed.exit_code for followed in rewritten] == [0]
        before = situation.client.xlen(QUEUE)
        situation.redis.restart()
        assert situation.client.xlen(QUEUE) == before
        assert situation.doctor().finding("redis-durability")["status"] == "green"


@pytest.mark.parametrize(
    ("name", "server"), instances("queue-expires", "queue-expires-or-is-evicted", "dead-letters-expire")
)
def test_an_expiry_is_told_and_taken_away(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        stream = situation.truth.facts["expires"]
        finding = situation.doctor().finding("redis-durability")
        assert (finding["status"], finding["observed"]) == ("orange", "expires")
        assert f"deletes {stream}, with all that it holds, in 24 h" in finding["summary"]
        assert ("volatile-lru" in finding["summary"]) == (situation.truth.facts["policy"] == "volatile-lru")
        assert follow(situation).harm == []
        assert situation.client.ttl(stream) == -1
        assert situation.doctor().finding("redis-durability")["status"] == "green"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "server"), instances("may-evict-the-queue"))
def test_to_stop_eviction_stays_and_says_the_room(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        remedy = situation.doctor().finding("redis-durability")["remedy"]
        assert "MB are left" in remedy["text"]
        assert follow(situation).harm == []
        situation.redis.restart()
        assert situation.client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert situation.doctor().finding("redis-durability")["status"] == "green"


@pytest.mark.parametrize(
    ("name", "server"), instances("memory-at-82-percent", "memory-at-93-percent", "memory-at-98-percent")
)
def test_a_memory_that_is_nearly_full_is_told_with_what_is_free(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        finding = examination.finding("redis-memory")
        expected = "yellow" if situation.truth.facts["memory_share"] < 0.9 else "orange"
        assert finding["status"] == expected
        assert "MB are free" in finding["summary"]
        assert examination.finding("redis-writable")["status"] == "green"


def _record(url: str, minutes: int, mb_per_minute: float) -> None:
    """Samples of the last minutes, in which memory was used up at this rate, and the disks were not."""
    now = int(time.time() // 60) * 60
    storage = HealthMetricsStorage(url)
    for ago in range(minutes - 1, -1, -1):
        values = {
            "redis.used_memory_mb": 40.0 - ago * mb_per_minute,
            "redis.maxmemory_mb": 50.0,
            "disk_space.database_free_mb": 70_000.0,
        }
        storage.write(Sample(now - 60 * ago, values))
    storage.close()


@pytest.mark.parametrize(("name", "server"), instances("memory-at-82-percent"))
def test_until_when_memory_lasts_is_told_where_samples_show_that_it_shrinks(
    name: str, server: str, tmp_path: Path
) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        assert "at the rate" not in situation.doctor().finding("redis-memory")["summary"]
        _record(situation.redis.url, 10, 0.25)
        examination = situation.doctor()
        finding = examination.finding("redis-memory")
        assert "at the rate of the last 9 min nothing is left in about 40 min" in finding["summary"]
        assert finding["evidence"]["until full"]["samples"] == 10
        assert "at the rate" not in examination.finding("disk-space")["summary"]
