"""A fingerprint of the pipeline: it changes with every step of a message, and is cheap to read."""

from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.database_files import write_ahead_log
from blueplane_doctor.sources.streams import StreamState

Fingerprint = tuple[object, ...]
"""Equal ones: no message was added, delivered, acknowledged, given up, trimmed or written in between."""


def read_fingerprint(settings: Settings) -> Fingerprint | None:
    """The fingerprint now, in three round trips; None where Redis cannot be read."""
    examination = Examination(settings)
    try:
        state = examination.stream()
        commands = []
        for name in state.dead_letters:
            commands.append(("XLEN", name))
        lengths = examination.redis.ask(*commands)
    except SourceError:
        return None
    finally:
        examination.close()
    dead_letters = tuple(str(length) for length in lengths)
    return (*_of_stream(state), dead_letters, *_of_files(settings))


def _of_stream(state: StreamState) -> Fingerprint:
    parts: list[object] = [state.queue, state.length, state.first, state.last_generated, state.entries_added]
    for group in state.groups:
        held = []
        for consumer in group.consumers:
            held.append((consumer.name, consumer.pending))
        consumers = tuple(held)
        parts.append((group.name, group.last_delivered, group.pending, consumers))
    return tuple(parts)


def _of_files(settings: Settings) -> Fingerprint:
    # A row shows in the log before it shows in the database, and a checkpoint changes both.
    database = settings.database_file
    log = write_ahead_log(database)
    parts: list[object] = []
    for path in (database, log, settings.cursor_hooks):
        try:
            state = path.stat()
        except OSError:
            parts.append(None)
        else:
            parts.append((state.st_size, state.st_mtime_ns))
    return tuple(parts)
