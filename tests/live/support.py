"""What the tests against live pipelines share: words for what a report must say, and the command itself."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blueplane_doctor.demo.servers import StandIn
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.model import Report, Status
from blueplane_doctor.plugins.discovery import find_formats
from blueplane_doctor.reports.base import View
from tests.helpers import examined
from tests.preloaded import preloaded_doctor
from tests.waiting import PATIENCE_SECONDS

NOT_JUDGED = (Status.UNKNOWN, Status.SKIPPED)


@contextlib.contextmanager
def has_a_server(pipeline: Pipeline, server: StandIn) -> Iterator[None]:
    """Make the stand-in the pipeline's server, and let Redis save."""
    pipeline.pid = server.pid
    pipeline.configure(http_port=server.port)
    pipeline.write_pid_file()
    pipeline.log("INFO", "started")
    pipeline.client.config_set("save", "3600 1")
    try:
        yield
    finally:
        pipeline.client.config_set("save", "")


def live(pipeline: Pipeline, **flags: object) -> Report:
    """The report on a pipeline that has a server."""
    from yaml import safe_load

    endpoint = safe_load((pipeline.home / "config.yaml").read_text())["http_endpoint"]
    return examined(pipeline, http_url=f"http://{endpoint['host']}:{endpoint['port']}", **flags)


def states(report: Report) -> dict[str, int]:
    """The states of custody that hold a message, with their counts."""
    chain = report.metrics["chain"]
    assert chain is not None
    assert_adds_up(chain)
    return {state: count for state, count in chain["states"].items() if count}


def assert_adds_up(chain: dict[str, Any]) -> None:
    """Every message read is in exactly one state, and the routes hold the same messages as the states."""
    beside = ("trimmed_unread", "payload_gone")
    inside = {state: count for state, count in chain["states"].items() if state not in beside}
    assert sum(inside.values()) == chain["examined"]
    for state, count in inside.items():
        assert sum(route.get(state, 0) for route in chain["by_route"].values()) == count


def group(report: Report, name: str) -> dict[str, Any]:
    """The health of one consumer group."""
    queue = report.metrics["queue"]
    assert queue is not None
    return next(g for g in queue["groups"] if g["name"] == name)


def colours(report: Report) -> dict[str, str]:
    """Each check that is not green, and what it is instead."""
    return {f.id: f.status.value for f in report.findings if f.status is not Status.GREEN}


def ill(report: Report) -> dict[str, str]:
    """Each check that was judged and is not green."""
    return {f.id: f.status.value for f in report.findings if f.status.severity > 0}


def rendered(report: Report) -> dict[str, str]:
    """The report in every format, with everything shown."""
    return {name: form.render(report, View(verbose=True)) for name, form in find_formats().items()}


def doctor(pipeline: Pipeline, *arguments: str, timeout: float = PATIENCE_SECONDS) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would; the home and Redis of this pipeline unless the arguments say otherwise."""
    return command("--home", str(pipeline.home), "--redis-url", pipeline.redis_url, *arguments, timeout=timeout)


def command(*arguments: str, timeout: float = PATIENCE_SECONDS) -> subprocess.CompletedProcess[str]:
    """Run the command with these arguments alone."""
    return subprocess.run(
        [*preloaded_doctor(), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=Path.home(),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
