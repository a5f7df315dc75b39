"""Look again and again: a live screen, or one line of JSON a round."""

import os
import signal
import sys
from queue import SimpleQueue
from typing import Annotated, Any

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.errors import ExitCode, UsageError
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.settings.options import EXAMINING, VERDICT
from blueplane_doctor.text.console import show, step_aside
from blueplane_doctor.text.times import seconds_in
from blueplane_doctor.watching.rounds import Ended, Mailbox, Watcher, follow, line, start

COMMAND = new_command(__doc__)
_DEFAULT_PAUSE = "2s"
_FASTEST = 0.2
"""Seconds from round to round; looking more often would be a load of its own."""


@command(
    COMMAND,
    *EXAMINING,
    *VERDICT,
    "waivers",
    formats=("table", "json"),
    every=f"Time from look to look, default {_DEFAULT_PAUSE}.",
)
def watch(
    given: Invocation,
    rounds: Annotated[
        int, typer.Option("--rounds", help="End after so many, with the last one's exit code.", metavar="N", min=0)
    ] = 0,
) -> int:
    """The exit code: 0 for q and SIGTERM, 130 for Ctrl-C, that of the last report after --rounds."""
    every = given.options.every or _DEFAULT_PAUSE
    pause = seconds_in(every, "--every")
    if pause < _FASTEST:
        raise UsageError(f"--every {every}: too often", f"at least {_FASTEST:g}s")
    has_screen = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    if given.options.format == "table" and not has_screen:
        raise UsageError("--format table: the live screen needs a terminal", "--format json")
    watcher = Watcher(Doctor(given.load(for_examination=True).settings))
    step_aside()
    mailbox: Mailbox = SimpleQueue()
    _end_on_signals(mailbox)
    stop = start(watcher.look, pause, rounds, mailbox)
    try:
        if has_screen and given.format == "table":
            from blueplane_doctor.watching.screen import show_rounds  # with rich, 80 ms: lines of JSON do without

            return show_rounds(mailbox, pause)
        return follow(mailbox, lambda latest: show(line(latest)))
    finally:
        stop.set()


def _end_on_signals(mailbox: Mailbox) -> None:
    """End in good order at the first signal, and at the second at once: a reader that stalls holds a line back."""

    def end_with(number: signal.Signals, code: int, second: Any) -> None:
        def end(*_: object) -> None:
            signal.signal(number, second)
            mailbox.put(Ended(code))

        signal.signal(number, end)

    end_with(signal.SIGTERM, ExitCode.OK, signal.SIG_DFL)
    end_with(signal.SIGINT, ExitCode.INTERRUPTED, signal.default_int_handler)
