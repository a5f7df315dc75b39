"""Follows the remedies of a report to the letter, and tells what became worse by it.

    outcome = follow(situation)
    assert outcome.harm == []

Every command of every remedy is run in `sh -c` in the situation's environment, placeholders replaced; where it is
`repair`, the plan that it prints may be applied as it says. Harm is: a repair that finds nothing; more chain
breaks; a pending entry, stream entry, dead letter or row fewer, unless its message's row is there, or a repair has
copied it or set it aside and saved it; a worse status; a setting that the next restart forgets; a queue that the next
restart loses although its saving was changed.
"""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import redis

from blueplane_doctor.custody.copies import MARK
from blueplane_doctor.repair.steps import SET_ASIDE
from blueplane_doctor.repair.store import RepairFiles
from tests.truth.examination import Examination
from tests.truth.messages import CLAUDE_LETTERS, CURSOR_LETTERS, QUEUE
from tests.truth.observe import Observed, pending_ids, stream_ids
from tests.truth.situation import Situation
from tests.truth.stand_in_tools import NO_ADDRESS, tools
from tests.waiting import PATIENCE_SECONDS, wait_until

ENDLESS_SECONDS = 2.0
"""For what a person ends: it has begun by then, and the messages of a situation must not grow old meanwhile."""
_ENDLESS = re.compile(
    r"blueplane-doctor\b.* (record|serve|watch)\b|blueplane-doctor (record|serve|watch)\b|tail -[fF]\b"
)
BY_TIME = ("consumer-lag", "stuck-consumers", "capture-rate", "hook-inactivity", "database-monitor", "write-throughput")
"""Checks that grade an age or a rate: they grow worse by waiting alone, which is no harm done by a remedy."""
_APPLIES = re.compile(r"^Do it: (\S*blueplane-doctor\b.* repair --apply [0-9a-f]{4})\b", re.MULTILINE)
"""The command that a plan of `repair` names."""
_FOUND_NOTHING = "Nothing to repair"
"""How the answer of `repair` begins where there is nothing to do."""
_NOT_RUN = (NO_ADDRESS, 126, 127)
"""Exit codes of a redis-cli that is told no address, and of a shell that cannot run a program."""
_NOT_RUN_BY_DOCTOR = (2, 4)
"""Its exit codes for wrong usage and for an error of its own."""
_MISUSE = re.compile(r"syntax error|wrong number of arguments|unknown command|(unrecognized|invalid|illegal) option")
"""What redis-cli, sqlite3 and the tools say of a command that they do not understand."""
_PLACEHOLDER = re.compile(r"<[a-z][a-z0-9 -]*>")
_SEVERITY = {"green": 0, "not_set_up": 0, "skipped": 1, "unknown": 1, "yellow": 1, "error": 2, "orange": 2, "red": 3}
_SAVING = ("appendonly", "save")
_PASSING_SETTINGS = ("dir", "slaveof", "replicaof")
"""Of the server's place, not of a remedy."""


@dataclass(frozen=True)
class Followed:
    """One command as it was run."""

    source: str
    """The id of the finding or cause whose remedy it is."""
    command: str
    exit_code: int | None
    """None: not run, for it has a placeholder that is not known; or it did not end in time."""
    output: str
    begun: bool = False
    """It never ends by itself, and was ended here."""

    @property
    def could_be_run(self) -> bool:
        """Whether a person can run it as it is printed; what it then answers is another matter."""
        if self.begun:
            return True
        if self.exit_code is None or self.exit_code in _NOT_RUN:
            return False
        if self.exit_code in _NOT_RUN_BY_DOCTOR and "blueplane-doctor" in self.command:
            return False
        return not _MISUSE.search(self.output)


@dataclass
class Outcome:
    """What was run, and what became worse."""

    commands: list[Followed] = field(default_factory=list)
    harm: list[str] = field(default_factory=list)

    @property
    def not_run(self) -> list[Followed]:
        """The commands that nobody can run as they are printed."""
        return [followed for followed in self.commands if not followed.could_be_run]


@dataclass(frozen=True)
class Held:
    """What a pipeline holds at one moment."""

    entries: frozenset[str]
    letters: frozenset[str]
    pending: frozenset[tuple[str, str]]
    """Pairs of group and message ID."""
    rows: int
    with_row: frozenset[str]
    settings: Mapping[str, str]
    """CONFIG GET *."""
    readable: bool


def follow(situation: Situation, *arguments: str, stand_ins_only: bool = False, applies_plans: bool = False) -> Outcome:
    """Run the doctor, follow every remedy, and look again. `arguments` are more of the doctor's options.

    `applies_plans`: whether the plans that `repair` prints are applied.
    """
    examination = situation.doctor(*arguments)
    commands = remedy_commands(examination)
    return follow_commands(
        situation,
        commands,
        examination,
        stand_ins_only=stand_ins_only,
        arguments=arguments,
        applies_plans=applies_plans,
    )


def remedy_commands(examination: Examination) -> list[tuple[str, str]]:
    """The commands of all remedies in a report, each with the id of what it stands under, in the report's order.

    The same remedy under a cause and under a finding that follows from it counts once: so does a person follow it.
    """
    pairs: list[tuple[str, str]] = []
    seen: set[tuple[str, ...]] = set()
    for source, commands in _remedies_in(examination.report, ""):
        if commands not in seen:
            seen.add(commands)
            pairs += [(source, command) for command in commands]
    return pairs


def _remedies_in(part: Any, source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Findings and causes alike: an object that has `commands` is a remedy."""
    if isinstance(part, dict):
        source = str(part.get("id", source))
        for name, value in part.items():
            if name == "commands" and isinstance(value, list):
                yield source, tuple(value)
            else:
                yield from _remedies_in(value, source)
    elif isinstance(part, list):
        for value in part:
            yield from _remedies_in(value, source)


def follow_commands(
    situation: Situation,
    commands: Sequence[tuple[str, str]],
    examination: Examination,
    *,
    stand_ins_only: bool = False,
    arguments: Sequence[str] = (),
    applies_plans: bool = False,
) -> Outcome:
    """Run these commands, pairs of a source and a command, and tell the harm beside the examination before."""
    outcome = Outcome()
    before = look(situation)
    path = tools(situation.folder / "bin", stand_ins_only=stand_ins_only)
    watched: set[str] = set()
    applied = False
    for source, command in commands:
        # What only watches and never ends is the same to whichever finding it belongs: it is run once.
        if command in watched:
            continue
        if _ENDLESS.search(command):
            watched.add(command)
        followed = _run(situation, source, command, str(path))
        outcome.commands.append(followed)
        applies = _APPLIES.search(followed.output)
        # A remedy names only a repair that has something to do. What an earlier remedy healed is another matter.
        if followed.output.startswith(_FOUND_NOTHING) and not applied:
            outcome.harm.append(f"{source} names a repair that finds nothing: {command}")
        if applies is not None and applies_plans:
            applied = True
            outcome.commands.append(_run(situation, source, f"{applies[1]} --yes", str(path)))
    after = look(situation)
    again = situation.doctor(*arguments)
    outcome.harm += _missing(situation, before, after)
    outcome.harm += _worse(examination, again)
    outcome.harm += _forgotten(situation, before, after)
    return outcome


def _run(situation: Situation, source: str, command: str, path: str) -> Followed:
    text = fill_in(situation, command)
    unknown = _PLACEHOLDER.findall(text)
    if unknown:
        return Followed(source, text, None, f"not known: {', '.join(unknown)}")
    process = subprocess.Popen(
        ["/bin/sh", "-c", text],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=situation.user_home,
        env=situation.environment(PATH=path),
        start_new_session=True,
    )
    patience = ENDLESS_SECONDS if _ENDLESS.search(text) else PATIENCE_SECONDS
    try:
        output, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:  # `tail -f`, a server in the foreground: a person would end it as well
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return Followed(source, text, None, output, begun=_ENDLESS.search(text) is not None)
    return Followed(source, text, process.returncode, output)


def fill_in(situation: Situation, command: str) -> str:
    """The command with the placeholders replaced by this situation's places, quoted as on a person's terminal."""
    url = str(situation.truth.facts.get("redis_url", situation.redis.url))
    parts = urlsplit(url)
    places = {
        "<home>": str(situation.home),
        "<database>": str(situation.database),
        "<log>": str(situation.home / "server.log"),
        "<event-buffer>": str(situation.home / "event_buffer.db"),
        "<redis-host>": "127.0.0.1",
        "<redis-port>": str(situation.redis.port),
        "<redis-url>": url,
        "<redis-socket>": parts.path,
        "<redis-user>": parts.username or "default",
    }
    for placeholder, place in places.items():
        command = command.replace(placeholder, shlex.quote(place))
    return command


def look(situation: Situation) -> Held:
    """What the pipeline holds now, asked directly."""
    observed = Observed(situation)
    letters: set[str] = set()
    for stream in (CLAUDE_LETTERS, CURSOR_LETTERS):
        letters.update(f"{stream} {letter_id}" for letter_id in stream_ids(situation.client, stream))
    pending: set[tuple[str, str]] = set()
    settings: dict[str, str] = {}
    readable = False
    with contextlib.suppress(redis.RedisError):
        readable = bool(situation.client.ping())
        settings = situation.client.config_get("*")
        for group in situation.client.xinfo_groups(QUEUE):
            name = group["name"]
            pending.update((name, entry_id) for entry_id in pending_ids(situation.client, name))
    return Held(
        entries=frozenset(observed.in_stream),
        letters=frozenset(letters),
        pending=frozenset(pending),
        rows=observed.rows_total or 0,
        with_row=frozenset(observed.with_row),
        settings=settings,
        readable=readable,
    )


def _owes(situation: Situation, group: str, entry_id: str) -> bool:
    """Whether this group has to write that message; of what is not in the ledger nobody knows, so it counts as owed."""
    message = situation.messages.get(entry_id)
    return message is None or message.group == group


def _missing(situation: Situation, before: Held, after: Held) -> list[str]:
    """What is fewer than before, unless its message's row is there now."""
    harm = []
    if before.readable and not after.readable:
        harm.append("Redis no longer answers")
    entries = before.entries - after.entries - after.with_row
    if entries:
        harm.append(f"stream entries gone without a row: {len(entries)}")
    accounted = after.with_row | _kept_by_repair(situation)
    released = [pair for pair in before.pending - after.pending if pair[1] not in accounted]
    owed = [pair for pair in released if _owes(situation, *pair)]
    if owed:
        harm.append(f"pending entries gone without a row: {len(owed)}")
    letters = before.letters - after.letters
    if letters:
        harm.append(f"dead letters gone: {len(letters)}")
    if after.rows < before.rows:
        harm.append(f"rows gone: {before.rows - after.rows}")
    if before.with_row - after.with_row:
        harm.append(f"messages whose row is gone: {len(before.with_row - after.with_row)}")
    return harm


def _kept_by_repair(situation: Situation) -> set[str]:
    """The IDs of messages that have a copy in the stream, and of those that were set aside and saved whole."""
    kept: set[str] = set()
    with contextlib.suppress(redis.RedisError):
        for _, fields in situation.client.xrange(QUEUE):
            kept.update(fields.get(MARK.decode(), "").split()[-1:])
    for folder in (situation.home / "repair").glob("*/"):
        files = RepairFiles(folder)
        if not files.messages.is_file():
            continue
        done = files.done()
        for line in files.messages.read_text().splitlines():
            saved = json.loads(line)
            entry = done.get(saved["item"])
            if entry is not None and entry.done == SET_ASIDE and saved["fields"]:
                kept.add(saved["id"])
    return kept


def _worse(before: Examination, after: Examination) -> list[str]:
    """A worse verdict, or more breaks, by the doctor's own words."""
    harm = []
    if _SEVERITY[after.status] > _SEVERITY[before.status]:
        findings = _findings_that_grew_worse(before, after)
        if not findings or not findings <= set(BY_TIME):
            harm.append(f"status {before.status} became {after.status}: {', '.join(sorted(findings))}")
    breaks = [_breaks(examination) for examination in (before, after)]
    if breaks[0] is not None and breaks[1] is not None and breaks[1] > breaks[0]:
        harm.append(f"chain breaks grew from {breaks[0]} to {breaks[1]}")
    return harm


def _findings_that_grew_worse(before: Examination, after: Examination) -> set[str]:
    """The ids of findings as bad as the later verdict, and worse than they were."""
    earlier = {finding["id"]: finding["status"] for finding in before.report["findings"]}
    grown = set()
    for finding in after.report["findings"]:
        severity = _SEVERITY[finding["status"]]
        was = _SEVERITY[earlier.get(finding["id"], "green")]
        if severity > was and severity >= _SEVERITY[after.status]:
            grown.add(finding["id"])
    return grown


def _breaks(examination: Examination) -> int | None:
    custody = examination.custody
    if custody is None:
        return None
    count: int | None = custody["chain_break_count"]
    return count


def _forgotten(situation: Situation, before: Held, after: Held) -> list[str]:
    """Settings that were changed and that the next restart forgets; and what it loses although saving was changed."""
    differing = dict(after.settings.items() - before.settings.items())
    changed = {name: value for name, value in differing.items() if name not in _PASSING_SETTINGS}
    if not changed or not before.settings:
        return []
    _wait_for_saving(situation)
    situation.redis.restart()
    restarted = look(situation)
    harm = []
    for name, value in sorted(changed.items()):
        if restarted.settings.get(name) != value:
            harm.append(f"setting {name} is forgotten at the next restart")
    if any(name in changed for name in _SAVING) and after.entries - restarted.entries:
        harm.append(f"the next restart loses the queue: {len(after.entries - restarted.entries)} entries")
    return harm


def _wait_for_saving(situation: Situation) -> None:
    """Until a rewrite of the append-only file, which CONFIG SET begins, has ended."""

    def is_over() -> bool:
        state = situation.client.info("persistence")
        return not state["aof_rewrite_in_progress"] and not state.get("aof_rewrite_scheduled")

    wait_until(is_over, "the rewrite is not over")
