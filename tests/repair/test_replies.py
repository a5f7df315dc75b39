"""What is read of the replies to steps."""

import pytest

from blueplane_doctor.errors import RepairRefused, SourceProtocolError
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.replies import checked, checked_moves


def test_without_the_lock_a_repair_stops() -> None:
    assert checked_moves(b"5-0 0 -3", 3) == ["5-0", "", None]
    assert checked_moves(scripts.NEWER, 3) == scripts.NEWER
    assert checked(scripts.MOVED) == scripts.MOVED
    with pytest.raises(RepairRefused, match="held up for so long"):
        checked(scripts.LOCK_LOST)


@pytest.mark.parametrize("reply", [None, 5, b"abc", b"OK", b"5-0\n", b"5-0 5-1", b"", [1], True + 1])
def test_a_reply_of_another_form_is_no_step_that_was_done(reply: object) -> None:
    with pytest.raises(SourceProtocolError, match="does not answer as Redis does"):
        checked(reply)
    with pytest.raises(SourceProtocolError, match="does not answer as Redis does"):
        checked_moves(reply, 1)
    with pytest.raises(SourceProtocolError):
        checked(b"5-0")
