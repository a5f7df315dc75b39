"""How often the stream is walked through: by what the last walk cost."""

import pytest

from blueplane_doctor.service.refresh_schedule import RefreshSchedule


def test_the_schedule_goes_by_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [50.0]
    monkeypatch.setattr("blueplane_doctor.service.refresh_schedule.time.monotonic", lambda: moment[0])
    schedule = RefreshSchedule()
    assert schedule.may_begin()
    assert schedule.must_begin()
    schedule.ended(0.5)
    for later, may, must in ((4.4, False, False), (4.6, True, False), (179.0, True, False), (180.0, True, True)):
        moment[0] = 50 + later
        assert (schedule.may_begin(), schedule.must_begin()) == (may, must), later


@pytest.mark.parametrize(("took", "longest"), [(0.0, 180.0), (0.5, 180.0), (2.0, 398.0)])
def test_at_rest_a_long_walk_is_made_less_often(took: float, longest: float) -> None:
    schedule = RefreshSchedule()
    schedule.ended(took)
    assert schedule.longest_seconds == longest
