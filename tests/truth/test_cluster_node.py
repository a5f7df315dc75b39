"""A plain URL that names one node of a Cluster."""

from pathlib import Path

import pytest

from tests.truth.situations import SITUATIONS, instances


@pytest.mark.parametrize(("name", "server"), instances("one-node-of-a-cluster"))
def test_what_another_node_holds_is_not_known_and_the_cluster_is_to_be_named(
    name: str, server: str, tmp_path: Path
) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor("--ignore", "server-alive")  # none runs here
        finding = examination.finding("redis-reachable")
        assert finding["status"] == "unknown"
        assert "redis+cluster://127.0.0.1" in finding["remedy"]["text"]
        assert (examination.status, examination.exit_code) == ("unknown", 3)
