"""The options that say which dead letters are meant: declared once, and given to a command as one filter."""

import inspect

from blueplane_doctor.commands.letter_options import choosing_letters
from blueplane_doctor.lookup.dead_letters import DeadLetterFilter

OPTIONS = ["newer", "older", "group", "error", "event_type", "platform"]


def test_a_command_takes_the_options_and_gets_the_filter() -> None:
    taken = []

    @choosing_letters
    def command(given: str, page: int = 1, *, chosen: DeadLetterFilter) -> int:
        taken.append((given, page, chosen))
        return 0

    assert list(inspect.signature(command).parameters) == ["given", "page", *OPTIONS]
    values = dict.fromkeys(OPTIONS[2:], "")
    assert command("x", page=2, newer="2d", older=None, **{**values, "error": "LOCKED"}) == 0
    assert taken == [("x", 2, DeadLetterFilter(newer_than_ms=172_800_000, error="LOCKED"))]
