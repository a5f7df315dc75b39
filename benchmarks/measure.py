"""Timing whole processes in pairs: a machine's drift then falls on both."""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One finished process: seconds of wall time and of processor time, peak memory in MB."""

    wall: float
    cpu: float
    peak_mb: float
    output: str


_LAUNCHER = """
import os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stderr=subprocess.DEVNULL)
_, _, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - began
print(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
"""


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> Run:
    """Run once, with the operating system's own accounting.

    A small process stands between: what Linux calls a child's peak memory begins with that of who started it.
    """
    environment = dict(os.environ if environment is None else environment)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody compiles all modules anew at every start
    launcher = [sys.executable, "-S", "-E", "-c", _LAUNCHER, *command]
    done = subprocess.run(launcher, capture_output=True, env=environment, check=True)
    wall, cpu, peak = map(float, done.stderr.split()[-3:])
    return Run(wall, cpu, peak / 1000, done.stdout.decode("utf-8", "replace"))


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
