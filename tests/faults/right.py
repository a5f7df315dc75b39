"""What "right" means for a run with a fault, judged from outside."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import redis

from tests.faults.commands import EXAMINED, Command, Run
from tests.faults.registry import Fault
from tests.faults.stage import TIMEOUT_SECONDS, Stage
from tests.truth.snapshot import snapshot

ALLOWED_SECONDS = 1.0
"""Beside the time limit; what took longer is recorded as late."""
BUSY_MACHINE_SECONDS = 5.0
"""What a run may take longer where others use the processors: beyond it the run is wrong, wherever it was."""
_JUDGED = frozenset(("green", "yellow", "orange", "red"))
_NOT_SET_UP = frozenset(("notify",))
"""Areas of what the stage has not: nobody there is to be told of anything."""
_BROKEN = re.compile(r"Traceback|internal error|the doctor itself broke", re.IGNORECASE)


_SENT = "command "
_OURS = re.compile(r'blueplane_doctor/|bin/blueplane-doctor"')
"""A place in our own code, in a traceback."""
_OWN_STATE = "/.local/state/blueplane-doctor/"
"""Where the doctor keeps its own key: it is not examined."""


def held(stage: Stage) -> dict[str, Any]:
    """What is examined, before and after a run, and which commands that write it was sent."""
    state = {name: state for name, state in snapshot(stage.situation).items() if _OWN_STATE not in name}
    return state | _writes(stage)


def _writes(stage: Stage) -> dict[str, Any]:
    """How often each command that writes was sent, refused ones among them: also one that changes nothing is wrong."""
    counted: dict[str, Any] = {}
    try:
        with stage.situation.redis.client(timeout=5) as client:
            writing = {name.lower() for name in client.execute_command("COMMAND LIST", "FILTERBY", "ACLCAT", "write")}
            for name, numbers in client.info("commandstats").items():
                command = name.removeprefix("cmdstat_").lower()
                if command in writing:
                    counted[f"{_SENT}{command}"] = (numbers["calls"], numbers["rejected_calls"])
    except redis.RedisError:
        pass  # it does not answer now, nor does it to the run
    return counted


def misses(fault: Fault, command: Command, run: Run, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What is not right, in words; the first word of each says of which kind."""
    found = []
    is_ours = not (fault.silent and _is_of_the_interpreter(run.stderr))
    broken = _BROKEN.search(run.text)
    if broken and is_ours:
        found.append(f"traceback: {_around(run.text, broken.start())}")
    if run.code not in (*command.codes, *fault.codes) and is_ours:
        found.append(f"exit: code {run.code}: {run.stderr[-300:]}")
    if run.seconds > limit(command) + BUSY_MACHINE_SECONDS:
        found.append(f"late: {run.seconds:.1f} s")
    found += [f"left: {what}" for what in run.left]
    found += _written(fault, command, before, after)
    if command.examines and fault.says and not any(words in run.text for words in fault.says):
        found.append(f"cause: none of {fault.says} is said: {_causes(run)}")
    if command.name == "examine" and run.code in EXAMINED and not fault.silent:
        found += _areas(fault, run)
    return found


def _is_of_the_interpreter(stderr: str) -> bool:
    """Whether Python itself was interrupted before it ran any of our code: that is not ours to answer."""
    return "KeyboardInterrupt" in stderr and not _OURS.search(stderr)


def limit(command: Command) -> float:
    """Seconds within which it should end."""
    if command.name == "instrument":
        return TIMEOUT_SECONDS + ALLOWED_SECONDS
    return TIMEOUT_SECONDS + ALLOWED_SECONDS + command.extra_seconds


def _around(text: str, place: int) -> str:
    return text[max(0, place - 100) : place + 1500]


def _written(fault: Fault, command: Command, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if fault.changes:
        return
    writes_to_redis = any(allowed.startswith("key ") for allowed in command.writes)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) == after.get(name):
            continue
        if name.startswith(_SENT) and writes_to_redis:
            continue
        if any(allowed in name for allowed in command.writes):
            continue
        if name not in before and name.endswith(command.makes):
            continue
        yield f"written: {name}"


def _areas(fault: Fault, run: Run) -> Iterator[str]:
    """Each area that the fault does not blind has something judged, and no check broke."""
    try:
        report = json.loads(run.stdout)
    except ValueError:
        yield f"report: no JSON on stdout: {run.text[:200]}"
        return
    judged: dict[str, bool] = {}
    for finding in report["findings"]:
        if finding["status"] == "error":
            yield f"broke: {finding['id']}: {finding['cause']}"
        area = finding["area"]
        judged[area] = judged.get(area, False) or finding["status"] in _JUDGED
    for area, is_judged in sorted(judged.items()):
        if not is_judged and area not in fault.blinds | _NOT_SET_UP:
            yield f"area: nothing of {area} was judged"


def _causes(run: Run) -> str:
    """What an examination said instead, for whoever reads the failure."""
    try:
        report = json.loads(run.stdout.splitlines()[0] if run.stdout.startswith('{"') else run.stdout)
        causes = {finding["cause"] for finding in report["findings"] if finding["status"] in ("unknown", "skipped")}
        red = [finding["summary"] for finding in report["findings"] if finding["status"] in ("red", "orange")]
        return repr((sorted(causes), red))[:900]
    except (ValueError, KeyError, IndexError, TypeError):
        return run.text[-500:]


def connections(stage: Stage) -> int:
    """Clients that the pipeline's Redis has, beside the one that asks; 0 where it does not answer."""
    try:
        with stage.situation.redis.client(timeout=2) as client:
            return len(client.client_list())
    except redis.RedisError:
        return 0
