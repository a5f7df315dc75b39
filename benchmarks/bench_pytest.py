"""`pytest --blueplane` beside the plain command line and pytest's own start-up, on a healthy pipeline."""

import os
import re
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Run, figure, run
from benchmarks.scene import make_database, make_stream
from blueplane_doctor.demo.servers import run_server

MESSAGES = 10_000
ROUNDS = 9
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "blueplane"]


def main() -> None:
    """Print the figures; the three commands take turns, so that a machine's drift falls on all of them."""
    with tempfile.TemporaryDirectory() as folder, run_server() as server:
        home = Path(folder, "home")
        project = Path(folder, "project")
        home.mkdir()
        project.mkdir()
        (project / "test_nothing.py").write_text("def test_nothing(): pass\n")
        make_stream(server.url, MESSAGES)
        make_database(home / "telemetry.db", MESSAGES, MESSAGES)
        # What else is installed here would make pytest's own start-up, and with it the limit, larger.
        environment = {**os.environ, "HOME": folder, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        os.chdir(project)
        where = ["home", str(home)], ["redis-url", server.url]

        def suite() -> Run:
            done = run([*PYTEST, "--blueplane", *(f"--blueplane-{n}={v}" for n, v in where)], environment)
            skipped = re.search(r"(\d+) skipped", done.output)
            assert " passed" in done.output and skipped and int(skipped[1]) < 9, done.output
            return done

        def plain() -> Run:
            options = []
            for name, value in where:
                options += [f"--{name}", value]
            done = run([sys.executable, "-m", "blueplane_doctor", *options], environment)
            assert "10,000 messages" in done.output, done.output
            return done

        def start_up() -> Run:
            return run(PYTEST, environment)

        _print([(suite(), plain(), start_up()) for _ in range(ROUNDS + 1)][1:])


def _print(rounds: list[tuple[Run, Run, Run]]) -> None:
    names = ("pytest --blueplane", "blueplane-doctor", "pytest with one empty test")
    for name, runs in zip(names, zip(*rounds, strict=True), strict=True):
        figure(f"{name} (median)", statistics.median(r.wall for r in runs) * 1000, "ms")
    wall = statistics.median(a.wall / (b.wall + c.wall) for a, b, c in rounds)
    cpu = statistics.median(a.cpu / (b.cpu + c.cpu) for a, b, c in rounds)
    figure("pytest --blueplane / (blueplane-doctor + pytest's start-up), wall", wall, "x", "at most 1.5")
    figure("the same, processor", cpu, "x")


if __name__ == "__main__":
    main()
