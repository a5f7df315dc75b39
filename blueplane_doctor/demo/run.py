"""One whole demo: server, home, stand-in, healthy background and faults; all of it gone when it ends."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo.blueplane_server import stand_in_server
from blueplane_doctor.demo.faults import DEAD_PID, FAULTS, Fault, healthy
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import UsageError

DEFAULT_FAULTS = ("dead-letter-growth", "malformed-payloads", "poison-duplicate")


@dataclass(frozen=True)
class DemoPipeline:
    """A running demo; `home` stands for ~/.blueplane, `cursor_hooks` for ~/.cursor/hooks.json."""

    redis_url: str
    home: Path
    database: Path
    cursor_hooks: Path
    pipeline: Pipeline


@contextlib.contextmanager
def demo_pipeline(
    faults: Sequence[str] = DEFAULT_FAULTS, *, server_program: Path | None = None
) -> Iterator[DemoPipeline]:
    """Run a simulated pipeline with these faults; with none, a healthy one.

    Its files lie in the server's own folder: whatever ends the demo, be it kill -9, ends and removes all.
    """
    chosen = _find(faults)
    server_dead = any(fault.server_dead for fault in chosen)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(run_server(server_program, arguments=("--appendonly", "yes")))
        stand_in = None if server_dead else stack.enter_context(stand_in_server())
        home = server.directory / ".blueplane"
        pid = stand_in.pid if stand_in else DEAD_PID
        pipeline = stack.enter_context(Pipeline(server.url, home, pid=pid))
        if stand_in:
            pipeline.configure(http_port=stand_in.port)
        hooks = _install_cursor_hooks(server.directory)
        _play(pipeline, chosen)
        yield DemoPipeline(server.url, home, pipeline.database, hooks, pipeline)


def _find(faults: Sequence[str]) -> list[Fault]:
    """The faults of these names, those after which nothing may happen last."""
    for name in faults:
        if name not in FAULTS:
            raise UsageError(f"there is no fault {name!r}", f"one of: {', '.join(sorted(FAULTS))}")
    return sorted((FAULTS[name] for name in faults), key=lambda fault: fault.quiet)


def _play(pipeline: Pipeline, faults: Sequence[Fault]) -> None:
    """A healthy past, then the faults, then, unless one of them forbids it, a healthy present."""
    quiet = any(fault.quiet for fault in faults)
    healthy(pipeline, minutes=3, minutes_ago=6 * 60, session=not quiet)
    for fault in faults:
        fault.apply(pipeline)
    if not quiet:
        healthy(pipeline, minutes=4, session=False)


def _install_cursor_hooks(user_home: Path) -> Path:
    hooks = {hook: [{"command": f"python3 ~/.blueplane/hooks/{hook}.py"}] for hook in names.CURSOR_HOOKS}
    path = user_home / ".cursor" / "hooks.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"version": 1, "hooks": hooks}, indent=2))
    return path
