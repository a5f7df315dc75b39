"""What INFO says, read once: its fields as text, of which those that hold a number are known to hold one."""

import re
from collections.abc import Iterator, Mapping

from blueplane_doctor.connection.base import ProtocolError

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_LARGEST = 2**63 - 1
"""The server counts in 64 bits."""
_VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,9}){0,4}[A-Za-z0-9.+_-]{0,40}")
_WORD = re.compile(r"[a-z-]{1,40}")
_MOST_FIELDS = 20_000
"""Redis with all its modules has some hundred, and two for each of its databases and clients' libraries."""
_COUNTS = frozenset(
    {
        "instantaneous_ops_per_sec",
        "loading_start_time",
        "maxmemory",
        "mem_not_counted_for_evict",
        "min_slaves_good_slaves",
        "rdb_changes_since_last_save",
        "rdb_saves",
        "server_time_usec",
        "tcp_port",
        "total_commands_processed",
        "uptime_in_seconds",
        "used_memory",
    }
)
"""Fields that hold a number, never below zero."""
_NUMBERS = frozenset(
    {
        "loading_eta_seconds",
        "master_link_down_since_seconds",
        "paused_timeout_milliseconds",
        "process_id",
        "rdb_last_save_time",
    }
)
"""Fields that hold a number, of which some are -1 where it is not known."""
_SWITCHES = frozenset({"aof_enabled", "loading", "slave_read_only"})
"""Fields that hold 0 or 1."""
_VERSIONS = frozenset({"redis_version", "valkey_version"})
_WORDS = frozenset({"aof_last_write_status", "maxmemory_policy", "rdb_last_bgsave_status", "role"})
_READ = _COUNTS | _NUMBERS | _SWITCHES | _VERSIONS | _WORDS


def parse_info(reply: bytes) -> dict[str, str]:
    """The fields of an INFO reply that have a value. Raises ProtocolError for a value that Redis does not give."""
    fields: dict[str, str] = {}
    for name, value in _lines(reply):
        if name in _READ and fields.get(name, value) != value:
            raise ProtocolError(f"INFO gives two values for {name}")
        if not _has_its_form(name, value):
            raise ProtocolError(f"INFO gives a value for {name} that Redis does not give")
        fields[name] = value
    return fields


def _lines(reply: bytes) -> Iterator[tuple[str, str]]:
    lines = reply.decode("utf-8", "replace").split("\n")
    if len(lines) > _MOST_FIELDS:
        raise ProtocolError("INFO has more lines than Redis gives it")
    for line in lines:
        name, _, value = line.rstrip("\r").partition(":")
        if value:
            yield name, value


def _has_its_form(name: str, value: str) -> bool:
    if name in _COUNTS:
        number = integer(value)
        return number is not None and number >= 0
    if name in _NUMBERS:
        return integer(value) is not None
    if name in _SWITCHES:
        return value in ("0", "1")
    if name in _VERSIONS:
        return _VERSION.fullmatch(value) is not None
    if name in _WORDS:
        return _WORD.fullmatch(value) is not None
    return True


def dataset_bytes(fields: Mapping[str, str]) -> int | None:
    """Bytes that all keys together take; None where it is not told. Without a key it may be below zero."""
    size = integer(fields.get("used_memory_dataset"))
    if size is None or size < 0:
        return None
    return size


def databases(fields: Mapping[str, str]) -> dict[int, str]:
    """What is told of each database that holds keys, by its number: `keys=3,expires=1,avg_ttl=0` for `db0`."""
    found = {}
    for name, value in fields.items():
        if not name.startswith("db"):
            continue
        number = integer(name.removeprefix("db"))
        if number is not None and number >= 0:
            found[number] = value
    return found


def integer(text: str | None) -> int | None:
    """The number that a field of INFO or CONFIG holds; None where it holds none that 64 bits can."""
    if not text or not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    if not -_LARGEST <= number <= _LARGEST:
        return None
    return number
