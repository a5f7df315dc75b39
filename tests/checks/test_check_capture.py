"""The checks of capture: every edge of their scales; a quiet evening is no illness."""

from typing import Any

import pytest

from blueplane_doctor.monitoring.capture_health import CaptureHealth
from blueplane_doctor.monitoring.cursor_hooks import CursorHooks
from blueplane_doctor.pipeline import CURSOR_HOOKS
from tests.checks.builders import HOUR, MINUTE, capture, cases, hook, monitor, run, share

NOBODY_WORKS = {"open_sessions": 0, "longest_open_ms": None}
NOT_KNOWN = {
    "open_sessions": None,
    "longest_open_ms": None,
    "sessions_cause": "the database has no table cursor_sessions",
}
NO_STREAM = {
    "hooks": [],
    "hooks_cause": "Redis at localhost:6379 cannot be reached: refused",
    "capture_rate_events_per_min": None,
    "cursor_hooks": CursorHooks(total_executions=None),
}


def silent(milliseconds: int | None, **changes: Any) -> CaptureHealth:
    """All hooks silent for that long; null: never seen."""
    seen = {"silent_ms": milliseconds, "seen": 0 if milliseconds is None else 9}
    return capture(hooks=[hook(name, **seen) for name in CURSOR_HOOKS], **changes)


@pytest.mark.parametrize(
    ("sentence", "given", "status"),
    cases(
        [
            ("active", "a hook of this moment is green", silent(0), "green"),
            ("last-green", "5 min is still green", silent(5 * MINUTE), "green"),
            ("above-yellow", "a second more than 5 min is yellow", silent(5 * MINUTE + 1_000), "yellow"),
            ("last-yellow", "15 min is still yellow", silent(15 * MINUTE), "yellow"),
            ("above-orange", "a second more than 15 min is orange", silent(15 * MINUTE + 1_000), "orange"),
            ("last-orange", "60 min is still orange", silent(60 * MINUTE), "orange"),
            ("above-red", "a second more than 60 min is red", silent(60 * MINUTE + 1_000), "red"),
            ("never-seen", "a window open for 3 h, and no hook ever", silent(None), "red"),
            (
                "young-window",
                "a window of two minutes asks for no more",
                silent(9 * HOUR, longest_open_ms=2 * MINUTE),
                "green",
            ),
            ("idle", "no window is open, nothing is asked", silent(9 * HOUR, **NOBODY_WORKS), "green"),
            ("sessions-not-known", "whether anybody works is not known", silent(9 * HOUR, **NOT_KNOWN), "unknown"),
            ("no-data", "the stream cannot be read", capture(**NO_STREAM), "unknown"),
            (
                "nothing-expected",
                "no hook is expected",
                capture(hooks=[hook(n, expected=False) for n in CURSOR_HOOKS]),
                "unknown",
            ),
        ]
    ),
)
def test_hook_inactivity(sentence: str, given: CaptureHealth, status: str) -> None:
    assert run("hook-inactivity", capture=given).status == status, sentence


def test_hooks_that_fire_only_with_a_tool_may_be_silent() -> None:
    rare = ("beforeMCPExecution", "afterMCPExecution", "afterFileEdit")
    hooks = [hook(name, silent_ms=9 * HOUR if name in rare else 1_000) for name in CURSOR_HOOKS]
    assert run("hook-inactivity", capture=capture(hooks=hooks)).status == "green"


def test_a_hook_that_the_settings_expect_may_not() -> None:
    hooks = [hook(n, silent_ms=2 * HOUR, configured=True) if n == "afterFileEdit" else hook(n) for n in CURSOR_HOOKS]
    found = run("hook-inactivity", capture=capture(hooks=hooks))
    assert found.status == "red"
    assert found.summary == "afterFileEdit last fired 2 h ago; an IDE window has been open for 3 h"


def test_where_only_rare_hooks_are_expected_the_least_silent_counts() -> None:
    hooks = [
        hook("afterMCPExecution", silent_ms=2 * HOUR),
        hook("afterFileEdit", silent_ms=6 * MINUTE),
        hook("stop", silent_ms=9 * HOUR, expected=False),
    ]
    assert run("hook-inactivity", capture=capture(hooks=hooks)).status == "yellow"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (silent(HOUR * 2), "beforeSubmitPrompt last fired 2 h ago; an IDE window has been open for 3 h"),
        (
            silent(HOUR * 2, open_sessions=3),
            "beforeSubmitPrompt last fired 2 h ago; 3 IDE windows are open, one of them for 3 h",
        ),
        (silent(None), "beforeSubmitPrompt was never seen; an IDE window has been open for 3 h"),
        (
            silent(9 * HOUR, longest_open_ms=10 * MINUTE),
            "beforeSubmitPrompt last fired 9 h ago; an IDE window has been open for 10 min",
        ),
    ],
    ids=["silent", "windows", "never", "silent-since-before-the-window"],
)
def test_hook_inactivity_says_which_hook_and_since_when(given: CaptureHealth, said: str) -> None:
    assert run("hook-inactivity", capture=given).summary == said


@pytest.mark.parametrize(
    ("sentence", "percent", "status"),
    cases(
        [
            ("all", "all succeed", 100.0, "green"),
            ("above-yellow", "99.01 % is green", 99.01, "green"),
            ("yellow-edge", "99 % is the first yellow", 99.0, "yellow"),
            ("last-yellow", "95 % is still yellow", 95.0, "yellow"),
            ("below-orange", "94.99 % is orange", 94.99, "orange"),
            ("last-orange", "90 % is still orange", 90.0, "orange"),
            ("below-red", "89.99 % is red", 89.99, "red"),
            ("no-data", "a failed hook leaves nothing behind: unknown", None, "unknown"),
        ]
    ),
)
def test_hook_success(sentence: str, percent: float | None, status: str) -> None:
    given = capture(cursor_hooks=CursorHooks(total_executions=720, success_rate=share(percent), recorded_minutes=2))
    assert run("hook-success", capture=given).status == status, sentence


@pytest.mark.parametrize(
    ("hooks", "cause"),
    [
        ({"success_rate": 0.0, "recorded_minutes": 1}, "recorded in 1 of at least 2 minutes"),
        ({"recorded_cause": "nothing was recorded"}, "nothing was recorded"),
    ],
)
def test_hook_success_without_enough_of_the_recorder(hooks: dict[str, Any], cause: str) -> None:
    found = run("hook-success", capture=capture(cursor_hooks=CursorHooks(total_executions=720, **hooks)))
    assert found.status == "unknown"
    assert found.cause == cause
    assert found.remedy and found.remedy.commands == []
    assert "in the folder of its checkout, blueplane-doctor instrument -- python" in found.remedy.text


@pytest.mark.parametrize(
    ("by_stream", "recorded", "observed"), [(2.0, 40.0, 40.0), (40.0, 2.0, 40.0), (7.0, None, 7.0), (None, 6.0, 6.0)]
)
def test_of_two_lower_bounds_the_larger_is_the_capture_rate(
    by_stream: float | None, recorded: float | None, observed: float
) -> None:
    given = capture(capture_rate_events_per_min=by_stream, recorded_rate_events_per_min=recorded)
    assert run("capture-rate", capture=given).observed == observed


@pytest.mark.parametrize(
    ("sentence", "rate", "changes", "status"),
    cases(
        [
            ("above-yellow", "10.2 a minute is green", 10.2, {}, "green"),
            ("yellow-edge", "10 a minute is the first yellow", 10.0, {}, "yellow"),
            ("last-yellow", "5 a minute is still yellow", 5.0, {}, "yellow"),
            ("below-orange", "4.8 a minute is orange", 4.8, {}, "orange"),
            ("last-orange", "1 a minute is still orange", 1.0, {}, "orange"),
            ("below-red", "0.8 a minute is red", 0.8, {}, "red"),
            ("nothing", "nothing while a window is open is red", 0.0, {}, "red"),
            ("idle", "nothing while none is open is green", 0.0, NOBODY_WORKS, "green"),
            ("sessions-not-known", "whether that is little is not known", 0.0, NOT_KNOWN, "unknown"),
            ("no-data", "the stream cannot be read", None, {"hooks_cause": "it is gone"}, "unknown"),
        ]
    ),
)
def test_capture_rate(sentence: str, rate: float | None, changes: dict[str, Any], status: str) -> None:
    found = run("capture-rate", capture=capture(capture_rate_events_per_min=rate, **changes))
    assert found.status == status, sentence


@pytest.mark.parametrize(
    ("rate", "changes", "said"),
    [
        (1.0, {}, "1 event a minute; an IDE window has been open for 3 h"),
        (4.8, {}, "4.8 events a minute; an IDE window has been open for 3 h"),
        (4.8, {"open_sessions": 3}, "4.8 events a minute; 3 IDE windows are open, one of them for 3 h"),
        (0.0, NOBODY_WORKS, "0 events a minute; no IDE window is open, so none are expected"),
        (1.0, NOBODY_WORKS, "1 event a minute; no IDE window is open, so none are expected"),
        (1.0, NOT_KNOWN, "1 event a minute; whether that is little is not known"),
    ],
)
def test_capture_rate_says_how_many(rate: float, changes: dict[str, Any], said: str) -> None:
    assert run("capture-rate", capture=capture(capture_rate_events_per_min=rate, **changes)).summary == said


def last_event(milliseconds: int | None, **changes: Any) -> CaptureHealth:
    """A database monitor whose last event was that long ago."""
    captured = 0 if milliseconds is None else 9
    return capture(database_monitor=monitor(silent_ms=milliseconds, events_captured=captured), **changes)


@pytest.mark.parametrize(
    ("sentence", "given", "status"),
    cases(
        [
            ("active", "an event of this moment is active", last_event(0), "green"),
            ("last-active", "5 min is still active", last_event(5 * MINUTE), "green"),
            ("intermittent", "a millisecond more is intermittent", last_event(5 * MINUTE + 1), "yellow"),
            ("last-intermittent", "15 min still is", last_event(15 * MINUTE), "yellow"),
            ("inactive", "a millisecond more is inactive", last_event(15 * MINUTE + 1), "orange"),
            ("last-inactive", "an hour still is", last_event(HOUR), "orange"),
            ("down", "longer ago is down", last_event(HOUR + 1), "red"),
            ("never", "a window open for 3 h, and no event ever", last_event(None), "red"),
            (
                "never-young-window",
                "a window of two minutes asks for no more",
                last_event(None, longest_open_ms=2 * MINUTE),
                "green",
            ),
            ("idle", "no window is open, nothing to see", last_event(9 * HOUR, **NOBODY_WORKS), "green"),
            ("sessions-not-known", "whether there is anything to see", last_event(9 * HOUR, **NOT_KNOWN), "unknown"),
            ("no-data", "the stream cannot be read", capture(**NO_STREAM), "unknown"),
        ]
    ),
)
def test_database_monitor(sentence: str, given: CaptureHealth, status: str) -> None:
    assert run("database-monitor", capture=given).status == status, sentence


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (last_event(12_000), "The database monitor is active: last event 12 s ago"),
        (
            last_event(None),
            "The database monitor is down: nothing of it is in the stream; an IDE window has been open for 3 h",
        ),
        (
            last_event(9 * HOUR, longest_open_ms=10 * MINUTE),
            "The database monitor is intermittent: last event 9 h ago; an IDE window has been open for 10 min",
        ),
    ],
    ids=["active", "never", "silent-since-before-the-window"],
)
def test_database_monitor_says_its_state(given: CaptureHealth, said: str) -> None:
    assert run("database-monitor", capture=given).summary == said


@pytest.mark.parametrize(
    ("milliseconds", "last"), [(None, "nothing of it is in the stream"), (9 * HOUR, "last event 9 h ago")]
)
def test_a_window_of_a_moment_ago_makes_no_database_monitor_active(milliseconds: int | None, last: str) -> None:
    found = run("database-monitor", capture=last_event(milliseconds, longest_open_ms=2 * MINUTE))
    assert (found.status, found.observed) == ("green", None)
    assert found.summary == f"Too early to judge the database monitor: {last}; an IDE window has been open for 2 min"
