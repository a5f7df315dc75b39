from blueplane_doctor.capture.hook_wiring import WiringFault
from tests.checks import builders
from tests.checks.builders import HOUR, causes_of


def test_nothing_comes_in_while_a_window_is_open() -> None:
    silent = [builders.hook(name, silent_ms=4 * HOUR) for name in builders.CURSOR_HOOKS]
    capture = builders.capture(hooks=silent, capture_rate_events_per_min=0.0, longest_open_ms=4 * HOUR)
    causes = causes_of(capture=capture)
    assert [(one.id, one.certain) for one in causes] == [("capture-not-wired", False)]


def test_nobody_works() -> None:
    capture = builders.capture(open_sessions=0, longest_open_ms=None, capture_rate_events_per_min=0.0)
    assert causes_of(capture=capture) == []


def test_clocks_that_disagree() -> None:
    assert [one.id for one in causes_of(redis=builders.redis(clock_skew_ms=90_000.0))] == ["clock-wrong"]


def test_few_events_alone_may_be_little_work() -> None:
    capture = builders.capture(capture_rate_events_per_min=6.0)
    assert causes_of(capture=capture) == []


def test_events_that_hooks_could_not_hand_over() -> None:
    causes = causes_of(spool=builders.spool(waiting_events=12))
    assert [(one.id, one.at_stake.at_risk) for one in causes] == [("hooks-cannot-deliver", 12)]


def test_what_is_sure_to_keep_events_away_is_told_without_a_session_too() -> None:
    fault = WiringFault(kind="hooks_disabled", place="Claude Code's settings.json", entry="disableAllHooks")
    capture = builders.capture(open_sessions=0, longest_open_ms=None)
    (one,) = causes_of(capture=capture, wiring=builders.wiring(fault))
    assert (one.id, one.certain, one.explains) == ("capture-not-wired", True, ["capture-wiring"])
    assert one.summary == "Hooks are switched off in Claude Code's settings.json."


def test_what_only_may_keep_events_away_stands_for_itself() -> None:
    fault = WiringFault(kind="versions_differ", place="blueplane-hook", reason="version 2, and this is 1")
    assert causes_of(wiring=builders.wiring(fault)) == []
