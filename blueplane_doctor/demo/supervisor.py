"""The parent of a demo server: ends it and removes its folder as soon as whoever started the demo is gone.

It is run as a file, in a process of its own, with a pipe as standard input. However the other end of
that pipe goes away, be it closed or its process killed, end-of-file arrives here, on every platform.

Usage: supervisor.py FOLDER PROGRAM [ARGUMENT …]; prints the server's process id.
"""

import shutil
import signal
import subprocess
import sys
from subprocess import DEVNULL
from threading import Thread

_TERMINATION_SECONDS = 5.0
"""What the server gets to end by itself, before it is killed."""


def main(folder: str, command: list[str]) -> None:
    """Start the command inside the folder, and stay until standard input ends."""
    try:
        server = subprocess.Popen(command, cwd=folder, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        # Reaps a server that ends by itself, so that its process id vanishes for whoever watches it.
        Thread(target=server.wait, daemon=True).start()
        sys.stdout.write(f"{server.pid}\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()
        server.terminate()
        server.send_signal(signal.SIGCONT)  # a process that a test has stopped does not see SIGTERM before it goes on
        try:
            server.wait(_TERMINATION_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
