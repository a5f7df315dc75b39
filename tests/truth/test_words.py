"""Sentences and commands are true of each message that they count, grammatical, and name what they mean."""

import shlex
from pathlib import Path

import pytest

from tests.truth.registry import ONE_SERVER
from tests.truth.situations import SITUATIONS, instances


@pytest.mark.parametrize(
    ("name", "server"), instances("lost-for-different-reasons", servers=("redis-7.0", "valkey-9.1"))
)
def test_a_reason_of_some_is_not_told_of_all(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        breaks = situation.doctor("--select", "chain").finding("chain-breaks")
        assert breaks["observed"] == situation.truth.lost
        assert "and other reasons" in breaks["summary"]


@pytest.mark.parametrize(
    ("name", "server"), instances("one-letter-of-one-message", servers=("redis-7.0", "valkey-9.1"))
)
def test_one_of_each_is_told_in_the_singular(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        summary = situation.doctor("--select", "dead-letters").finding("dead-letters")["summary"]
        assert summary.startswith("1 dead letter,")
        statistics = situation.doctor("dlq", "stats", "--format", "table").stdout
        assert "1 dead letter of 1 message:" in statistics


@pytest.mark.parametrize(("name", "server"), instances("home-elsewhere", servers=ONE_SERVER))
def test_commands_name_the_home_that_was_examined(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        for command in _commands(situation.doctor().report):
            assert ".blueplane" not in command
            assert "8787" not in command


@pytest.mark.parametrize(("name", "server"), instances("redis-on-a-socket", servers=("redis-7.0", "valkey-9.1")))
def test_commands_name_the_socket_of_redis(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        commands = _commands(situation.doctor(redis_url=situation.truth.facts["redis_url"]).report)
        clients = [command for command in commands if "redis-cli" in command]
        assert clients
        for command in clients:
            assert "redis-cli -s <redis-socket>" in command


@pytest.mark.parametrize(
    ("name", "server"),
    instances("max-length-in-settings-small", "max-length-in-settings", servers=("redis-7.0", "valkey-9.1")),
)
def test_the_writers_own_limit_decides(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        waiting = situation.truth.waiting or 0
        headroom = situation.doctor("--select", "queue").finding("queue-headroom")
        configured = SITUATIONS[name].arguments["configured"]
        limit = min(configured, situation.truth.facts["cut_at"])
        assert headroom["observed"] == pytest.approx(100 * waiting / limit)
        assert headroom["status"] == "orange"


@pytest.mark.parametrize(("name", "server"), instances("recovered-after-an-outage", servers=ONE_SERVER))
def test_after_recovery_no_loss_is_near(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        headroom = situation.doctor("--select", "queue").finding("queue-headroom")
        assert headroom["status"] == "green"
        assert "lost in" not in headroom["summary"]


def _commands(report: dict[str, object]) -> list[str]:
    commands: list[str] = []
    for finding in report["findings"]:  # type: ignore[attr-defined]
        commands += (finding["remedy"] or {}).get("commands", [])
    for command in commands:
        assert shlex.split(command), "a command that a shell can read"
    return commands
