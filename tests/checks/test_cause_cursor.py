"""What is missing of Cursor is one cause, with what can still be had."""

from blueplane_doctor.capture.hook_wiring import WiringFault
from tests.checks.builders import causes_of, cursor, server, wiring
from tests.checks.unhealthy import UNHEALTHY


def test_what_is_missing_is_told_with_its_number_and_since_when() -> None:
    record = cursor(states={"missing": 18}, first_missing="2026-03-14T09:22:00.000Z")
    (one,) = causes_of(cursor=record)
    assert (one.id, one.explains, one.at_stake.recoverable) == ("cursor-not-captured", ["cursor-completeness"], 18)
    assert one.since == "2026-03-14T09:22:00.000Z"


def test_it_follows_from_broken_wiring_and_from_a_server_that_does_not_run() -> None:
    record = cursor(states={"missing": 18})
    gone = WiringFault(kind="extension_missing", editor="cursor", place="Blueplane's extension in Cursor")
    (one,) = causes_of(cursor=record, wiring=wiring(gone))
    assert one.id == "capture-not-wired"
    assert {"capture-wiring", "cursor-completeness"} <= set(one.explains)
    causes = causes_of(cursor=record, **UNHEALTHY["capture-wiring"])
    assert [one.id for one in causes] == ["cursor-not-captured", "capture-not-wired"], "Claude's settings alone"
    down = server(pid_state="not running", http_ok=False, http_answer="nobody listens on port 8787")
    assert [one.id for one in causes_of(cursor=record, server=down, wiring=wiring())] == ["server-down"]


def test_a_last_change_alone_stands_for_itself() -> None:
    assert causes_of(cursor=cursor(states={"outdated": 3})) == []
