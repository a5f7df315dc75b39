"""The equation of all messages and their states."""

import pytest

from blueplane_doctor.custody.states import PAYLOAD_GONE, STATES
from blueplane_doctor.monitoring.state_counts import TRIMMED_UNREAD, equation

NOTHING = {**dict.fromkeys(STATES, 0), TRIMMED_UNREAD: 0, PAYLOAD_GONE: 0}


@pytest.mark.parametrize(
    ("examined", "states", "text"),
    [
        (0, {}, "0 messages = 0"),
        (1, {"dead_lettered": 1}, "1 message = 1 dead lettered"),
        (263, {"written": 237, "skipped": 14, "lost": 12}, "263 messages = 237 written + 14 skipped + 12 lost"),
        (1_200, {"written": 1_200}, "1,200 messages = 1,200 written"),
        (5, {"in_flight": 5}, "5 messages = 5 in flight"),
        (5, {"written": 5, "trimmed_unread": 9}, "5 messages = 5 written"),
        (5, {"written": 2, "unexamined": 3}, "5 messages = 2 written + 3 unexamined"),
        (5, {"written": 2, "unexamined": 10}, "5 messages = 2 written + 3 unexamined; 7 not read"),
        (5, {"written": 5, "unexamined": 10}, "5 messages = 5 written; 10 not read"),
    ],
)
def test_the_equation(examined: int, states: dict[str, int], text: str) -> None:
    assert equation(examined, {**NOTHING, **states}) == text
