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
from typing import Any, NamedTuple

from wrapt import wrap_function_wrapper

from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.recording import Recorder
from blueplane_doctor.recording.wrapping import wrapper_for

CALLS = 20_000
ROUNDS = 40
MILLION = 1_000_000


class Cost(NamedTuple):
    """Microseconds of one call: of the calling thread's processor time, and of the clock."""

    processor: float
    clock: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.processor - other.processor, self.clock - other.clock)

    def __str__(self) -> str:
        return f"{self.processor:.2f} us of the processor ({self.clock:.2f} of the clock)"


def best(calls: Callable[[], object]) -> Cost:
    """What one of CALLS calls costs: the best of many rounds, for a disturbance only ever adds."""
    processor = []
    clock = []
    for _ in range(ROUNDS):
        spent = time.thread_time()
        began = time.perf_counter()
        calls()
        processor.append(time.thread_time() - spent)
        clock.append(time.perf_counter() - began)
    return Cost(min(processor) / CALLS * 1e6, min(clock) / CALLS * 1e6)


def cost(call: Callable[[], Any]) -> Cost:
    """What a call costs."""

    def calls() -> None:
        for _ in range(CALLS):
            call()

    return best(calls)


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


def async_cost(writer: Bare) -> Cost:
    """What an awaited call costs."""
    event = {"hook_type": "DatabaseTrace"}

    async def run() -> None:
        for _ in range(CALLS):
            await writer.queue(event)

    return best(lambda: asyncio.run(run()))


def time_events(recorder: Recorder) -> None:
    """The recorder's own methods; the empty call that the loop itself costs is taken off."""
    empty = cost(lambda: None)
    for name, call in {
        "write": lambda: recorder.write("t", 100, 0.0123, True),
        "write failed": lambda: recorder.write("t", 100, 0.0123, False),
        "hook": lambda: recorder.hook("cursor/stop", True),
        "monitor": lambda: recorder.monitor("m", 2, 1, True),
    }.items():
        print(f"recorder.{name + ':':14} {cost(call) - empty} an event (limit 3)")


def time_calls() -> None:
    """Wrapped calls, less the same calls bare."""
    rows = [1, 2, 3]
    event = {"hook_type": "stop"}
    bare = Bare()
    measured = Measured()
    for name, of in {
        "write": lambda w: lambda: w.write(rows),
        "enqueue": lambda w: lambda: w.enqueue(event, "cursor", "s"),
    }.items():
        print(f"wrapped {name + ':':15} {cost(of(measured)) - cost(of(bare))} more than the bare call (limit 5)")
    print(f"wrapped async queue:    {async_cost(measured) - async_cost(bare)} more than the bare call (limit 5)")


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
