"""What is in order raises no alarm: it is green, or the report says what is not known."""

from pathlib import Path

import pytest

from tests.truth.situations import SITUATIONS, instances

IN_ORDER = [name for name, entry in SITUATIONS.items() if entry.section == "N"]
NO_ALARM = ("green", "unknown", "not_set_up", "skipped")
MILD = ("redis-durability",)
"""The servers of these situations save nothing unless the situation is about that; yellow says so, and rightly."""


@pytest.mark.parametrize(("name", "server"), instances(*IN_ORDER))
def test_what_is_in_order_raises_no_alarm(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        assert examination.exit_code in (0, 3)
        alarms = []
        for finding in examination.report["findings"]:
            if finding["status"] not in NO_ALARM and finding["id"] not in MILD:
                alarms.append((finding["id"], finding["status"], finding["summary"]))
        assert alarms == []
