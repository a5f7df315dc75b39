"""Try the targets that are told of causes, or show what they were told."""

import json
import re
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.errors import ExitCode, FileUnreadable, UsageError
from blueplane_doctor.monitoring.notifications import sent_messages
from blueplane_doctor.notifying.delivery import deliver
from blueplane_doctor.notifying.inert_text import inert
from blueplane_doctor.notifying.message import Message, Sender, clock_time, trial_message
from blueplane_doctor.notifying.state import read_state
from blueplane_doctor.notifying.targets import Target, targets_of
from blueplane_doctor.privacy.public_text import hidden
from blueplane_doctor.settings.options import PIPELINE
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.text.characters import plain
from blueplane_doctor.text.console import complain, show, show_table

COMMAND = new_command(__doc__)
_TITLE = re.compile(r"Blueplane:?(?: (?:[A-Za-z]{1,9}|\d[\d:.,]{0,11}[a-z]{0,3})[;,]?)*")
"""Words, numbers and times."""
_NOBODY = "name one with --notify URL, or under notify: in doctor.yaml; docs/NOTIFY.md has recipes"


@command(COMMAND, *PIPELINE, "notify")
def notify(
    given: Invocation,
    test: Annotated[bool, typer.Option("--test", help="Send a test message to every target.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the test message, and send nothing.")] = False,
) -> int:
    """Exit code 1 when a target does not take the test message."""
    settings = given.load().settings
    if not test and not dry_run:
        return _show_told(settings)
    targets = targets_of(settings.notify)
    if not targets:
        raise UsageError("notify: the settings name nobody to tell", _NOBODY)
    message = trial_message(Sender(settings.machine_name, settings.page_url or ""), time.time())
    if dry_run:
        _show_message(targets, message)
        return ExitCode.OK
    return _send(targets, message)


def _show_message(targets: Sequence[Target], message: Message) -> None:
    show(f"{message.title}\n\n{message.body}\n\n")
    for target in targets:
        show(f"would go to {target.label}, from {target.rule.least}\n")
        if target.rule.url is None:
            show(f"{json.dumps(message.as_document(), indent=2, ensure_ascii=False)}\n")


def _send(targets: Sequence[Target], message: Message) -> ExitCode:
    code = ExitCode.OK
    for target in targets:
        reason = deliver(target.rule, message)
        if reason:
            code = ExitCode.FINDINGS
        show(f"{target.label}: {reason or 'delivered'}\n")
    return code


def _show_told(settings: Settings) -> int:
    try:
        state = read_state(settings.home)
    except FileUnreadable as error:
        complain(error.message, "move it away; what people were told is not known then")
        return ExitCode.NOT_JUDGED
    if state is None or not state.attempts:
        complain("nobody was told anything yet", "try the targets with: blueplane-doctor notify --test")
        return ExitCode.OK
    now = time.time()
    rows = []
    for attempt, sent in zip(state.attempts, reversed(sent_messages(state)), strict=True):
        title = _shown_title(attempt.title, settings.machine_name)
        rows.append([clock_time(attempt.at, now), sent.target, title, sent.reason or "delivered"])
    show_table(rows, ["time", "target", "message", "outcome"])
    return ExitCode.OK


def _shown_title(title: str, machine_name: str) -> str:
    """A title as the notifier makes it; any other by its fingerprint: the file may hold anything."""
    if _TITLE.fullmatch(title.replace(f" on {inert(machine_name)}", "")):
        return plain(title)
    return hidden(title)
