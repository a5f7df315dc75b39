"""What is remembered between samples and restarts: a private file in Blueplane's home, and who may write it."""

import contextlib
import os
import sys
from pathlib import Path
from secrets import token_hex
from typing import IO, Annotated, Any

from msgspec import Meta, field

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.model import Status
from blueplane_doctor.notifying.incidents import Watch
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.news import TargetState
from blueplane_doctor.notifying.state_file import STATE_FILE, state_bytes
from blueplane_doctor.process.light_imports import tempfile
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import InvalidRecord
from blueplane_hook.files import opened

if sys.platform != "win32":
    import fcntl

LOCK_FILE = "doctor-notify.lock"
_SMALLEST_NUMBER = -62_000_000_000
_LARGEST_NUMBER = 250_000_000_000
"""Seconds since 1970: the years 5 and 9892. A datetime begins shortly before, and ends soon after."""
MOST_ATTEMPTS = 100
"""Attempts that are remembered, the last ones."""


class Attempt(Record):
    """One message to one target: delivered, or not."""

    at: float
    """Seconds since 1970."""
    target: str
    """The kind of the target and its number in the settings: `ntfy 1`."""
    kinds: tuple[Kind, ...]
    status: Status
    causes: tuple[str, ...]
    """Ids of causes and checks."""
    title: str
    reason: str = ""
    """Why it was not delivered; empty: it was."""

    @property
    def is_delivered(self) -> bool:
        """Whether the target took it."""
        return not self.reason


class State(Record):
    """All of it."""

    version: int = 1
    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")] = field(default_factory=lambda: token_hex(16))
    """With which addresses of targets are hashed: the file holds none of them."""
    watch: Watch = Watch()
    targets: dict[str, TargetState] = {}
    """By the hash of a target's address."""
    attempts: tuple[Attempt, ...] = ()
    """The last ones, in the order in which they ended."""


def read_state(home: Path) -> State | None:
    """The state that lies in this home; None where nobody was ever to be told.

    Raises FileUnreadable, also for a file that holds something else.
    """
    content = state_bytes(home)
    if content is None:
        return None
    return parsed_state(content)


def parsed_state(content: bytes) -> State:
    """The state that the file's content is. Raises FileUnreadable for anything else."""
    try:
        state = State.model_validate_json(content)
    except InvalidRecord:
        state = None
    if state is None or not _has_usable_numbers(state.model_dump()):
        raise FileUnreadable(f"{STATE_FILE}: is no state of notifications", reason="it holds something else")
    return state


def _has_usable_numbers(value: Any) -> bool:
    """Whether every number can be a time or a count: others cannot be shown, and would stop every later message."""
    if isinstance(value, dict):
        return all(_has_usable_numbers(member) for member in value.values())
    if isinstance(value, list | tuple):
        return all(_has_usable_numbers(member) for member in value)
    if isinstance(value, int | float):
        return _SMALLEST_NUMBER <= value <= _LARGEST_NUMBER  # not so for a NaN
    return True


def write_state(home: Path, state: State) -> None:
    """Replace the file whole. Raises OSError."""
    handle, draft = tempfile.mkstemp(prefix=f".{STATE_FILE}.", dir=home)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(state.model_dump_json().encode())
        os.replace(draft, home / STATE_FILE)
    finally:
        Path(draft).unlink(missing_ok=True)


class Turn:
    """One process at a time tells people, of `record`, `serve` and whatever else was started beside them."""

    def __init__(self, home: Path) -> None:
        self._path = home / LOCK_FILE
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Whether it is this process' turn; it stays so until `give_back`, or until the process ends."""
        if self._file is not None:
            return True
        if sys.platform == "win32":
            return True  # on Windows there is no such lock, and nothing is installed twice there
        try:
            # Open as long as the turn lasts. To open a pipe in its place would wait for a reader for ever.
            file = open(opened(str(self._path), os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab")  # noqa: SIM115
        except OSError:
            return True  # a home that cannot be written to: nobody else can lock there either
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def give_back(self) -> None:
        """Let others."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
