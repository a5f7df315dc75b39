"""Whether Redis takes writes: each reason for refusing them is named, and never taken for health."""

import socket
from pathlib import Path

import pytest

from tests.truth.registry import ONE_SERVER
from tests.truth.situations import SITUATIONS, instances, named

_THE_SERVER = named("refuses-the-server-")
REFUSING = [name for name in named("refuses-") if name not in _THE_SERVER]
_IN_ANY_CASE = "refuses-oom-without-info"
"""Without INFO nothing tells whether writes are taken."""

_CODES = {"no answer": "paused"}


@pytest.mark.parametrize(("name", "server"), instances(*[name for name in REFUSING if name != _IN_ANY_CASE]))
def test_a_redis_that_refuses_writes_is_red_and_the_reason_is_named(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        truth = situation.truth
        examination = situation.doctor(redis_url=truth.facts.get("redis_url"))
        finding = examination.finding("redis-writable")
        code = _CODES.get(truth.refusal, truth.refusal)
        assert (finding["status"], finding["evidence"]["refusal"]) == ("red", code)
        assert code in finding["summary"]
        assert examination.status == "red"
        assert examination.exit_code == 1
        assert "See whether it runs" not in examination.stdout
        assert "SHUTDOWN NOSAVE would lose" in examination.stdout or "SHUTDOWN" not in examination.stdout
        if code not in ("BUSY", "LOADING"):
            assert examination.finding("redis-reachable")["status"] == "green"
            assert examination.custody["states"]["written"] == truth.rows
            assert finding["evidence"]["last_message_timestamp"]


@pytest.mark.parametrize(("name", "server"), instances(*_THE_SERVER, servers=ONE_SERVER))
def test_a_server_that_redis_does_not_let_in_is_told(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        assert [one["id"] for one in examination.report["causes"]] == ["redis-refuses-the-server"]
        finding = examination.finding("redis-writable")
        assert (finding["status"], finding["observed"]) == ("orange", "not from the server")
        assert "ACL LIST" in finding["remedy"]["text"]
        assert "another error" not in examination.finding("server-errors")["summary"]


def test_without_the_right_to_info_it_is_not_said_to_take_writes(tmp_path: Path) -> None:
    with SITUATIONS[_IN_ANY_CASE].built("valkey-9.1", tmp_path / "p") as situation:
        examination = situation.doctor(redis_url=situation.truth.facts["redis_url"])
        finding = examination.finding("redis-writable")
        assert finding["status"] == "skipped"
        assert "+info" in finding["cause"]


@pytest.mark.parametrize(("name", "server"), instances("connections-at-90-percent", "connections-at-98-percent"))
def test_connections_that_are_nearly_used_up_are_told(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        finding = examination.finding("redis-clients")
        assert finding["status"] == situation.truth.facts["connections"]
        assert "of the 50 connections" in finding["summary"]
        assert examination.finding("redis-writable")["status"] == "green"


@pytest.mark.parametrize(("name", "server"), instances("healthy"))
def test_a_redis_that_accepts_no_more_connections_says_so(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        situation.client.config_set("maxclients", 10)
        for _ in range(10):
            situation.hold(socket.create_connection(("127.0.0.1", situation.redis.port)))
        examination = situation.doctor()
        finding = examination.finding("redis-reachable")
        assert finding["status"] == "red"
        assert "max number of clients" in finding["summary"]
        assert "CLIENT LIST" in finding["remedy"]["text"]
        assert examination.exit_code == 1


_TAKING = ["snapshots-fail-writes-taken", "no-persistence", "memory-at-98-percent", "may-evict-the-queue"]


@pytest.mark.parametrize(("name", "server"), instances(*_TAKING))
def test_a_redis_that_takes_writes_is_not_said_to_refuse_them(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        assert situation.doctor().finding("redis-writable")["status"] == "green"


@pytest.mark.parametrize(("name", "server"), instances("healthy"))
def test_a_pipeline_in_order_takes_writes(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        assert examination.finding("redis-writable")["status"] == "green"
        assert examination.finding("redis-reachable")["status"] == "green"
