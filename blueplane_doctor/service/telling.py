"""Telling people what the service sees: a sample a minute of its newest report, in a thread of its own."""

import contextlib
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread

from blueplane_doctor.judging.sampler import next_turn, wait_until
from blueplane_doctor.notifying.notifier import Notifier
from blueplane_doctor.service.health_service import HealthService

_EVERY_SECONDS = 60.0
_LAST_SECONDS = 2.0
"""For messages that are under way when the service ends; what is not delivered is told after the next start."""
_EVERYWHERE = ("0.0.0.0", "[::]")


@contextlib.contextmanager
def telling(
    service: HealthService,
    log: Callable[[str], None],
    page: str = "",
    *,
    every: float = _EVERY_SECONDS,
    clock: Callable[[], float] = time.time,
) -> Iterator[None]:
    """Tell people while the block runs, by the settings in force; nobody is told where they name nobody.

    `every`: seconds between two samples. `clock`: gives the moment of a sample, in seconds since 1970.
    """
    notifier = Notifier(service.settings, log, every=_EVERY_SECONDS, page=page)
    stop = Event()
    thread = Thread(target=_follow, args=(service, notifier, every, clock, stop), name="blueplane-tell", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_LAST_SECONDS)
        notifier.finish(_LAST_SECONDS)


def _follow(service: HealthService, notifier: Notifier, every: float, clock: Callable[[], float], stop: Event) -> None:
    has_begun = False
    while wait_until(next_turn(time.time(), every), stop):
        # Asked of memory, so that an examination that hangs is seen here as everybody sees it: as unknown.
        snapshot = service.current()
        has_begun = has_begun or snapshot.complete
        if has_begun:
            notifier.follow(service.settings)
            notifier.sample(snapshot.report, clock())


def page_at(url: str) -> str:
    """The live page of a service that can be asked at this URL; empty for a unix socket, which no browser opens.

    Where a proxy stands before a socket, the setting `page_url` says what it is called there.
    """
    if not url.startswith("http"):
        return ""
    for everywhere in _EVERYWHERE:
        url = url.replace(f"//{everywhere}:", "//127.0.0.1:")
    return f"{url}/"
