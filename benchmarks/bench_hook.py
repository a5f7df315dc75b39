"""What the hook costs an editor, as whole processes, and how long a dry installation takes.

    python -m benchmarks.bench_hook

Prints the middle of many runs, taken in turn so that a busy machine slows all of them alike. A limit that is
missed is named, and the exit code is 1.
"""

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RUNS = 40
EVENT = b'{"conversation_id": "c", "workspace_roots": ["/w"], "hook_event_name": "stop", "prompt": "p"}'
START_UP_FACTOR = 5.0
HANGING_SECONDS = 1.2
DRY_RUN_SECONDS = 2.0


class _Accepting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def accepting() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Accepting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def hook(home: Path, server: str) -> list[str]:
    """The installed program, or, in a checkout, what it would run."""
    program = Path(sys.executable).with_name("blueplane-hook")
    start = [str(program)] if program.is_file() else [sys.executable, "-c", _ENTRY]
    return [*start, "stop", "--server", server, "--home", str(home)]


_ENTRY = "import sys; from blueplane_hook.__main__ import main; sys.exit(main())"


def seconds(command: list[str], given: bytes = b"") -> float:
    began = time.perf_counter()
    subprocess.run(command, input=given, capture_output=True, check=True)
    return time.perf_counter() - began


def compare(commands: dict[str, list[str]]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            times[name].append(seconds(command, EVENT))
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> int:
    missed = []
    with tempfile.TemporaryDirectory() as folder, accepting() as server:
        home = Path(folder)
        bare = [sys.executable, "-c", "pass"]
        away = "http://127.0.0.1:1"
        medians = compare(
            {"bare interpreter": bare, "server there": hook(home / "a", server), "server away": hook(home / "b", away)}
        )
        base = medians["bare interpreter"]
        for name, taken in medians.items():
            print(f"{name:<28}{taken * 1000:8.1f} ms   {taken / base:5.2f} x")
            if taken > START_UP_FACTOR * base:
                missed.append(f"{name}: more than {START_UP_FACTOR:g} x")
        with socket.create_server(("127.0.0.1", 0)) as silent:
            command = hook(home / "c", f"http://127.0.0.1:{silent.getsockname()[1]}")
            hanging = max(seconds(command, EVENT) for _ in range(5))
        print(f"{'server hanging, slowest of 5':<28}{hanging * 1000:8.1f} ms")
        if hanging > HANGING_SECONDS:
            missed.append(f"hanging: more than {HANGING_SECONDS:g} s")
        dry = dry_run(home)
        print(f"{'install --dry-run':<28}{dry * 1000:8.1f} ms")
        if dry > DRY_RUN_SECONDS:
            missed.append(f"install --dry-run: more than {DRY_RUN_SECONDS:g} s")
    print("\n".join(missed) or "all within their limits")
    return 1 if missed else 0


def dry_run(folder: Path) -> float:
    """In an empty home, with the programs that it needs, against a Redis that is not there."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("blueplane-hook", "blueplane-doctor"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    environment = os.environ | {"HOME": str(folder / "home"), "PATH": f"{programs}:{os.environ['PATH']}"}
    (folder / "home").mkdir()
    command = [sys.executable, "-m", "blueplane_doctor", "--redis-url", "redis://127.0.0.1:1/0", "install", "--dry-run"]
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, env=environment, capture_output=True, check=False)
        taken.append(time.perf_counter() - began)
    shutil.rmtree(folder / "home")
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
