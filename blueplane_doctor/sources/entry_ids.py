"""IDs of stream entries. No I/O."""

from blueplane_doctor.characters import Public

EntryId = tuple[int, int]
"""Milliseconds since 1970 and a sequence number; two of them compare as the server compares them."""
BEGINNING: EntryId = (0, 0)
"""Before every entry: where a group stands that was given nothing yet."""


def entry_id(raw: bytes) -> EntryId:
    """An ID from its text, as Redis writes it."""
    milliseconds, _, sequence = raw.partition(b"-")
    return int(milliseconds), int(sequence or 0)


def id_text(entry: EntryId) -> Public:
    """An ID as Redis writes it."""
    return Public(f"{entry[0]}-{entry[1]}")
