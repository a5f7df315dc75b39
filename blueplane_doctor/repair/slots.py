"""What no single step can do in a Redis Cluster: change two streams whose keys lie on different nodes. No I/O."""

from collections.abc import Callable, Iterable

from blueplane_doctor.connection.topology_transport import slot_of
from blueplane_doctor.repair.plan import Action, Item, Refusal, Source
from blueplane_doctor.text.quantities import many

LETTERS_APART = (
    "in this Redis Cluster its dead letter would lie in another slot than the queue, and no step can change both"
)
_LETTERS_ELSEWHERE = (
    "in this Redis Cluster they lie in another slot than the queue, and no step can change both; "
    "blueplane-doctor repair --save-only saves them"
)


def apart_from(queue: str, info: dict[str, str]) -> Callable[[str], bool]:
    """Tells of a stream whether a step that changes the queue cannot change it. `info`: the fields of INFO."""
    slot = slot_of(queue.encode())
    is_cluster = info.get("cluster_enabled") == "1"

    def is_apart(stream: str) -> bool:
        return is_cluster and bool(stream) and slot_of(stream.encode()) != slot

    return is_apart


def within_slot(items: Iterable[Item], is_apart: Callable[[str], bool]) -> tuple[list[Item], list[Refusal]]:
    """The items without dead letters that cannot be removed in one step with what is done to the queue."""
    left = []
    refused = 0
    for item in items:
        if item.source is Source.DEAD_LETTER and item.action is not Action.KEEP and is_apart(item.stream):
            refused += 1
        else:
            left.append(item)
    if not refused:
        return left, []
    what = f"deliver {many(refused, 'dead letter', 'dead letters')} again"
    return left, [Refusal(what=what, reason=_LETTERS_ELSEWHERE)]
