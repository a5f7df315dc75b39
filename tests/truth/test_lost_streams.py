"""The stream, or its groups, are gone: told wherever something shows that the pipeline is in use."""

from pathlib import Path

import pytest

from tests.truth.following import follow_commands
from tests.truth.situations import SITUATIONS, instances, named

GONE = named("stream-gone-")
SELECT = ("--select", "stream-lost")


@pytest.mark.parametrize(("name", "server"), instances(*GONE))
def test_a_stream_that_is_gone_is_red(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        assert examination.exit_code == 1
        finding = examination.finding("stream-lost")
        assert finding["status"] == "red"
        assert "The queue stream is gone, while the database was written to" in finding["summary"]
        assert "the server runs" in finding["summary"]


@pytest.mark.parametrize(("name", "server"), instances("stream-gone-swapdb"))
def test_a_stream_in_another_database_is_looked_for_there(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor().finding("stream-lost")
        assert finding["evidence"]["other_databases"] == [1]
        outcome = follow_commands(situation, [("stream-lost", finding["remedy"]["commands"][0])], situation.doctor())
        assert [followed.output.strip() for followed in outcome.commands] == ["stream"]


@pytest.mark.parametrize(("name", "server"), instances("stream-anew-without-groups", "one-writer-group-gone"))
def test_groups_gone_under_a_running_server_need_a_restart(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor(*SELECT).finding("stream-lost")
        assert finding["status"] == "red"
        assert all(group in finding["summary"] for group in situation.truth.groups_missing or ())
        assert finding["remedy"]["text"].startswith("Restart the Blueplane server")
        if name == "stream-anew-without-groups":
            assert "76 rows were written in the last hour, and only 60 messages ever came" in finding["summary"]


@pytest.mark.parametrize(("name", "server"), instances("queue-is-a-list"))
def test_a_value_of_another_program_is_told_from_a_stream_that_is_gone(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor(*SELECT).finding("stream-lost")
        assert finding["status"] == "red"
        assert finding["summary"].startswith("Another value is stored under the queue stream's name")
        assert "give it another name" in finding["remedy"]["text"]


@pytest.mark.parametrize(("name", "server"), instances("healthy", "just-upgraded", "just-installed"))
def test_no_false_alarm(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        assert situation.doctor(*SELECT).finding("stream-lost")["status"] == "green"


@pytest.mark.server
def test_where_nothing_was_ever_installed_nothing_is_lost(tmp_path: Path) -> None:
    with SITUATIONS["no-blueplane-empty-home"].built("valkey-9.1", tmp_path / "p") as situation:
        assert situation.doctor(*SELECT).finding("stream-lost")["status"] == "unknown"
