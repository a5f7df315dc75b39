"""Whether a Redis server runs on this host, and what its configuration file says."""

from collections.abc import Mapping
from pathlib import Path

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.files.reading import SMALL_BYTES, read_head
from blueplane_doctor.sources.redis_info import integer

_LONGEST_FILE = 1_000_000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def runs_here(info: Mapping[str, str]) -> bool:
    """Whether the server's process is one of this host: in a container its files would be others of the same names."""
    pid = integer(info.get("process_id"))
    program = Path(info.get("executable", "")).name
    if pid is None or not program:
        return False
    try:
        words = read_head(Path(f"/proc/{pid}/cmdline"), SMALL_BYTES).split(b"\0")
    except FileUnreadable:
        return False
    port = info.get("tcp_port", "").encode()
    # A server shows its program and its port: `redis-server 127.0.0.1:6379`.
    title = b" ".join(words)
    return program.encode() in title and port in title


def serves_this_host_alone(info: Mapping[str, str], config: Mapping[str, str]) -> bool:
    """Whether the server is one of this host, and takes connections of this host alone; False where nothing tells.

    `config`: what CONFIG GET says of it.
    """
    addresses = config.get("bind", "").split()
    if not addresses or not runs_here(info):
        return False
    # A hyphen in front: it does not matter whether this host has that address.
    return all(address.removeprefix("-") in _LOOPBACK for address in addresses)


def append_only_in_file(info: Mapping[str, str]) -> bool | None:
    """Whether the configuration file switches the append-only file on; None where that cannot be told."""
    name = info.get("config_file", "")
    if not name or not runs_here(info):
        return None
    try:
        text = read_head(Path(name), _LONGEST_FILE).decode("utf-8", "replace")
    except FileUnreadable:
        return None
    value = None
    for line in text.splitlines():
        words = line.lower().split()
        if len(words) < 2:
            continue
        if words[0] == "include":
            return None  # another file may say it
        if words[0] == "appendonly":
            value = words[1].strip("\"'") == "yes"  # the last line counts
    return bool(value)
