"""A consumer for which an undone repair claimed messages back is as silent as it is by itself."""

import pytest

from blueplane_doctor.connection.topology_transport import slot_of
from blueplane_doctor.sources.claimed_consumers import Claim, claims_key, without_claims
from blueplane_doctor.sources.streams import Consumer, Group

NOW = 1_800_000_000_000
CLAIM = Claim(at_ms=NOW - 60_000, heard_ms=NOW - 3_600_000)


@pytest.mark.parametrize(
    ("idle_ms", "expected"),
    [
        pytest.param(60_000, 3_600_000, id="not heard of since"),
        pytest.param(58_500, 3_600_000, id="the clocks differ by a round trip"),
        pytest.param(57_000, 57_000, id="it read something after that"),
        pytest.param(4_000_000, 4_000_000, id="silent for longer"),
    ],
)
def test_a_claim_is_no_sign_of_life(idle_ms: int, expected: int) -> None:
    members = (Consumer(b"consumer-7", 3, idle_ms), Consumer(b"consumer-8", 0, idle_ms))
    group = Group(b"processors", (1, 0), 3, None, None, members)
    claimed, other = without_claims(group, {(b"processors", b"consumer-7"): CLAIM}, NOW).consumers
    assert claimed == Consumer(b"consumer-7", 3, expected)
    assert other == members[1]


def test_the_notes_lie_on_the_node_of_the_queue() -> None:
    for queue in ("telemetry:message_queue", "a{b}c"):
        assert slot_of(claims_key(queue).encode()) == slot_of(queue.encode())
