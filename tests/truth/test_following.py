"""The harness that follows remedies catches planted bad ones, and has nothing against good ones."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.parameters import one_quick
from tests.truth import following
from tests.truth.examination import Examination
from tests.truth.following import Outcome, follow, follow_commands, remedy_commands
from tests.truth.messages import CURSOR_GROUP, QUEUE
from tests.truth.situation import Situation
from tests.truth.stand_in_tools import NO_ADDRESS

pytestmark = pytest.mark.server


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[Situation]:
    """One batch: 2 messages stuck, 1 written and not acknowledged, 1 given up with a dead letter; nothing is saved."""
    with Situation("valkey-9.1", tmp_path / "p", save='""') as situation:
        situation.live_server()
        situation.healthy_work(cursor=10, claude=3, unwritten=1)
        ids = situation.add_cursor(4)
        situation.deliver(CURSOR_GROUP)
        situation.pass_over("claude_processors")
        situation.age(CURSOR_GROUP, ids, idle_ms=600_000)
        situation.write(ids[2:3])
        situation.dead_letter(ids[3:], "cursor")
        situation.acknowledge(CURSOR_GROUP, ids[3:])
        yield situation


def _after(situation: Situation, *commands: str) -> Outcome:
    examination = situation.doctor()
    pairs = [("planted", command) for command in commands]
    return follow_commands(situation, pairs, examination)


def _redis_cli(situation: Situation, command: str) -> str:
    return f"redis-cli -p {situation.redis.port} {command}"


@pytest.mark.parametrize(
    ("command", "harm"),
    one_quick(
        [
            ("XACK {queue} processors {first}", "pending entries gone without a row: 1"),
            ("XGROUP DESTROY {queue} processors", "pending entries gone without a row: 2"),
            ("XDEL {queue} {first}", "stream entries gone without a row: 1"),
            ("DEL {queue}", "stream entries gone without a row: 4"),
            ("DEL {queue}:dlq", "dead letters gone: 1"),
            ("CONFIG SET appendonly yes", "setting appendonly is forgotten at the next restart"),
            ("CONFIG SET maxmemory-policy allkeys-lru", "setting maxmemory-policy is forgotten at the next restart"),
            ("SHUTDOWN NOSAVE", "Redis no longer answers"),
        ]
    ),
)
def test_a_remedy_that_loses_something_is_caught(stuck: Situation, command: str, harm: str) -> None:
    first = min(stuck.client.xpending_range(QUEUE, CURSOR_GROUP, "-", "+", 1), key=str)["message_id"]
    outcome = _after(stuck, _redis_cli(stuck, command.format(queue=QUEUE, first=first)))
    assert harm in outcome.harm, outcome


@pytest.mark.slow
def test_a_remedy_that_deletes_rows_is_caught(stuck: Situation) -> None:
    outcome = _after(stuck, "sqlite3 <database> 'DELETE FROM claude_raw_traces'")
    assert "rows gone: 3" in outcome.harm, outcome


@pytest.mark.slow
def test_a_queue_that_the_next_restart_loses_is_caught(stuck: Situation) -> None:
    outcome = _after(stuck, _redis_cli(stuck, "CONFIG SET appendonly yes"))
    assert "the next restart loses the queue: 18 entries" in outcome.harm, outcome


@pytest.mark.slow
def test_a_worse_status_is_caught(tmp_path: Path) -> None:
    with Situation("valkey-9.1", tmp_path / "p") as situation:
        situation.live_server()
        situation.healthy_work()
        outcome = _after(situation, _redis_cli(situation, f"XGROUP DESTROY {QUEUE} processors"))
        assert any(text.startswith("status ") for text in outcome.harm), outcome


def test_saving_switched_on_and_written_to_the_file_is_no_harm(stuck: Situation) -> None:
    commands = [_redis_cli(stuck, "CONFIG SET appendonly yes"), _redis_cli(stuck, "CONFIG REWRITE")]
    outcome = _after(stuck, *commands)
    assert outcome.harm == []
    assert [followed.exit_code for followed in outcome.commands] == [0, 0]


@pytest.mark.slow
def test_acknowledging_what_is_written_and_looking_are_no_harm(stuck: Situation) -> None:
    pending = stuck.client.xpending_range(QUEUE, CURSOR_GROUP, "-", "+", 10)
    written = [row["message_id"] for row in pending if row["message_id"] in stuck.written]
    commands = [
        _redis_cli(stuck, f"XACK {QUEUE} processors {written[0]}"),
        _redis_cli(stuck, f"XPENDING {QUEUE} processors - + 10"),
        "tail -n 5 <home>/server.log",
        "blueplane-doctor --version",
    ]
    outcome = _after(stuck, *commands)
    assert outcome.harm == []
    assert [followed.exit_code for followed in outcome.commands] == [0, 0, 0, 0]


@pytest.mark.slow
def test_what_has_an_unknown_placeholder_is_not_run(stuck: Situation) -> None:
    outcome = _after(stuck, "rm <something else>")
    (followed,) = outcome.commands
    assert followed.exit_code is None
    assert followed.output == "not known: <something else>"


@pytest.mark.slow
def test_a_redis_that_no_command_names_is_never_reached(stuck: Situation) -> None:
    outcome = _after(stuck, "redis-cli PING", "redis-cli CONFIG SET appendonly yes")
    assert [followed.exit_code for followed in outcome.commands] == [NO_ADDRESS, NO_ADDRESS]


@pytest.mark.slow
def test_what_does_not_end_is_ended(stuck: Situation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "ENDLESS_SECONDS", 0.2)
    outcome = _after(stuck, "tail -f <home>/server.log")
    (followed,) = outcome.commands
    assert followed.exit_code is None
    assert "started" in followed.output
    assert outcome.harm == []


def test_commands_are_found_wherever_a_report_has_remedies() -> None:
    report = """{
        "findings": [{"id": "a", "remedy": {"text": "", "commands": ["one", "two"]}}, {"id": "b", "remedy": null}],
        "causes": [{"id": "c", "next_step": {"commands": ["three"]}}, {"id": "d", "next_step": {"commands": ["one"]}}],
        "again": [{"id": "e", "remedy": {"commands": ["one", "two"]}}]
    }"""
    examination = Examination(0, report, "")
    assert remedy_commands(examination) == [("a", "one"), ("a", "two"), ("c", "three"), ("d", "one")]


@pytest.mark.slow
def test_the_stand_ins_answer_as_the_tools_do(stuck: Situation) -> None:
    examination = stuck.doctor()
    commands = [
        _redis_cli(stuck, f"XLEN {QUEUE}"),
        "sqlite3 -readonly <database> 'SELECT count(*) FROM claude_raw_traces'",
        "lsof <database> || true",
        f"curl -s http://127.0.0.1:{_http_port(stuck)}/health",
    ]
    pairs = [("planted", command) for command in commands]
    outcome = follow_commands(stuck, pairs, examination, stand_ins_only=True)
    assert outcome.harm == []
    assert [followed.exit_code for followed in outcome.commands] == [0, 0, 0, 0]
    outputs = [followed.output.strip() for followed in outcome.commands]
    assert outputs == ["18", "3", "", '{"status": "ok"}']


def _http_port(situation: Situation) -> int:
    settings = yaml.safe_load((situation.home / "config.yaml").read_text())
    port: int = settings["http_endpoint"]["port"]
    return port


@pytest.mark.slow
def test_the_commands_of_a_real_report_are_run(stuck: Situation) -> None:
    outcome = follow(stuck)
    assert outcome.commands, "this situation brings up remedies"
    assert all(followed.source for followed in outcome.commands)


def _report(status: str, **findings: str) -> Examination:
    listed = [{"id": name.replace("_", "-"), "status": colour} for name, colour in findings.items()]
    report = {"status": status, "findings": listed, "metrics": {"chain": None}}
    return Examination(0, json.dumps(report), "")


def test_what_grows_worse_by_waiting_alone_is_no_harm() -> None:
    before = _report("green", consumer_lag="green", queue_depth="green")
    assert following._worse(before, _report("red", consumer_lag="red", queue_depth="green")) == []
    worse = following._worse(before, _report("red", consumer_lag="red", queue_depth="red"))
    assert worse == ["status green became red: consumer-lag, queue-depth"]
    assert following._worse(before, _report("unknown", consumer_lag="green")) == ["status green became unknown: "]


@pytest.mark.slow
def test_a_command_that_nobody_can_run_is_caught(stuck: Situation) -> None:
    planted = [
        "rm <something else>",
        "no-such-program",
        "redis-cli PING",
        "blueplane-doctor --no-such-option",
        "blueplane-doctor instrument -- python scripts/start_server.py",
        _redis_cli(stuck, "XPENDING"),
        _redis_cli(stuck, "NO-SUCH-COMMAND"),
        "tail --no-such-option <home>/server.log",
    ]
    outcome = _after(stuck, *planted)
    assert len(outcome.not_run) == len(planted), outcome.commands
