"""The file of what is remembered of messages to people. Where there is none, a start loads no more than this."""

from pathlib import Path

from blueplane_doctor.errors import FileMissing
from blueplane_doctor.files.reading import read_bytes

STATE_FILE = "doctor-notify.json"
_MOST_BYTES = 4_000_000
"""Of the state; a thousandth of it is usual."""


def state_bytes(home: Path) -> bytes | None:
    """What the file of this home holds; None where nobody was ever to be told. Raises FileUnreadable."""
    try:
        return read_bytes(home / STATE_FILE, _MOST_BYTES)
    except FileMissing:
        return None
