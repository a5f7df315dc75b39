"""The hook's spool and its losses: every edge of both scales, and what the sentences say."""

import pytest

from blueplane_doctor.model import Status
from tests.checks.builders import cases, run, spool, unreadable_spool


@pytest.mark.parametrize(
    ("sentence", "waiting", "status"),
    cases(
        [
            ("none", "an empty spool is green", 0, "green"),
            ("yellow-edge", "one event that waits is worth a look", 1, "yellow"),
            ("last-yellow", "99 are still yellow", 99, "yellow"),
            ("orange-edge", "100 are a session in which nothing arrived", 100, "orange"),
            ("last-orange", "999 are still orange", 999, "orange"),
            ("red-edge", "1000 nearly fill the spool", 1_000, "red"),
        ]
    ),
)
def test_hook_spool(sentence: str, waiting: int, status: str) -> None:
    assert run("hook-spool", spool=spool(waiting_events=waiting)).status == status, sentence


@pytest.mark.parametrize(
    ("sentence", "counts", "status"),
    cases(
        [
            ("none", "nothing was lost", {}, "green"),
            ("dropped", "one that found no room is lost", {"dropped": 1}, "orange"),
            ("refused", "one that the server refuses for ever is lost too", {"refused": 1}, "orange"),
            ("kept", "one that was not understood does not reach the pipeline", {"not_understood": 1}, "orange"),
            ("last-orange", "nine are still orange", {"dropped": 4, "refused": 4, "not_understood": 1}, "orange"),
            ("red-edge", "all count together: ten are red", {"dropped": 4, "refused": 4, "not_understood": 2}, "red"),
        ]
    ),
)
def test_hook_losses(sentence: str, counts: dict[str, int], status: str) -> None:
    assert run("hook-losses", spool=spool(**counts)).status == status, sentence


@pytest.mark.parametrize(
    ("check_id", "changes", "said"),
    [
        ("hook-spool", {"waiting_events": 0}, "No event waits in the hooks' spool"),
        ("hook-spool", {"waiting_events": 1}, "1 event waits in the hooks' spool for the server"),
        ("hook-spool", {"waiting_events": 1_204}, "1,204 events wait in the hooks' spool for the server"),
        ("hook-losses", {}, "No hook has lost an event"),
        (
            "hook-losses",
            {"dropped": 1},
            "1 event did not get beyond the hooks: 1 dropped, 0 refused by the server, 0 not understood",
        ),
        (
            "hook-losses",
            {"not_understood": 9},
            "9 events did not get beyond the hooks: 0 dropped, 0 refused by the server, 9 not understood",
        ),
    ],
)
def test_what_they_say(check_id: str, changes: dict[str, int], said: str) -> None:
    assert run(check_id, spool=spool(**changes)).summary == said


def test_calls_without_an_event_cost_nothing_and_are_told() -> None:
    found = run("hook-losses", spool=spool(unreadable=7))
    assert (found.status, found.evidence["calls without an event"]) == (Status.GREEN, 7)


def test_where_whole_inputs_lie_is_told_only_where_there_are_some() -> None:
    for number, lists in ((0, False), (3, True)):
        found = run("hook-losses", spool=spool(dropped=1, not_understood=number))
        assert found.remedy is not None
        assert ("ls -l ~/.blueplane/hook-spool-*.kept" in found.remedy.commands) is lists


@pytest.mark.parametrize("check_id", ["hook-spool", "hook-losses"])
def test_a_spool_that_cannot_be_read_is_unknown_and_says_why(check_id: str) -> None:
    found = run(check_id, spool=unreadable_spool())
    assert (found.status, found.cause) == (Status.UNKNOWN, "the hook's spool cannot be read: Permission denied")
