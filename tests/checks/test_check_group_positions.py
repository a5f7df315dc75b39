"""The check of where the writer groups stand, and the commands that move them on."""

from typing import Any

import pytest

from blueplane_doctor.model import Finding
from tests.checks.builders import consumer, one_writer, run, server

_REWOUND = {"written_not_delivered": 979, "written_not_delivered_ids": ["7-0", "7-1"], "written_up_to": "9-3"}
_STOPPED = server(pid_state="not running", http_ok=False, http_answer="nobody listens on port 8787")
_SILENT = consumer(idle_ms=90_000)


def _moves(finding: Finding) -> list[str]:
    assert finding.remedy
    return [command for command in finding.remedy.commands if " XGROUP " in command]


def test_what_is_written_and_would_be_delivered_again() -> None:
    assert run("written-not-delivered").status == "green"
    rewound = one_writer(waiting=0, consumers=[_SILENT], **_REWOUND)
    finding = run("written-not-delivered", queue=rewound, server=_STOPPED)
    assert (finding.status, finding.observed) == ("orange", 979)
    assert finding.summary.startswith("979 messages are written already and not yet given to processors")
    assert _moves(finding) == ["redis-cli -p 6379 XGROUP SETID telemetry:message_queue processors 9-3"]
    assert finding.remedy and any(command.endswith("trace 7-0 7-1") for command in finding.remedy.commands)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"queue": one_writer(consumers=[_SILENT], **_REWOUND)}, id="the server runs"),
        pytest.param({"queue": one_writer(**_REWOUND), "server": _STOPPED}, id="somebody reads"),
    ],
)
def test_a_group_that_may_be_read_is_moved_on_in_words_only(given: dict[str, Any]) -> None:
    finding = run("written-not-delivered", **given)
    assert _moves(finding) == []
    assert finding.remedy and "Stop the Blueplane server" in finding.remedy.text
    assert "processors to 9-3" in finding.remedy.text


def test_a_group_that_is_gone_is_made_behind_what_is_written() -> None:
    given = one_writer(exists=False, consumers=[], **_REWOUND)
    finding = run("written-not-delivered", queue=given)
    assert _moves(finding) == ["redis-cli -p 6379 XGROUP CREATE telemetry:message_queue processors 9-3"]


def test_nothing_is_moved_past_a_message_that_waits() -> None:
    scattered = one_writer(consumers=[_SILENT], **{**_REWOUND, "written_up_to": None}, written_later=979, waiting=4)
    finding = run("written-not-delivered", queue=scattered, server=_STOPPED)
    assert _moves(finding) == []
    assert finding.remedy and "979 of them lie behind a message that is still to be written" in finding.remedy.text
