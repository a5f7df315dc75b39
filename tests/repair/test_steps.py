"""Single steps; what they do to whole plans stands in test_applying.py."""

import pytest

from blueplane_doctor.errors import RepairRefused, SourceProtocolError
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.steps import checked, id_in


def test_without_the_lock_a_repair_stops() -> None:
    assert checked(b"5-0") == b"5-0"
    assert checked(scripts.MOVED) == scripts.MOVED
    with pytest.raises(RepairRefused, match="held up for so long"):
        checked(scripts.LOCK_LOST)


@pytest.mark.parametrize("reply", [None, 5, b"abc", b"OK", b"5-0\n", [1], True + 1])
def test_a_reply_of_another_form_is_no_step_that_was_done(reply: object) -> None:
    for read in (checked, id_in):
        with pytest.raises(SourceProtocolError, match="does not answer as Redis does"):
            read(reply)
    with pytest.raises(SourceProtocolError):
        id_in(scripts.DONE)
