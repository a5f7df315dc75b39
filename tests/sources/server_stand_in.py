"""A real process that looks like the pipeline's server, and uses what a test says."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_SCRIPT = """
import socket, sys

def connected(end):
    if end.isdigit():
        return socket.create_connection(("127.0.0.1", int(end)))
    by_file = socket.socket(socket.AF_UNIX)
    by_file.connect(end)
    return by_file

separator = sys.argv.index("--")
connections = [connected(end) for end in sys.argv[1:separator]]
files = [open(name, "ab") for name in sys.argv[separator + 1:]]
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
sys.stdin.buffer.read()
"""


class StandIn:
    """A running process: its pid, and a port of the loopback interface on which it listens and never answers."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port


@contextmanager
def server_stand_in(
    checkout: Path, *, ports: Sequence[int | Path] = (), files: Sequence[Path] = ()
) -> Iterator[StandIn]:
    """It runs as `scripts/start_server.py` of the checkout, connected to these ports, with these files open.

    A path among the ports is that of a unix socket.
    """
    script = checkout / "scripts" / "start_server.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_SCRIPT)
    words = [*map(str, ports), "--", *map(str, files)]
    command = [sys.executable, "-I", "-S", "scripts/start_server.py", *words]
    with subprocess.Popen(command, cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield StandIn(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()
