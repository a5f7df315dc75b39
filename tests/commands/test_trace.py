"""`trace`: what it prints, and its exit codes."""

import json
import re
import subprocess
import sys

import pytest

from blueplane_doctor.commands.trace import exit_code, names_of
from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.lookup.trace import Trace
from blueplane_doctor.privacy.public_text import identifier
from tests.preloaded import preloaded_doctor


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["written", "waiting", "in_flight", "skipped", "duplicate"], 0),
        (["written", "not_found"], 3),
        (["untraceable"], 3),
        (["not_found", "lost"], 1),
        (["stuck"], 1),
        (["too_young"], 0),
        (["missing"], 1),
        (["dead_lettered"], 1),
        (["payload_gone"], 1),
    ],
)
def test_exit_codes(states: list[str], code: int) -> None:
    assert exit_code(states) == code


@pytest.mark.slow
def test_the_command(pipeline: Pipeline) -> None:
    FAULTS["malformed-payloads"].apply(pipeline)
    ids = [identity for identity, _ in pipeline.client.xrange(pipeline.queue, count=3)]
    words = ["--home", str(pipeline.home), "--redis-url", pipeline.redis_url, "trace", *ids, "no such thing"]
    done = subprocess.run([*preloaded_doctor(), *words, "--format", "json"], capture_output=True, text=True)
    traces = json.loads(done.stdout)
    assert [t["id"] for t in traces] == [*ids, identifier("no such thing")]
    assert done.returncode in (1, 3)
    plain = subprocess.run([*preloaded_doctor(), *words], capture_output=True, text=True)
    assert f"{ids[0]}: " in plain.stdout
    assert f"{identifier('no such thing')} (ID 4 of 4): NOT FOUND" in plain.stdout
    assert PRIVATE_TEXT not in done.stdout + plain.stdout


@pytest.mark.parametrize(
    ("on_terminal", "names"),
    [
        (True, ["SECRETEVENT9", "1773479901310-0", "abc"]),
        (False, ["<hidden-1> (ID 1 of 3)", "1773479901310-0", "<hidden-2> (ID 3 of 3)"]),
    ],
    ids=["terminal", "pipe"],
)
def test_each_id_can_be_told_from_the_others(
    on_terminal: bool, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal is its person's own, who typed them; elsewhere they are counted."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: on_terminal)
    traces = []
    for shown in ("<hidden-1>", "1773479901310-0", "<hidden-2>"):
        traces.append(Trace(id=shown, state="not_found", hops=[], advice=""))
    assert names_of(["SECRETEVENT9", "1773479901310-0", "abc"], traces) == names


def test_a_row_shows_no_digits_that_its_time_does_not_have(pipeline: Pipeline) -> None:
    """Written in the second in which it was enqueued, it would seem to be older than its message."""
    pipeline.enqueue_cursor(1)
    pipeline.drain()
    ((identity, _),) = pipeline.client.xrange(pipeline.queue)
    words = ["--home", str(pipeline.home), "--redis-url", pipeline.redis_url, "trace", identity]
    done = subprocess.run([*preloaded_doctor(), *words], capture_output=True, text=True)
    assert re.search(r"^  enqueued +\S+ \S+:\d\d\.\d{3} UTC ", done.stdout, re.M)
    assert re.search(r"^  row +\S+ \S+:\d\d UTC ", done.stdout, re.M), done.stdout
