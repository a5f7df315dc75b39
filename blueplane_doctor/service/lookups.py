"""Answers that must be read for the asker (history, one message's way): once for all who ask alike, and never for long.

An answer is kept for a moment, and served while the next is read, so that only the first asker waits. Few are read at a
time; how many are kept is bounded.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from blueplane_doctor.errors import SourceError

KEPT = 256
FAILED = 1.0
"""Seconds after which what could not be read is tried again."""
FAILED_SERVED = 10.0
"""Seconds for which the failure is told while it is tried again: nobody is to wait for a server that hangs."""


WAITED = 2.0
"""The longest that an asker waits; what is read then answers the next."""


class Busy(Exception):
    """More is being looked up than is allowed at a time."""


class Slow(Exception):
    """What was asked for is still being read."""


@dataclass(frozen=True)
class Terms:
    """Seconds for which an answer is not read again, and for which it is served while it is."""

    fresh: float
    served: float


@dataclass
class Looked:
    """A value or an error, and when it was read (seconds since 1970)."""

    value: Any
    error: Exception | None
    at: float

    def unwrap(self) -> Any:
        """The value; raises the error."""
        if self.error:
            raise self.error
        return self.value

    @property
    def age(self) -> float:
        """Seconds since it was read."""
        return time.time() - self.at

    @property
    def failed(self) -> bool:
        """Whether the source was to blame, not the question."""
        return isinstance(self.error, SourceError)

    def fresh(self, terms: Terms) -> bool:
        """Whether it need not be read again."""
        return self.age < (terms.fresh if self.error is None else FAILED)

    def served(self, terms: Terms) -> bool:
        """Whether it is good enough while it is read again."""
        if self.error is not None:
            return self.failed and self.age < FAILED_SERVED
        return self.age < terms.served


class Lookups:
    """Single-flight look-ups in threads, with a memory."""

    def __init__(self, *, threads: int = 2, waiting: int = 32) -> None:
        self._threads, self._waiting = threads, waiting
        self._pool: ThreadPoolExecutor | None = None
        self._kept: OrderedDict[Hashable, Looked] = OrderedDict()
        self._flights: dict[Hashable, asyncio.Future[Looked]] = {}

    async def get(
        self, key: Hashable, read: Callable[[], Any], terms: Terms, *, away: Exception | None = None
    ) -> Looked:
        """What `read` returned lately enough. Raises Busy and Slow.

        With `away`, the source is known not to answer: what is kept is served as long as the terms allow, or `away`
        raised, and nothing is read.
        """
        kept = self._kept.get(key)
        if kept and kept.fresh(terms):
            self._kept.move_to_end(key)
            return kept
        if away:
            if kept and kept.error is None and kept.served(terms):
                return kept
            raise away
        flight = self._flights.get(key)
        if flight is None:
            if len(self._flights) >= self._waiting:
                raise Busy
            flight = self._flights[key] = asyncio.ensure_future(self._fly(key, read, terms))
        if kept and kept.served(terms):
            return kept
        try:
            return await asyncio.wait_for(asyncio.shield(flight), WAITED)
        except TimeoutError:
            raise Slow from None

    def close(self) -> None:
        """Begin no more; those under way end by their own time limits."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _fly(self, key: Hashable, read: Callable[[], Any], terms: Terms) -> Looked:
        self._pool = self._pool or ThreadPoolExecutor(self._threads, "blueplane-lookup")
        at = time.time()
        try:
            looked = Looked(await asyncio.get_running_loop().run_in_executor(self._pool, read), None, at)
        except Exception as error:
            looked = Looked(None, error, at)
        finally:
            self._flights.pop(key, None)
        before = self._kept.get(key)
        if not (looked.failed and before and before.error is None and before.served(terms)):
            self._keep(key, looked)
        return looked

    def _keep(self, key: Hashable, looked: Looked) -> None:
        self._kept[key] = looked
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
