"""The helper itself: what it builds is what it says, and nothing of it stays."""

import os
from pathlib import Path

import pytest

from tests.servers import EACH_SERVER
from tests.truth.observe import observe
from tests.truth.situation import Situation
from tests.truth.truth import Truth


@pytest.mark.server
@pytest.mark.parametrize("server", EACH_SERVER)
def test_each_step_is_seen_by_direct_look_ups(server: str, tmp_path: Path) -> None:
    with Situation(server, tmp_path / "pipeline") as situation:
        situation.live_server()
        situation.healthy_work(cursor=20, claude=5, unwritten=2)
        situation.add_malformed(3)
        situation.work()
        letters = situation.add_cursor(2)
        situation.pass_over("claude_processors")
        situation.deliver("processors")
        situation.dead_letter(letters, "cursor")
        situation.acknowledge("processors", letters)
        stuck = situation.add_claude(4)
        situation.deliver("claude_processors")
        situation.age("claude_processors", stuck, idle_ms=60_000)
        situation.write(stuck[:1])
        situation.add_cursor(6)
        claimed = Truth(
            written=25,
            waiting=6,
            pending=3,
            written_not_acknowledged=1,
            lost=3,
            dead_lettered=2,
            letters_dropped=0,
            trimmed_unread=(0, 0),
            rows=26,
            stream_exists=True,
            groups_missing=(),
            refusal="",
            database="intact",
        )
        assert observe(situation, claimed) == claimed.claims()
        idle = situation.client.xpending_range("telemetry:message_queue", "claude_processors", "-", "+", 1)
        assert idle[0]["time_since_delivered"] >= 60_000
        assert idle[0]["consumer"] == f"claude-consumer-{situation.pid}"
        examination = situation.doctor()
        assert examination.custody["states"]["lost"] == 3
        assert "Custody" in situation.doctor("--format", "table").stdout


@pytest.mark.server
@pytest.mark.parametrize("server", EACH_SERVER)
def test_a_server_is_started_again_with_what_it_saved(server: str, tmp_path: Path) -> None:
    with Situation(server, tmp_path / "pipeline") as situation:
        situation.healthy_work(cursor=10, claude=0, unwritten=0)
        situation.redis.restart()
        assert situation.client.xlen("telemetry:message_queue") == 10
        situation.client.config_set("save", "")
        situation.redis.kill()
        situation.redis.config_file.write_text(situation.redis.config_file.read_text() + 'save ""\n')
        situation.redis.start()
        assert situation.client.xlen("telemetry:message_queue") == 10, "the first stop saved them"


def test_nothing_is_left_running(tmp_path: Path) -> None:
    with Situation("valkey-9.1", tmp_path / "pipeline") as situation:
        live = situation.live_server()
        processes = [situation.redis.pid, live.pid]
        for pid in processes:
            os.kill(pid, 0)
    for pid in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
