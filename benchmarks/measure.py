"""Timing whole processes in pairs: a machine's drift then falls on both."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One finished process: seconds of wall time and of processor time, peak memory in MB."""

    wall: float
    cpu: float
    peak_mb: float
    output: str


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> Run:
    """Run once, with the operating system's own accounting."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    assert process.stdout
    output = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    process.stdout.close()
    wall = time.perf_counter() - began
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, output.decode("utf-8", "replace"))


@dataclass(frozen=True)
class Paired:
    """Medians of two commands that took turns, and the median of the ratios pair by pair."""

    first: Run
    second: Run
    ratio: float
    cpu_ratio: float


def paired(first: Callable[[], Run], second: Callable[[], Run], pairs: int) -> Paired:
    """A B A B …, after one of each that does not count."""
    first(), second()
    both = [(first(), second()) for _ in range(pairs)]

    def middle(runs: list[Run]) -> Run:
        return sorted(runs, key=lambda r: r.wall)[len(runs) // 2]

    return Paired(
        middle([a for a, _ in both]),
        middle([b for _, b in both]),
        statistics.median(a.wall / b.wall for a, b in both),
        statistics.median(a.cpu / b.cpu for a, b in both),
    )


def figure(what: str, value: float, unit: str, limit: str = "") -> None:
    """One line of the result."""
    print(f"{what:<68} {value:>10.3f} {unit:<8} {limit}", flush=True)
