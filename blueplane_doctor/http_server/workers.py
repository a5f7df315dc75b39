"""Threads for what blocks: at most so many at once, and each ends with its work.

A pool keeps its threads for good, and waits at the interpreter's end for work that hangs.
"""

import asyncio
import contextlib
from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

from blueplane_doctor.errors import DoctorError
from blueplane_doctor.process.threads import NO_THREADS, has_begun

_Result = TypeVar("_Result")


class Workers:
    """For one event loop."""

    def __init__(self, most: int, name: str) -> None:
        self._free = asyncio.Semaphore(most)
        self._name = name

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """What `work` returns or raises, done in a thread; waits for its turn. Raises DoctorError without a thread."""
        loop = asyncio.get_running_loop()
        await self._free.acquire()
        done: asyncio.Future[_Result] = loop.create_future()

        def finish(result: Any, error: BaseException | None) -> None:
            self._free.release()  # here and not by the asker, who may have gone while the thread still works
            if done.cancelled():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)

        def run() -> None:
            result = None
            error = None
            try:
                result = work()
            except BaseException as raised:
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop has been closed, and nobody waits any more
                loop.call_soon_threadsafe(finish, result, error)

        if not has_begun(Thread(target=run, name=self._name, daemon=True)):
            self._free.release()
            raise DoctorError(NO_THREADS, "ask again in a moment")
        return await done
