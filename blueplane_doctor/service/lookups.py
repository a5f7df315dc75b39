"""Answers that must be read for the asker (history, one message's way): once for all who ask alike, and never for long.

An answer is kept for a moment, and served while the next is read. Few are read at a time; how many are kept is bounded.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

KEPT = 256


class Busy(Exception):
    """More is being looked up than is allowed at a time."""


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


class Lookups:
    """Single-flight look-ups in threads, with a memory."""

    def __init__(self, *, threads: int = 2, waiting: int = 32) -> None:
        self._threads, self._waiting = threads, waiting
        self._pool: ThreadPoolExecutor | None = None
        self._kept: OrderedDict[Hashable, Looked] = OrderedDict()
        self._flights: dict[Hashable, asyncio.Future[Looked]] = {}

    async def get(self, key: Hashable, read: Callable[[], Any], *, fresh: float, serve: float) -> Looked:
        """What `read` returned less than `fresh` seconds ago; up to `serve` seconds while it is read again.

        Raises Busy.
        """
        kept = self._kept.get(key)
        age = time.time() - kept.at if kept else float("inf")
        if kept and age < fresh:
            self._kept.move_to_end(key)
            return kept
        flight = self._flights.get(key)
        if flight is None:
            if len(self._flights) >= self._waiting:
                raise Busy
            flight = self._flights[key] = asyncio.ensure_future(self._fly(key, read))
        if kept and age < serve and kept.error is None:
            return kept
        return await asyncio.shield(flight)

    def forget(self) -> None:
        """Drop all that is kept."""
        self._kept.clear()

    def close(self) -> None:
        """Begin no more; those under way end by their own time limits."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _fly(self, key: Hashable, read: Callable[[], Any]) -> Looked:
        self._pool = self._pool or ThreadPoolExecutor(self._threads, "blueplane-lookup")
        at = time.time()
        try:
            looked = Looked(await asyncio.get_running_loop().run_in_executor(self._pool, read), None, at)
        except Exception as error:
            looked = Looked(None, error, at)
        finally:
            self._flights.pop(key, None)
        self._kept[key] = looked
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return looked
