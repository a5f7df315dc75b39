"""`watch`: a live screen of the pipeline, or one line of JSON for each round where nobody looks."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blueplane_doctor.commands.base import command, invocation, show, step_aside
from blueplane_doctor.errors import ExitCode, UsageError
from blueplane_doctor.times import seconds_in

if TYPE_CHECKING:
    from blueplane_doctor.watching.rounds import Mailbox, Round

_FASTEST = 0.2
"""Seconds from round to round; looking more often would be a load of its own."""


@command("watch", "Look again and again: a live screen, or one line of JSON a round.")
def watch(
    context: typer.Context,
    every: Annotated[str, typer.Option("--every", help="Time from look to look.", metavar="SPAN")] = "2s",
    rounds: Annotated[
        int, typer.Option("--rounds", help="End after so many, with the last one's exit code.", metavar="N", min=0)
    ] = 0,
) -> int:
    """The exit code: 0 for q and SIGTERM, 130 for Ctrl-C, that of the last report after --rounds."""
    pause = seconds_in(every, "--every")
    if pause < _FASTEST:
        raise UsageError(f"--every {every}: too often", f"at least {_FASTEST:g}s")
    settings = invocation(context).load().settings
    from queue import SimpleQueue

    from blueplane_doctor.diagnose import Doctor
    from blueplane_doctor.watching.rounds import Watcher, line, start

    step_aside()
    watcher = Watcher(Doctor(settings))
    mailbox: Mailbox = SimpleQueue()
    _end_on_signals(mailbox)
    stop = start(watcher.look, pause, rounds, mailbox)
    try:
        if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
            return _on_screen(mailbox, pause)
        return _follow(mailbox, lambda latest: show(line(latest)))
    finally:
        stop.set()


def _end_on_signals(mailbox: "Mailbox") -> None:
    """End in good order at the first signal, and at the second at once: a reader that stalls holds a line back."""
    import signal

    from blueplane_doctor.watching.rounds import Ended

    def end_with(number: signal.Signals, code: int, second: Any) -> None:
        def end(*_: object) -> None:
            signal.signal(number, second)
            mailbox.put(Ended(code))

        signal.signal(number, end)

    end_with(signal.SIGTERM, ExitCode.OK, signal.SIG_DFL)
    end_with(signal.SIGINT, ExitCode.INTERRUPTED, signal.default_int_handler)


def _follow(mailbox: "Mailbox", take: "Callable[[Round], None]") -> int:
    """Hand over each round until the end; gives the exit code. Raises what a round broke with."""
    from blueplane_doctor.watching.rounds import Broken, Ended

    latest: int = ExitCode.OK
    while True:
        news = mailbox.get()
        if isinstance(news, Broken):
            raise news.error
        if isinstance(news, Ended):
            return latest if news.code is None else news.code
        latest = news.report.exit_code
        take(news)


def _on_screen(mailbox: "Mailbox", every: float) -> int:
    from rich.console import Console
    from rich.live import Live

    from blueplane_doctor.watching.rounds import Ended
    from blueplane_doctor.watching.screen import Screen, keys

    console, screen = Console(highlight=False), Screen(every)

    def pressed(key: str) -> None:
        if key in "qQ":
            mailbox.put(Ended(ExitCode.OK))

    def take(latest: "Round") -> None:
        screen.add(latest)
        live.update(screen.drawn(*console.size), refresh=True)

    with keys(pressed), Live(screen.drawn(*console.size), console=console, screen=True, auto_refresh=False) as live:
        code = _follow(mailbox, take)
    verdict = screen.last_verdict(console.width)
    if verdict is not None:
        console.print(verdict)  # the live screen has taken its own text along
    return code
