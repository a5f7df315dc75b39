"""`record`: a sample of the pipeline's numbers into the history, once or every minute. Writes under its prefix only."""

from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import command, complain, invocation
from blueplane_doctor.errors import ExitCode, UsageError
from blueplane_doctor.times import seconds_in

if TYPE_CHECKING:
    from blueplane_doctor.history.sampler import Sampler


@command("record", "Keep a sample of the pipeline's numbers every minute, for seven days.")
def record(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One sample now, then end: for cron and timers.")] = False,
    every: Annotated[str, typer.Option("--every", help="Time between samples, whole minutes.", metavar="SPAN")] = "60s",
) -> int:
    seconds = seconds_in(every, "--every")
    if not seconds or seconds % 60:
        raise UsageError(f"--every {every}: the history keeps whole minutes", "for example 60s or 5m")
    settings = invocation(context).load().settings
    from blueplane_doctor.history.sampler import Sampler

    sampler = Sampler(settings, seconds)
    try:
        return _once(sampler) if once else _for_ever(sampler, seconds)
    finally:
        sampler.release()


def _once(sampler: "Sampler") -> int:
    import time

    from blueplane_doctor.history.sampler import BUSY

    if sampler.take(time.time()) == BUSY:
        complain("another recorder is writing; it keeps this minute")
    return ExitCode.OK


def _for_ever(sampler: "Sampler", seconds: float) -> int:
    """Until SIGTERM (0) or Ctrl-C (130). A sample that has begun is finished first, and the lock given back."""
    import signal
    from threading import Event

    from blueplane_doctor.history.sampler import record_every

    stop = Event()
    ended_by: list[int] = []

    def end(number: int, _: object) -> None:
        ended_by.append(number)
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    complain(f"recording every {seconds:g} s into the history at {sampler.storage.link.address}")
    record_every(sampler, seconds, stop, complain)
    return ExitCode.INTERRUPTED if signal.SIGINT in ended_by else ExitCode.OK
