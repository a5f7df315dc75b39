"""What recording costs the measured process: time on the calling thread, and memory.

`python -m benchmarks.bench_recording` prints one figure a line. Timed on a private embedded server.
"""

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from wrapt import wrap_function_wrapper

from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.recording import Recorder
from blueplane_doctor.recording.wrapping import wrapper_for

CALLS = 20_000
ROUNDS = 40
MILLION = 1_000_000


def best(call: Callable[[], Any]) -> float:
    """Microseconds of the calling thread for one call: the best of many rounds, for a disturbance only ever adds."""
    fastest = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time()
        for _ in range(CALLS):
            call()
        fastest = min(fastest, time.thread_time() - began)
    return fastest / CALLS * 1e6


class Bare:
    """Stands for a server's writer; its methods do nothing, so that only the measuring is seen."""

    def write(self, rows: list[int]) -> int:
        return len(rows)

    def enqueue(self, event: dict[str, str], platform: str, session_id: str) -> bool:
        return True

    async def queue(self, event: dict[str, str]) -> None:
        return None


class Measured(Bare):
    """The same, wrapped."""

    def write(self, rows: list[int]) -> int:
        return len(rows)

    def enqueue(self, event: dict[str, str], platform: str, session_id: str) -> bool:
        return True

    async def queue(self, event: dict[str, str]) -> None:
        return None


def spec(records: str, argument: str, fails: str) -> Any:
    """A target as the wrapping wants it."""
    return SimpleNamespace(
        records=records,
        name="" if records == "hook" else "table",
        argument=argument,
        fails=fails,
        good=[],
        sessions="",
        captures=True,
    )


def wrap(recorder: Recorder) -> None:
    """Measure the methods of Measured."""
    specs = {
        "write": spec("write", "rows", "returns-zero"),
        "enqueue": spec("hook", "event", "returns-false"),
        "queue": spec("monitor", "", "falls-back"),
    }
    for name, target in specs.items():
        wrap_function_wrapper(Measured, name, wrapper_for(target, getattr(Measured, name), recorder))


def async_cost(writer: Bare) -> float:
    """Microseconds of one awaited call."""
    event = {"hook_type": "DatabaseTrace"}

    async def run() -> None:
        for _ in range(CALLS):
            await writer.queue(event)

    fastest = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time()
        asyncio.run(run())
        fastest = min(fastest, time.thread_time() - began)
    return fastest / CALLS * 1e6


def time_events(recorder: Recorder) -> None:
    """The recorder's own methods; the empty call that the loop itself costs is taken off."""
    empty = best(lambda: None)
    print(f"recorder.write:        {best(lambda: recorder.write('t', 100, 0.0123, True)) - empty:.2f} us an event")
    print(f"recorder.write failed: {best(lambda: recorder.write('t', 100, 0.0123, False)) - empty:.2f} us an event")
    print(f"recorder.hook:         {best(lambda: recorder.hook('cursor/stop', True)) - empty:.2f} us an event")
    print(f"recorder.monitor:      {best(lambda: recorder.monitor('m', 2, 1, True)) - empty:.2f} us an event")


def time_calls() -> None:
    """Wrapped calls, less the same calls bare."""
    rows, event = [1, 2, 3], {"hook_type": "stop"}
    bare, measured = Bare(), Measured()
    for name, of in {
        "write": lambda w: lambda: w.write(rows),
        "enqueue": lambda w: lambda: w.enqueue(event, "cursor", "s"),
    }.items():
        print(f"wrapped {name + ':':14} {best(of(measured)) - best(of(bare)):.2f} us more than the bare call")
    print(f"wrapped async queue:   {async_cost(measured) - async_cost(bare):.2f} us more than the bare call")


def memory(url: str) -> None:
    """A process of its own that records a million writes: resident memory after the first 10 000 and at the end."""
    out = subprocess.run([sys.executable, "-m", __spec__.name, "--memory", url], capture_output=True, check=True)
    print(out.stdout.decode(), end="")


def record_a_million(url: str) -> None:
    """Durations from 0.1 ms to 100 s, so that the sketches are as large as they get in life."""
    recorder = Recorder(url)
    begun = 0
    for number in range(MILLION):
        if number == MILLION // 100:
            begun = resident()
        recorder.write(f"table-{number % 4}", 100, 1e-4 * 1_000_000 ** (number % 9973 / 9973), number % 100 > 0)
    ended = resident()
    recorder.close()
    print(f"memory after {MILLION // 100:,} writes {begun / 1024:.1f} MB, after {MILLION:,} {ended / 1024:.1f} MB")
    print(f"dropped of {MILLION:,} writes: {recorder.dropped}")


def resident() -> int:
    """Highest resident memory so far, KB (Linux; macOS counts bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Print every figure."""
    if sys.argv[1:2] == ["--memory"]:
        record_a_million(sys.argv[2])
        return
    with run_server() as server:
        recorder = Recorder(server.url)
        wrap(recorder)
        time_events(recorder)
        time_calls()
        recorder.close()
        memory(server.url)


if __name__ == "__main__":
    main()
