"""How often the stream is walked through: by what the last walk cost."""

import pytest

from blueplane_doctor.service.refresh_schedule import least_rest, longest_rest


@pytest.mark.parametrize(("took", "least", "longest"), [(0.0, 1.0, 180.0), (0.5, 4.5, 180.0), (2.0, 18.0, 398.0)])
def test_the_schedule_goes_by_cost(took: float, least: float, longest: float) -> None:
    assert (least_rest(took), longest_rest(took)) == (least, longest)
