"""Which consumers of a writer group are gone, by their silence and by the processes after which they are named."""

from pathlib import Path

from blueplane_doctor.custody.pending_entries import PendingEntriesReader, process_of
from blueplane_doctor.sources.server_process import RUNNING, process_state, read_pid


def gone_consumers(reader: PendingEntriesReader, home: Path) -> set[bytes]:
    """The names of those that hold messages and whom nobody reads with any more. `home`: the examined one."""
    server_pid = read_pid(home / "server.pid").pid
    silent = reader.gone_consumers(lambda pid: _is_dead_process(pid, server_pid))
    return {name for name in silent if not _is_living_server(name)}


def _is_living_server(consumer: bytes) -> bool:
    """Whether the process that it is named after is a server that runs.

    Before Redis 7.2 one that polls and is given nothing, because a second server is given all, looks silent.
    """
    return process_state(process_of(consumer)) == RUNNING


def _is_dead_process(pid: int, server_pid: int | None) -> bool:
    """Whether a process is certainly not the server: the server lives, is another one, and this one is none."""
    # The pid file of a server in a container names a process of another machine: then nothing is certain.
    if server_pid is None or server_pid == pid or process_state(server_pid) != RUNNING:
        return False
    return process_state(pid) != RUNNING
