"""Groups that write no traces may be behind: that is said mildly, and is no part of the backlog or of custody."""

from pathlib import Path

import pytest

from tests.truth.situations import SITUATIONS, instances

CUSTODY = ("queue-depth", "pending-messages", "consumer-lag", "chain-breaks", "writer-missing", "lost-before-delivery")


@pytest.mark.parametrize(("name", "server"), instances("reader-groups-behind", "reader-groups-behind-some"))
def test_reader_groups_behind_are_told_mildly(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        behind = situation.truth.facts["behind"]
        examination = situation.doctor("--select", "queue,chain")
        lag = examination.finding("reader-lag")
        assert lag["observed"] == behind
        assert lag["status"] == ("yellow" if behind >= 1_000 else "green")
        assert f"{behind:,} messages behind" in lag["summary"]
        assert examination.exit_code == 0
        for check in CUSTODY:
            assert examination.finding(check)["status"] == "green", check
