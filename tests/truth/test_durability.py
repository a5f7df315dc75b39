"""Whether Redis keeps what it was given, and that the remedies keep it too: also through the restart that follows."""

from pathlib import Path

import pytest

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
