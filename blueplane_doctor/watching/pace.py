"""Rounds in a thread of their own, one after the other, put into a mailbox with whatever else happens."""

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread

from blueplane_doctor.watching.rounds import Round


class Ended:
    """Somebody wants to end: a signal, a key, or the last round was made. `code` None: that of the last round."""

    def __init__(self, code: int | None = None) -> None:
        self.code = code


class Broken:
    """A round broke; watching ends with this error."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


Mailbox = SimpleQueue[Round | Ended | Broken]
"""SimpleQueue: a signal handler may put into it while the same thread waits for it."""


def start(look: Callable[[], Round], every: float, rounds: int, mailbox: Mailbox) -> Event:
    """Begin to make rounds, `every` seconds from start to start, 0 rounds: without end. Set the event to stop.

    A round that takes longer than that delays the next; two are never made at once.
    """
    stop = Event()
    Thread(target=_make, args=(look, every, rounds, mailbox, stop), daemon=True).start()
    return stop


def _make(look: Callable[[], Round], every: float, rounds: int, mailbox: Mailbox, stop: Event) -> None:
    made = 0
    while not stop.is_set():
        began = time.monotonic()
        try:
            mailbox.put(look())
        except Exception as error:
            mailbox.put(Broken(error))
            return
        made += 1
        if made == rounds:
            mailbox.put(Ended())
            return
        stop.wait(max(0.0, began + every - time.monotonic()))
