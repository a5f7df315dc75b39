"""The whole examination before a server that answers one command as no Redis does: the report says so, and is whole.

Right is: no traceback, no monitor and no check that broke, an end in time, all other areas judged.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from blueplane_doctor.demo.faults import healthy
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import ExitCode
from blueplane_doctor.judging.diagnose import diagnose
from blueplane_doctor.model import Report, Status
from blueplane_doctor.settings.values import load
from tests.connection.changing_proxy import Behaviour, ChangingProxy, changing
from tests.connection.strange_replies import (
    broken_off,
    replies_of_another_type,
    strange_info,
    with_one_other_value,
)
from tests.doctor_command import Ended, run

COMMANDS = (
    "CONFIG GET",
    "EXEC",
    "EXISTS",
    "HGETALL",
    "INFO",
    "MULTI",
    "PING",
    "TS.QUERYINDEX",
    "XINFO CONSUMERS",
    "XINFO GROUPS",
    "XINFO STREAM",
    "XLEN",
    "XPENDING",
    "XRANGE",
)
NESTED = ("XINFO CONSUMERS", "XINFO GROUPS", "XINFO STREAM", "XPENDING", "XRANGE")
"""Those whose replies hold values of several types; most are asked inside of MULTI."""
IS_WHOLE = os.environ.get("BLUEPLANE_TEST_PROFILE") == "long"
MOST_VARIANTS = 1_000_000 if IS_WHOLE else 60
"""Of those with one other value so many are tried, evenly: all of them take minutes, and share the same checks."""
SAMPLE = (
    ("PING", "map of a map"),
    ("INFO", "nil"),
    ("XINFO STREAM", "array of texts"),
    ("XINFO GROUPS", "integer"),
    ("XPENDING", "array of nil"),
    ("XRANGE", "pairs"),
    ("EXEC", "nil"),
    ("CONFIG GET", "array of integers"),
    ("HGETALL", "odd array"),
    ("XINFO STREAM", "array of 4e9"),
    ("XLEN", "integer of 400 digits"),
    ("XINFO GROUPS", "error 'NOGROUP'"),
    ("INFO", "garbage"),
)
"""A few of each kind, for the quick part."""
STRANGE_FIELDS = (
    "server_time_usec text",
    "used_memory 400 digits",
    "total_commands_processed missing",
    "maxmemory twice",
)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ChangingProxy, Path]]:
    """A proxy before a small pipeline with waiting, held, written and given up messages; and its home."""
    home = tmp_path_factory.mktemp("pipeline") / ".blueplane"
    home.mkdir()
    with run_server() as server, Pipeline(server.url, home) as pipeline, changing(server.url) as proxy:
        _fill(pipeline)
        yield proxy, home


def _fill(pipeline: Pipeline) -> None:
    healthy(pipeline, minutes=1)
    pipeline.enqueue_cursor(4)
    pipeline.deliver("processors", count=2)
    (given_up,) = pipeline.enqueue_cursor(1)
    pipeline.dead_letter(given_up)


def examined(before: tuple[ChangingProxy, Path], target: str, behaviour: Behaviour) -> Report:
    proxy, home = before
    proxy.target = target
    proxy.behaviour = behaviour
    try:
        return diagnose(load({"home": home, "redis_url": proxy.url, "timeout": 1.0}).settings)
    finally:
        proxy.target = ""


def problem(report: Report) -> str:
    """What is wrong with the report itself; empty when nothing is."""
    for finding in report.findings:
        if finding.status is Status.ERROR or "broke" in finding.summary + finding.cause:
            return f"{finding.id}: {finding.summary} {finding.cause}"
    judged = {finding.area for finding in report.findings if finding.status.severity >= 0}
    if "database" not in judged:
        return f"of the database nothing was judged, only {sorted(judged)}"
    return ""


def problems(before: tuple[ChangingProxy, Path], target: str, behaviours: dict[str, Behaviour]) -> dict[str, str]:
    """What went wrong with each behaviour where something did."""
    found = {}
    for name, behaviour in behaviours.items():
        what = problem(examined(before, target, behaviour))
        if what:
            found[name] = what
    return found


def test_what_the_others_are_compared_with(before: tuple[ChangingProxy, Path]) -> None:
    report = examined(before, "", Behaviour())
    assert not problem(report)
    assert set(COMMANDS) <= before[0].seen


@pytest.mark.parametrize(("target", "name"), SAMPLE)
def test_a_reply_of_another_type(before: tuple[ChangingProxy, Path], target: str, name: str) -> None:
    assert not problem(examined(before, target, replies_of_another_type()[name]))


@pytest.mark.parametrize("name", STRANGE_FIELDS)
def test_a_strange_value_in_info(before: tuple[ChangingProxy, Path], name: str) -> None:
    assert not problem(examined(before, "INFO", strange_info()[name]))


@pytest.mark.parametrize("name", ["nil", "array of texts", "garbage", "ok"])
def test_the_report_says_that_it_is_no_redis(before: tuple[ChangingProxy, Path], name: str) -> None:
    report = examined(before, "INFO", replies_of_another_type()[name])
    causes = {finding.cause for finding in report.findings}
    assert any("does not answer as Redis does" in cause for cause in causes)


@pytest.mark.slow
@pytest.mark.parametrize("target", COMMANDS)
def test_every_reply_of_another_type(before: tuple[ChangingProxy, Path], target: str) -> None:
    assert problems(before, target, replies_of_another_type()) == {}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_strange_value_in_info(before: tuple[ChangingProxy, Path]) -> None:
    assert problems(before, "INFO", strange_info()) == {}


@pytest.mark.slow
@pytest.mark.parametrize("target", COMMANDS)
def test_every_reply_that_is_broken_off(before: tuple[ChangingProxy, Path], target: str) -> None:
    """A reply that drips does so for minutes: that the run ends is the proof."""
    assert problems(before, target, broken_off()) == {}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("target", NESTED)
def test_every_value_inside_of_another_type(before: tuple[ChangingProxy, Path], target: str) -> None:
    seen: list[bytes] = []

    def remember(reply: bytes) -> bytes:
        seen.append(reply)
        return reply

    examined(before, target, Behaviour(remember))
    largest = max(seen, key=len)
    everything = list(with_one_other_value(largest))
    step = -(-len(everything) // MOST_VARIANTS)  # rounded up
    variants = {}
    for name, reply in everything[::step]:
        variants[name] = Behaviour(partial(_instead, reply))
    assert problems(before, target, variants) == {}


def _instead(reply: bytes, _: bytes) -> bytes:
    return reply


DRIPS = (
    ("XINFO STREAM", ("trace", "1-1")),
    ("XRANGE", ("trace", "--state", "lost")),
    ("XRANGE", ("dlq", "list")),
    ("EXEC", ("dlq", "stats")),
    ("XRANGE", ("dlq", "show", "1-1")),
    ("TS.QUERYINDEX", ("history", "--list")),
    ("EVAL", ("record", "--once")),
    ("HGETALL", ("record", "--once")),
    ("EXEC", ("watch", "--rounds", "1", "--format", "json")),
    ("INFO", ("install", "--yes", "--only", "dependencies")),
    ("XINFO GROUPS", ("install", "--yes", "--only", "redis")),
    ("EXEC", ("support", "--output", "bundle.zip")),
    ("INFO", ("--format", "nagios")),
)
"""A command of Redis whose reply drips for minutes, and what has to end all the same."""


def ended_while_dripping(
    before: tuple[ChangingProxy, Path], target: str, words: tuple[str, ...], folder: Path
) -> Ended:
    """The command with --timeout 1; that it ends at all is the proof, for the reply goes on for minutes."""
    proxy, home = before
    proxy.target = target
    proxy.behaviour = Behaviour(lambda reply: reply.ljust(1_000, b"0"), drip_seconds=0.2)
    try:
        options = ["--redis-url", proxy.url, "--home", home, "--timeout", "1"]
        ended = run([*words, *map(str, options)], cwd=folder)
    finally:
        proxy.target = ""
    return ended


def assert_ended(ended: Ended) -> None:
    assert ended.returncode not in (ExitCode.INTERNAL, ExitCode.INTERRUPTED), ended.stderr
    assert "Traceback" not in ended.stderr
    assert "monitor broke" not in ended.stdout


def test_a_command_ends_while_a_reply_drips(before: tuple[ChangingProxy, Path], tmp_path: Path) -> None:
    target, words = DRIPS[0]
    ended = ended_while_dripping(before, target, words, tmp_path)
    assert_ended(ended)
    assert "gave no answer in 1 s" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("target", "words"), DRIPS[1:])
def test_every_command_ends_while_a_reply_drips(
    before: tuple[ChangingProxy, Path], tmp_path: Path, target: str, words: tuple[str, ...]
) -> None:
    assert_ended(ended_while_dripping(before, target, words, tmp_path))
