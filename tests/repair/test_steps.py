"""Single steps; what they do to whole plans stands in test_applying.py."""

import pytest

from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.steps import checked


def test_without_the_lock_a_repair_stops() -> None:
    assert checked(b"5-0") == b"5-0"
    assert checked(scripts.MOVED) == scripts.MOVED
    with pytest.raises(RepairRefused, match="held up for so long"):
        checked(scripts.LOCK_LOST)
