"""The server: alive by its answer, on another Redis, in its log, and what lies in its buffer."""

from pathlib import Path

import pytest

from tests.truth.registry import ONE_SERVER
from tests.truth.situations import SITUATIONS, instances


@pytest.mark.parametrize(
    ("name", "server"),
    instances(
        "pid-file-of-a-container",
        "pid-file-of-a-container-other-number",
        "pid-file-of-a-dead-process",
        "no-pid-file-answers",
        servers=ONE_SERVER,
    ),
)
def test_an_answer_proves_that_the_server_runs(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        finding = examination.finding("server-alive")
        assert finding["status"] == "green"
        assert "container" in finding["summary"]
        assert examination.exit_code == 0


@pytest.mark.parametrize(("name", "server"), instances("settings-name-another-redis", "server-uses-another-redis"))
def test_another_redis_is_told(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        url = "" if name == "settings-name-another-redis" else None
        examination = situation.doctor(redis_url=url)
        finding = examination.finding("same-pipeline")
        assert finding["status"] == "red"
        assert situation.truth.facts["of_the_server"] in finding["remedy"]["commands"][0]
        assert examination.exit_code == 1
        examination = situation.doctor(redis_url=situation.truth.facts["of_the_server"])
        assert examination.finding("same-pipeline")["status"] == "green"


@pytest.mark.parametrize(
    ("name", "server"),
    instances("event-buffer-named-in-settings", "database-named-in-settings", servers=ONE_SERVER),
)
def test_files_are_those_of_the_home_as_the_server_does_it(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        assert examination.finding("undrained-buffer")["observed"] == situation.truth.facts.get("buffered", 0)
        assert examination.custody["states"]["written"] == situation.truth.written
        assert examination.custody["chain_break_count"] == 0


@pytest.mark.parametrize(
    ("name", "server"),
    instances("error-lines-in-a-burst", "error-lines-in-a-burst-small", "error-lines-doubled", servers=ONE_SERVER),
)
def test_errors_are_counted_over_the_span_that_was_read(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor("--select", "server-errors")
        finding = examination.finding("server-errors")
        rate = situation.truth.facts["errors_per_min"]
        if name == "error-lines-doubled":
            assert finding["observed"] == pytest.approx(rate, rel=0.1)
        else:
            # A log younger than a minute is counted over a minute, so that the rate is not more than what was logged.
            assert rate / 16 < finding["observed"] <= rate * 1.1
            assert finding["status"] == "red"
        assert ("At least" in finding["summary"]) == (name == "error-lines-in-a-burst")


def test_the_errors_of_a_normal_start_are_none(tmp_path: Path) -> None:
    with SITUATIONS["error-lines-of-a-normal-start"].built(*ONE_SERVER, tmp_path / "p") as situation:
        examination = situation.doctor()
        assert examination.finding("server-errors")["status"] == "green"
        assert examination.exit_code == 0


@pytest.mark.parametrize(
    ("name", "server"),
    instances("groups-gone-server-runs", "stream-anew-without-groups", servers=ONE_SERVER),
)
def test_nogroup_is_named_and_needs_a_restart(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor("--select", "server").finding("server-errors")
        assert "NOGROUP" in finding["summary"]
        assert "restart it" in finding["remedy"]["text"]


@pytest.mark.parametrize(
    ("name", "server"),
    instances("database-locked-now", "database-locked-now-few", servers=ONE_SERVER),
)
def test_a_lock_is_named_and_who_holds_it(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor("--select", "server,database,queue")
        finding = examination.finding("server-errors")
        assert "database is locked" in finding["summary"]
        stuck = examination.finding("stuck-consumers")["remedy"]["text"]
        assert stuck.count("database is locked") == 1
        assert stuck.count("finish") == 1
        if Path("/proc/locks").exists():
            assert f"Process {situation.truth.facts['holder_pid']}" in finding["remedy"]["text"]


@pytest.mark.parametrize(
    ("name", "server"),
    instances("database-was-locked", "database-files-read-only", servers=ONE_SERVER),
)
def test_an_error_of_earlier_is_in_the_evidence(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor("--select", "server").finding("server-errors")
        reasons = {"read-only": "database is read-only"}
        reason = situation.truth.facts["reason"]
        assert reasons.get(reason, reason) in finding["evidence"]
