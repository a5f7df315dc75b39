"""Keep a sample of the pipeline's numbers every minute, for seven days."""

import signal
import time
from threading import Event
from typing import Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.errors import ExitCode, UsageError
from blueplane_doctor.judging.sampler import BUSY, Sampler, record_every
from blueplane_doctor.notifying.delivery import DELIVERY_SECONDS
from blueplane_doctor.notifying.notifier import Notifier
from blueplane_doctor.privacy.machine_key import make_key
from blueplane_doctor.settings.options import EXAMINING
from blueplane_doctor.text.console import complain, remark
from blueplane_doctor.text.times import seconds_in

COMMAND = new_command(__doc__)
_DEFAULT_PAUSE = "60s"
_LAST_SECONDS = 3.0
"""For messages that are under way when it is ended; what is not delivered is told after the next start."""


@command(COMMAND, *EXAMINING, "notify", every=f"Time between samples, whole minutes, default {_DEFAULT_PAUSE}.")
def record(
    given: Invocation,
    once: Annotated[bool, typer.Option("--once", help="One sample now, then end: for cron and timers.")] = False,
) -> int:
    """Writes keys under the prefix of the history, and once the key of this machine's fingerprints."""
    every = given.options.every or _DEFAULT_PAUSE
    seconds = seconds_in(every, "--every")
    if not seconds or seconds % 60:
        raise UsageError(f"--every {every}: the history keeps whole minutes", "for example 60s or 5m")
    make_key()
    settings = given.load(for_examination=True).settings
    # A timer takes single samples at intervals of its own.
    notifier = Notifier(settings, remark, every=0.0 if once else seconds)
    sampler = Sampler(settings, seconds, notifier if notifier.is_wanted else None)
    try:
        return _once(sampler) if once else _until_stopped(sampler, seconds)
    finally:
        sampler.release()
        notifier.finish(DELIVERY_SECONDS if once else _LAST_SECONDS)


def _once(sampler: Sampler) -> int:
    if sampler.take(time.time()) == BUSY:
        complain("another recorder is writing; it keeps this minute")
    return ExitCode.OK


def _until_stopped(sampler: Sampler, seconds: float) -> int:
    """Until SIGTERM (0) or Ctrl-C (130). A sample that has begun is finished first, and the lock given back."""
    stop = Event()
    ended_by: list[int] = []

    def end(number: int, _: object) -> None:
        ended_by.append(number)
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    remark(f"recording every {seconds:g} s into the history at {sampler.storage.connection.address}")
    record_every(sampler, seconds, stop, remark)
    return ExitCode.INTERRUPTED if signal.SIGINT in ended_by else ExitCode.OK
