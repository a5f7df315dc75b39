"""A full run beside its floor: 10 000 messages, a database of 1 000 000 and of 10 000 rows; start-up; a dead Redis."""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Run, figure, paired, run
from benchmarks.scene import make
from blueplane_doctor.demo.servers import run_server

MESSAGES = 10_000
LARGE = 1_000_000
SMALL = 10_000
PAIRS = 7
PAGE = 500


def main() -> None:
    """Print the figures of the full run."""
    with tempfile.TemporaryDirectory() as folder, run_server() as server:
        environment = {**os.environ, "HOME": folder}
        homes = {}
        for rows in (LARGE, SMALL):
            home = Path(folder, f"home-{rows}")
            home.mkdir()
            make(server.url, home / "telemetry.db", MESSAGES, rows)
            homes[rows] = home

        def doctor(rows: int) -> Run:
            command = [sys.executable, "-m", "blueplane_doctor", "--home", str(homes[rows]), "--redis-url", server.url]
            done = run([*command, "--format", "table"], environment)
            assert "10,000 messages" in done.output, done.output
            return done

        def floor() -> Run:
            script = str(Path(__file__).with_name("floor.py"))
            return run([sys.executable, script, server.url, str(homes[LARGE] / "telemetry.db"), str(PAGE)], environment)

        full = paired(lambda: doctor(LARGE), floor, PAIRS)
        figure("full run, 10 000 messages, 1 000 000 rows", full.first.wall * 1000, "ms")
        figure("the same reads by a bare script", full.second.wall * 1000, "ms")
        figure("full run / floor (wall)", full.ratio, "x", "at most 1.3")
        figure("full run / floor (processor)", full.cpu_ratio, "x")
        growth = paired(lambda: doctor(LARGE), lambda: doctor(SMALL), PAIRS)
        figure("1 000 000 rows / 10 000 rows", growth.ratio, "x", "at most 1.2")
        figure("peak memory of the full run", full.first.peak_mb, "MB")

    def refused() -> Run:
        return run([sys.executable, "-m", "blueplane_doctor", "--redis-url", "redis://127.0.0.1:1", "-q"])

    def bare() -> Run:
        return run([sys.executable, "-c", "pass"])

    dead = paired(refused, bare, PAIRS)
    figure("a refused Redis is reported in", dead.first.wall * 1000, "ms", "under 1000")
    for option in ("--version", "--help"):
        start = paired(lambda o=option: run([sys.executable, "-m", "blueplane_doctor", o]), bare, PAIRS)  # type: ignore[misc]
        figure(f"{option}", start.first.wall * 1000, "ms")


if __name__ == "__main__":
    main()
