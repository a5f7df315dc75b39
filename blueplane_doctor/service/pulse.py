"""The pulse: what changes in Redis and the database whenever the ledger could come out differently, read cheaply."""

from dataclasses import dataclass
from pathlib import Path

from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.settings import Settings


@dataclass(frozen=True)
class Pulse:
    """Equal pulses: no message was added, delivered, acknowledged, given up, trimmed or written in between."""

    stream: tuple[object, ...]
    dead_letters: tuple[object, ...]
    files: tuple[tuple[int, int], ...]


def feel(settings: Settings) -> Pulse | None:
    """The pulse now, in three round trips; None where Redis cannot be read."""
    examination = Examination(settings)
    try:
        state = examination.stream()
        lengths = examination.redis.ask(*[("XLEN", name) for name in state.dead_letters])
    except SourceError:
        return None
    finally:
        examination.close()
    groups = tuple(
        (g.name, g.last_delivered, g.pending, tuple((c.name, c.pending) for c in g.consumers)) for g in state.groups
    )
    return Pulse(
        stream=(state.queue, state.length, state.first, state.last_generated, state.entries_added, groups),
        dead_letters=tuple(str(length) for length in lengths),
        files=_files(settings),
    )


def _files(settings: Settings) -> tuple[tuple[int, int], ...]:
    database = settings.database_file
    return tuple(_look(path) for path in (database, database.with_name(database.name + "-wal"), settings.cursor_hooks))


def _look(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:
        return (-1, -1)
    return (state.st_size, state.st_mtime_ns)
