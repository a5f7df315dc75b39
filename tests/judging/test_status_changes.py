"""What the history adds to a report, with causes and histories made for the purpose."""

import pytest

from blueplane_doctor.history.samples import kept_id
from blueplane_doctor.judging.causes import Explanation
from blueplane_doctor.judging.status_changes import SINCE_BY, changes_told, with_history
from blueplane_doctor.model import Cause, Status, StatusChange
from blueplane_doctor.monitoring.history_health import HistoryHealth, OpenCause
from blueplane_doctor.plugins.discovery import AvailableChecks, find_checks
from tests.judging.test_causes import spec

EARLY = "2026-03-14T09:08:00.000Z"
MIDDLE = "2026-03-14T09:10:00.000Z"
LATE = "2026-03-14T09:12:00.000Z"


def cause(since: str | None, identity: str = "server-down") -> Cause:
    return Cause(id=identity, summary="It is down.", since=since, since_by="the log", status=Status.RED)


def history(since: str, identity: str = "server-down") -> HistoryHealth:
    return HistoryHealth(samples=9, open_causes=[OpenCause(id=identity, since=since)])


@pytest.fixture(scope="module")
def available() -> AvailableChecks:
    return find_checks()


@pytest.mark.parametrize(
    ("told", "recorded", "expected"),
    [(MIDDLE, EARLY, EARLY), (MIDDLE, LATE, MIDDLE), (MIDDLE, MIDDLE, MIDDLE), (None, LATE, LATE)],
    ids=["earlier", "never later", "the same", "the evidence does not tell"],
)
def test_a_cause_is_there_since_the_earlier_moment(
    available: AvailableChecks, told: str | None, recorded: str, expected: str
) -> None:
    explanation = with_history(Explanation([], [cause(told)]), history(recorded), available)
    assert explanation.causes[0].since == expected
    assert explanation.beginning.since == expected
    assert (explanation.causes[0].since_by == SINCE_BY) is (expected != told)


def test_a_sample_replaces_a_bound(available: AvailableChecks) -> None:
    bounded = cause(EARLY).model_copy(update={"since_bound": "at the earliest"})
    explanation = with_history(Explanation([], [bounded]), history(MIDDLE), available)
    assert explanation.beginning == (MIDDLE, "", "")
    bounded = cause(LATE).model_copy(update={"since_bound": "at the latest"})
    explanation = with_history(Explanation([], [bounded]), history(MIDDLE), available)
    assert explanation.beginning == (MIDDLE, "", "")


def test_of_two_causes_of_one_kind_nobody_knows_which_it_was(available: AvailableChecks) -> None:
    explanation = Explanation([], [cause(MIDDLE), cause(LATE)])
    assert with_history(explanation, history(EARLY), available) == explanation


def test_without_a_history_nothing_changes(available: AvailableChecks) -> None:
    explanation = Explanation([], [cause(MIDDLE)])
    for record in (None, HistoryHealth(samples=0, cause="it cannot be reached"), history(EARLY, "another-redis")):
        assert with_history(explanation, record, available) == explanation
    assert changes_told(None, available) == []
    assert changes_told(HistoryHealth(samples=0), available) == []


def test_changes_have_titles_and_own_ids_again() -> None:
    """An id that its author chose is kept as its fingerprint, and known here by that."""
    own = spec("my_own", shown_by=["x"])
    available = AvailableChecks(causes=[spec("server_down", shown_by=["x"]), own._replace(origin="a file")])
    hidden = kept_id("my-own", available.built_in_ids)
    assert "my-own" not in hidden
    changes = []
    for identity in ("server-down", hidden, "_hidden-00000000_"):
        changes.append(StatusChange(at=EARLY, kind="cause", id=identity, before=Status.GREEN, after=Status.RED))
    told = changes_told(HistoryHealth(samples=9, changes=changes), available)
    assert [(one.id, one.title) for one in told] == [
        ("server-down", "A cause"),
        ("my-own", "A cause"),
        ("_hidden-00000000_", ""),
    ]
