"""Figures of the history: size of seven days, time to read them, and what `record` costs."""

import contextlib
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import redis

from blueplane_doctor.demo.faults import demo_pipeline
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import Sample
from blueplane_doctor.judging.sampler import Sampler
from blueplane_doctor.settings.values import Settings, load

WEEK_MINUTES = 7 * 24 * 60
WEEK_SECONDS = 600.0
"""For all that is asked over one connection: on a busy machine a week is written in more than the usual 30."""
ROUNDS = 21
COMMAND = (sys.executable, "-m", "blueplane_doctor")
SMALLEST = ("completion", "bash")
"""The command that does least: it prints a text, and opens nothing."""


def week(first: Sample) -> Iterator[Sample]:
    """Seven days of a busy system that never rests: counters, ages, rates and depths change with every minute."""
    values = dict(first.values)
    chance = random.Random(7)
    for minute in range(WEEK_MINUTES):
        for name in values:
            values[name] = _next(name, values[name], chance)
        yield Sample(first.time - (WEEK_MINUTES - minute) * 60, dict(values))


def _next(name: str, before: float, chance: random.Random) -> float:
    if name.endswith(("entries_added", "entries_read", "tables.cursor_raw_traces", "tables.claude_raw_traces")):
        return before + chance.randrange(1_000)
    if name.endswith("last_delivered"):
        return before + 60_000 + chance.randrange(-900, 900)
    if name.startswith("status.") or name.endswith("chain_status"):
        return chance.choice((0, 1, 2, 3)) if chance.random() < 0.02 else before
    if name.endswith("_ms"):
        return float(chance.randrange(60_000))
    if name.endswith(("_sec", "_min", "_rate", "_mb", "to_loss")):
        return round(chance.uniform(0, 500), 3)
    if name.endswith(("max_length", "partial", "_ok", "_found", "pid_state", "persistence", "evict_queue", "active")):
        return before
    if name.endswith("uptime_seconds"):
        return before + 60
    if name.endswith(("depth", "waiting", "undelivered", "written", "examined", "last_hour", "stream_length")):
        return float(chance.randrange(10_000))
    return max(0.0, before + chance.choice((-1, 0, 0, 0, 0, 1)))


def size_of(client: "redis.Redis", prefix: str) -> int:
    """Bytes that the server says all keys of the history take."""
    return sum(client.memory_usage(key, samples=0) or 0 for key in client.scan_iter(prefix + "*", count=1_000))


def best(action: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float, float]:
    """Median and least milliseconds of the clock, and the median of the processor's."""
    took = []
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        cpu = time.process_time()
        action()
        took.append((time.perf_counter() - began) * 1000)
        spent.append((time.process_time() - cpu) * 1000)
    return statistics.median(took), min(took), statistics.median(spent)


def measure_store(title: str, server: RunningServer, sample: Sample, home: Path) -> None:
    storage = HealthMetricsStorage(server.url, WEEK_SECONDS)
    began = time.perf_counter()
    for minute in week(sample):
        storage.write(minute)
    writing = (time.perf_counter() - began) / WEEK_MINUTES * 1000
    with redis.Redis.from_url(server.url) as client:
        size = size_of(client, storage.prefix)
    print(f"\n{title}: {storage.backend}, {len(sample.values)} metrics, {WEEK_MINUTES} samples")
    print(f"  size of seven days          {size / 1e6:8.2f} MB   (limit 3)")
    print(f"  writing a sample            {writing:8.2f} ms")
    until = sample.time
    for words, metrics, step in (
        ("one metric, 5-minute steps", ["queue.queue_depth"], 300),
        ("one metric, every minute  ", ["queue.queue_depth"], 60),
        ("ten metrics, 5-minute steps", storage.metrics()[:10], 300),
    ):
        middle, least, cpu = best(lambda m=metrics, s=step: storage.read_many(m, until - 7 * 86_400, until, s))
        print(f"  7 days, {words:<28}{middle:6.1f} ms (least {least:.1f}, processor {cpu:.1f}; limit 50)")
    storage.close()
    measure_process(server.url, home)


def measure_process(url: str, home: Path) -> None:
    """Both commands in turn, so that a busy machine slows both."""
    reading = ["--history-url", url, "--home", str(home), "history", "queue.queue_depth", "--since", "7d"]
    commands = {"smallest": list(SMALLEST), "history": [*reading, "--step", "5m"]}
    took: dict[str, list[float]] = {name: [] for name in commands}
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, arguments in commands.items():
            began = time.perf_counter()
            cpu = _children()
            subprocess.run([*COMMAND, *arguments], stdout=subprocess.DEVNULL, check=True)
            took[name].append((time.perf_counter() - began) * 1000)
            spent[name].append((_children() - cpu) * 1000)
    print(f"  whole process               {statistics.median(took['history']):8.0f} ms, the smallest command")
    print(f"    {statistics.median(took['smallest']):.0f} ms: {_ratio(took, statistics.median):.2f} times", end="")
    print(
        f" (of the least {_ratio(took, min):.2f}, of processor time {_ratio(spent, statistics.median):.2f}; limit 1.3)"
    )


def _ratio(took: dict[str, list[float]], which: Callable[[list[float]], float]) -> float:
    return which(took["history"]) / which(took["smallest"])


def _children() -> float:
    """Processor seconds of all processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure_record(demo: Pipeline, settings: Settings) -> None:
    """What one minute of `record` costs, with a full stream of 10,000 messages."""
    demo.enqueue_cursor(10_000)
    demo.drain()
    sampler = Sampler(settings)
    sampler.take(time.time())
    urls = sorted({settings.redis_url, settings.history_url or settings.redis_url})
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(redis.Redis.from_url(url)) for url in urls]
        before_all = _commands(clients)
        Sampler(settings).examine(time.time())
        between = _commands(clients)
        cpu = time.process_time()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        sampler.take(time.time() + 60)
        spent = time.process_time() - cpu
        after = _commands(clients)
    sampler.release()
    reading = between - before_all
    print(f"\nrecord, one minute ({sampler.storage.backend}, 10,000 messages in the stream)")
    print(f"  processor time              {spent * 1000:8.0f} ms = {spent / 60 * 100:.2f} % of a core (limit 1)")
    print(f"  commands: examining {reading}, beside it {after - between - reading} (limit 20)")
    print(f"  memory                      {usage.ru_maxrss / 1000:8.0f} MB")


def _commands(clients: "list[redis.Redis]") -> int:
    """Commands that were sent so far; the insides of scripts and INFO, with which this asks, are left out."""
    left_out = ("cmdstat_get", "cmdstat_set", "cmdstat_pexpire", "cmdstat_del", "cmdstat_info")
    calls = 0
    for client in clients:
        for name, stats in client.info("commandstats").items():
            if name not in left_out:
                calls += stats["calls"]
    return calls


def main() -> None:
    """Print the figures."""
    stack = os.environ.get("BLUEPLANE_TEST_REDIS_STACK")
    with contextlib.ExitStack() as context:
        demo = context.enter_context(demo_pipeline([]))
        flags = {"home": demo.home, "redis_url": demo.redis_url, "cursor_hooks": demo.cursor_hooks}
        settings = load(flags).settings
        sample = Sampler(settings).examine(time.time())
        measure_store("Valkey", context.enter_context(run_server()), sample, demo.home)
        if stack:
            module = ("--loadmodule", str(Path(stack) / "redistimeseries.so"))
            with_series = context.enter_context(run_server(Path(stack) / "redis-server", arguments=module))
            measure_store("Redis 7.4 with TimeSeries", with_series, sample, demo.home)
        else:
            print("\nTimeSeries is not measured: BLUEPLANE_TEST_REDIS_STACK names no folder")
        measure_record(demo, settings)
        if stack:
            with redis.Redis.from_url(with_series.url) as client:
                client.flushall()
            measure_record(demo, load({**flags, "history_url": with_series.url}).settings)


if __name__ == "__main__":
    main()
