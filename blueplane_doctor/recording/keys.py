"""How a minute lies in Redis: hashes of integers, so that any number of processes can add to them.

`blueplane:health:recorded:<minutes since 1970>` holds the counts. Its fields are only ever added to (HINCRBY); those
marked `set` hold the newest value:

    w|ok|TABLE  w|failed|TABLE  w|rows|TABLE  w|us|TABLE (sum, microseconds)  w|failed_at|TABLE (set, milliseconds)
    h|ok|HOOK  h|failed|HOOK      HOOK is `platform/name`, or a name alone
    m|ok|MONITOR  m|failed|MONITOR  m|captured|MONITOR (0 is told too)  m|sessions|MONITOR (set)
    d  events dropped             p|PROCESS  the last delivery of that process (set)

`blueplane:health:recorded:<minutes since 1970>:TABLE` holds the durations of its writes: for each bin (`z` is zero) how
many. Its short fields take a third of the memory that they would take with the name in each.
"""

from blueplane_doctor.recording.minutes import Minute, Writes

PREFIX = "blueplane:health:"
EXPIRY_SECONDS = 7 * 86_400
ZERO_BIN = "z"
DROPPED = "d"
LARGEST = 2**62
"""A sum beyond this would make Redis refuse to add to it (64 bits, signed)."""


def key_of(prefix: str, minute: int) -> str:
    """The key of a minute, counted since 1970."""
    return f"{prefix}recorded:{minute}"


def sketch_key_of(prefix: str, minute: int, table: str) -> str:
    """The key of the durations of a table's writes in a minute."""
    return f"{key_of(prefix, minute)}:{table}"


def process_field(process: str) -> str:
    """The field that holds a process's last delivery."""
    return f"p|{process}"


def added_fields(minute: Minute) -> dict[str, int]:
    """Fields to be added to, without those of nothing."""
    fields = {DROPPED: minute.dropped}
    for name, writes in minute.writes.items():
        fields |= {f"w|ok|{name}": writes.ok, f"w|failed|{name}": writes.failed, f"w|rows|{name}": writes.rows}
        fields[f"w|us|{name}"] = round(min(writes.seconds * 1e6, LARGEST))
    for name, hooks in minute.hooks.items():
        fields |= {f"h|ok|{name}": hooks.ok, f"h|failed|{name}": hooks.failed}
    for name, monitors in minute.monitors.items():
        fields |= {f"m|ok|{name}": monitors.ok, f"m|failed|{name}": monitors.failed}
    captured = {f"m|captured|{name}": m.captured for name, m in minute.monitors.items() if m.captured is not None}
    return {field: min(count, LARGEST) for field, count in fields.items() if count} | captured


def sketch_fields(writes: Writes) -> dict[str, int]:
    """Bins to be added to."""
    return {ZERO_BIN if place is None else str(place): count for place, count in writes.bins.items()}


def set_fields(minute: Minute) -> dict[str, int]:
    """Fields whose newest value counts."""
    failed = {f"w|failed_at|{name}": writes.failed_at for name, writes in minute.writes.items() if writes.failed_at}
    sessions = {f"m|sessions|{name}": m.sessions for name, m in minute.monitors.items() if m.sessions is not None}
    return failed | sessions


def parts(field: str) -> tuple[str, str, str]:
    """A field's kind, what it counts, and the name: which may hold anything, also `|`."""
    kind, _, rest = field.partition("|")
    what, _, name = rest.partition("|")
    return kind, what, name
