"""Where a fault happens: a pipeline with some work done, and how a command is started on it."""

import contextlib
import functools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.judging.evidence import to_json
from blueplane_doctor.plugins.discovery import find_monitors
from blueplane_doctor.settings.values import load
from tests.hook.way_in import WayIn, stream_fields, way_in
from tests.truth.situation import Situation

SERVER = "valkey-9.1"
OTHER_SERVER = "redis-7.0"
"""Its replies and errors differ in places; the faults of Redis are tried on it as well."""
TIMEOUT_SECONDS = 3.0
"""The `--timeout` of every run."""
QUEUE_SHARE = {"cursor": 12, "claude": 4, "unwritten": 1}
"""A little of each kind of message: the faults are what matters here, not the amount."""


@dataclass
class Stage:
    """One pipeline and the surroundings of one run. A fault changes what it has to."""

    situation: Situation
    scratch: Path
    """Working folder and TMPDIR of the run: nothing may be left in it."""
    socket: Path
    """The unix socket of the pipeline's Redis."""
    receiver: WayIn
    """What takes the events of probe and hook."""
    redis_url: str
    message: str = "1-1"
    """The ID of a message to trace."""
    variables: dict[str, str] = field(default_factory=dict)
    """Environment of the run, beside the usual."""
    without: list[str] = field(default_factory=list)
    """Variables that the run does not have."""
    launcher: list[str] = field(default_factory=list)
    """What is started in place of the command, with the command as its arguments."""
    stdout: int | None = None
    """A descriptor in the place of the pipe that is read."""
    meanwhile: Callable[[int], None] | None = None
    """What happens once the process is there; it is given its id."""
    inputs: dict[str, Path] = field(default_factory=dict)
    """Files that `convert` and `--from-evidence` read, where a fault put others in their place."""

    @property
    def home(self) -> Path:
        return self.situation.home

    def environment(self) -> dict[str, str]:
        """All variables of the run."""
        usual = {
            "TMPDIR": str(self.scratch),
            "BLUEPLANE_DOCTOR_TIMEOUT": f"{TIMEOUT_SECONDS:g}",
            "BLUEPLANE_DOCTOR_HTTP_URL": self.receiver.url,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "NO_PROXY": "*",
        }
        variables = self.situation.environment(**{**usual, **self.variables})
        for name in self.without:
            variables.pop(name, None)
        return variables

    def input(self, name: str) -> Path:
        """A kept report (`report`) or kept evidence (`evidence`) of a healthy pipeline."""
        if name not in self.inputs:
            file = self.situation.folder / f"{name}.json"
            file.write_text(kept()[name], encoding="utf-8")
            self.inputs[name] = file
        return self.inputs[name]


@functools.cache
def kept() -> dict[str, str]:
    """Report and evidence of a healthy pipeline, examined once for all runs of this process."""
    with tempfile.TemporaryDirectory(prefix="bp") as folder, Situation(SERVER, Path(folder)) as situation:
        situation.healthy_work(**QUEUE_SHARE)
        settings = load({"home": situation.home, "redis_url": situation.redis.url}).settings
        doctor = Doctor(settings)
        evidence = doctor.collect(names=find_monitors())
        return {"evidence": to_json(evidence), "report": situation.doctor().stdout}


@contextlib.contextmanager
def stage(
    prepare: Callable[[Situation], object] | None = None, server: str = SERVER, **options: str
) -> Iterator[Stage]:
    """A pipeline on a Redis of its own. `prepare` fills it; without it some healthy work and two dead letters do."""
    # Not pytest's folder: the path of a unix socket may have about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="bp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        socket = folder / "redis.sock"
        scratch = folder / "scratch"
        scratch.mkdir()
        with Situation(server, folder, unixsocket=str(socket), enable_debug_command="yes", **options) as situation:
            (prepare or _healthy)(situation)
            with way_in(_sink(situation)) as receiver:
                made = Stage(situation, scratch, socket, receiver, situation.redis.url)
                if situation.messages:
                    made.message = next(iter(situation.messages))
                yield made


def _healthy(situation: Situation) -> None:
    ids = situation.healthy_work(**QUEUE_SHARE)
    given_up = situation.add_cursor(2)
    situation.pass_over("processors", "claude_processors")
    situation.dead_letter(given_up, "cursor")
    assert ids


def _sink(situation: Situation) -> Callable[[dict[str, Any]], None]:
    """What the pipeline does with an event that it was sent: the message, its row, its acknowledgement."""

    def accept(body: dict[str, Any]) -> None:
        with contextlib.suppress(redis.RedisError), situation.redis.client(timeout=1) as client:
            client.xadd("telemetry:message_queue", stream_fields(body))

    return accept
