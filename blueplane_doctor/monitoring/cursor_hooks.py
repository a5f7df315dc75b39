"""Cursor's hooks: which are installed, which are expected, and which fire."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.examination import Examination
from blueplane_doctor.pipeline import CURSOR_HOOKS
from blueplane_doctor.privacy.public_fields import HookName
from blueplane_doctor.recording.reading import Recorded
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.hook_files import CURSOR, read_hook_file
from blueplane_doctor.text.times import iso_if_known, milliseconds_since

_SEEN_LATELY_MS = 7 * 86_400_000
"""A hook that fired within so long is expected to fire."""
_ACTIVE_MS = 3_600_000
"""A hook counts as active when it fired within the last hour."""


class HookHealth(Record):
    """One Cursor hook."""

    name: HookName
    """Cursor's name of the hook, such as `afterAgentResponse`."""
    installed: bool
    """Whether Cursor's hooks.json has a command for it."""
    configured: bool
    """Whether the settings expect it."""
    expected: bool
    """Installed, configured, or seen within the last seven days."""
    seen: int
    """Messages of it in the stream."""
    last_seen: str | None
    """Time of its newest message; null when there is none."""
    silent_ms: int | None
    """Since its newest message; null when there is none."""


class CursorHooks(Record):
    """All Cursor hooks together; what only the recorder measures is of the last hour, and null without it."""

    total_executions: int | None
    """Messages of the six hooks in the stream."""
    success_count: int | None = None
    """Executions that delivered their event, as recorded."""
    failure_count: int | None = None
    """Executions that did not, as recorded."""
    success_rate: float | None = None
    """Share of successes, 0.0 to 1.0."""
    recorder_ran: bool | None = None
    """Whether a recorder counted anything at all in the last hour; null where that could not be read."""
    recorded_minutes: int = 0
    """Minutes of the last hour in which the recorder counted hooks."""
    recorded_cause: str = ""
    """Why there are none."""
    recorded_hint: str = ""
    """What to do about it, where Redis refuses to tell."""
    last_execution_timestamp: str | None = None
    """Time of the newest message of any of the six."""
    hooks_active: dict[HookName, bool] = {}
    """For each of the six: fired within the last hour."""


class InstalledHooks(NamedTuple):
    """What Cursor's hooks.json installs."""

    names: frozenset[str]
    """Empty when there is no such file, too."""
    cause: str = ""
    """Why a file that is there does not tell."""


def hook_healths(examination: Examination, installed: frozenset[str]) -> list[HookHealth]:
    """Each of the six hooks, by the messages in the stream. Raises SourceError."""
    ledger = examination.ledger()
    now_ms = examination.server_info().now_ms
    hooks = []
    for name in CURSOR_HOOKS:
        last = ledger.last_by_hook.get(name)
        silent = milliseconds_since(last, now_ms)
        was_seen_lately = silent is not None and silent <= _SEEN_LATELY_MS
        configured = name in examination.settings.expected_hooks
        health = HookHealth(
            name=name,
            installed=name in installed,
            configured=configured,
            expected=configured or name in installed or was_seen_lately,
            seen=ledger.count_by_hook[name],
            last_seen=iso_if_known(last),
            silent_ms=silent,
        )
        hooks.append(health)
    return hooks


def all_hooks(hooks: list[HookHealth], recorded: Recorded) -> CursorHooks:
    """The hooks together, with what the recorder counted of them."""
    counted = recorded.hooks_of(CURSOR)
    minutes = 0
    cause = recorded.cause or f"no hook was recorded in the last {recorded.minutes} min"
    if counted:
        minutes = recorded.minutes_with_hooks
        cause = ""
    total = 0
    active = {}
    times = []
    for hook in hooks:
        total += hook.seen
        active[hook.name] = is_active(hook.silent_ms)
        if hook.last_seen:
            times.append(hook.last_seen)
    return CursorHooks(
        total_executions=total,
        success_count=sum_of_known(hook.ok for hook in counted),
        failure_count=sum_of_known(hook.failed for hook in counted),
        success_rate=recorded.hook_success_rate(CURSOR),
        recorder_ran=recorded.recorder_ran,
        recorded_minutes=minutes,
        recorded_cause=cause,
        recorded_hint=recorded.hint,
        last_execution_timestamp=max(times, default=None),
        hooks_active=active,
    )


def installed_hooks(path: Path) -> InstalledHooks:
    """What a hooks.json installs: nothing where Cursor would not use the file."""
    file = read_hook_file(path, CURSOR)
    cause = ""
    if file.problem:
        subject = "Cursor's hooks.json"
        if file.entry:
            subject = f"{file.entry} of {subject}"
        cause = f"{subject} {file.problem.removeprefix('it ')}"
    events = []
    for command in file.commands:
        events.append(command.event)
    return InstalledHooks(frozenset(events), cause)


def sum_of_known(numbers: Iterable[int | None]) -> int | None:
    """The sum of those that are known; None when none is."""
    known = [number for number in numbers if number is not None]
    if not known:
        return None
    return sum(known)


def is_active(silent_ms: int | None) -> bool:
    """Whether the newest sign of it is of the last hour."""
    return silent_ms is not None and silent_ms <= _ACTIVE_MS
