"""Messages that a repair delivered again: the copy stands for its original, which nobody holds any more. No I/O.

A repair adds the copy and acknowledges the original in one step. Until the copy is written the original looks lost: it
is neither pending nor written. It is a duplicate, whatever becomes of the copy.
"""

from collections.abc import Iterator

from blueplane_doctor.custody.judge import JudgedPage
from blueplane_doctor.custody.ledger import Tally
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.states import LOST
from blueplane_doctor.sources.entry_ids import id_text

MARK = b"blueplane_doctor_repaired_from"
"""The field that a copy has beside those of its message: where the message comes from, the first origin first."""
MOST_LOST = 50_000
"""Lost messages that are remembered, which bounds memory."""


def origins_in(mark: bytes) -> list[str]:
    """Where a copy comes from, by the value of its mark."""
    return mark.decode("utf-8", "replace").split()


def original_of(message: Message) -> str:
    """The ID of the message that this one is a copy of; empty where it is none."""
    origins = origins_in(message.fields.get(MARK, b""))
    return origins[-1] if origins else ""


class CopiedMessages:
    """Finds the lost messages that have a copy further on in the stream."""

    def __init__(self) -> None:
        self._lost: dict[str, Tally] = {}
        """How each was counted, by its ID."""

    def take(self, page: JudgedPage, tallies: list[Tally]) -> Iterator[tuple[str, Tally]]:
        """The lost messages of which this page holds the copies, each with how it was counted."""
        if LOST in page.states:
            self._remember(page, tallies)
        if not self._lost:
            return
        for message in page.messages:
            original = original_of(message)
            tally = self._lost.pop(original, None)
            if tally is not None:
                yield original, tally

    def _remember(self, page: JudgedPage, tallies: list[Tally]) -> None:
        for message, state, tally in zip(page.messages, page.states, tallies, strict=True):
            if state == LOST and len(self._lost) < MOST_LOST:
                self._lost[id_text(message.id)] = tally
