"""What a service says on stderr while it runs: one line a kind a minute, and never so that it waits for a reader."""

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from blueplane_doctor.text.console import say_if_read

_EVERY_SECONDS = 60.0
MOST_KINDS = 64
"""Kinds that are remembered; what is of none of them shares one."""
_OTHERS = "others"


class Complaints:
    """Lines on stderr, at most one a kind a minute; the next one says how many were left out."""

    def __init__(self, write: Callable[[str], None] | None = None) -> None:
        self._write = write or say_if_read
        self._lock = threading.Lock()
        self._said_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def __call__(self, text: str, kind: str = "") -> None:
        """Say it, unless one of its kind was said within the last minute. Without a kind, each text is one."""
        kind = kind or text
        now = time.monotonic()
        with self._lock:
            if kind not in self._said_at and len(self._said_at) >= MOST_KINDS:
                kind = _OTHERS
            said_at = self._said_at.get(kind)
            if said_at is not None and now - said_at < _EVERY_SECONDS:
                self._left_out[kind] = self._left_out.get(kind, 0) + 1
                return
            self._said_at[kind] = now
            left_out = self._left_out.pop(kind, 0)
        if left_out:
            text += f" ({left_out} more like this since the last line)"
        self._write(text)


class _LogLines(logging.Handler):
    """Libraries' warnings, by the name of their logger; their texts may quote what was sent, and are left out."""

    def __init__(self, complain: Complaints) -> None:
        super().__init__(logging.WARNING)
        self._complain = complain

    def emit(self, record: logging.LogRecord) -> None:
        error = ""
        if record.exc_info and record.exc_info[0]:
            error = f": {record.exc_info[0].__name__}"
        kind = f"{record.name} line {record.lineno}"
        self._complain(f"blueplane-doctor: {record.levelname.lower()} of {record.name}{error}", kind)


@contextlib.contextmanager
def bounded(complain: Complaints) -> Iterator[None]:
    """While the block runs, whatever libraries and threads would print goes through `complain`."""
    handler = _LogLines(complain)
    root = logging.getLogger()
    root.addHandler(handler)
    before = threading.excepthook
    unraisable_before = sys.unraisablehook

    def in_thread(arguments: threading.ExceptHookArgs) -> None:
        _complain_of(complain, arguments.exc_type, arguments.exc_traceback)

    def unraisable(arguments: Any) -> None:
        _complain_of(complain, arguments.exc_type, arguments.exc_traceback)

    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
    try:
        yield
    finally:
        sys.unraisablehook = unraisable_before
        threading.excepthook = before
        root.removeHandler(handler)


def _complain_of(complain: Complaints, kind: type[BaseException], trace: TracebackType | None) -> None:
    place = ""
    while trace is not None:
        place = f" in {trace.tb_frame.f_code.co_name} line {trace.tb_lineno}"
        trace = trace.tb_next
    complain(f"blueplane-doctor: internal error: {kind.__name__}{place}")


def watch_loop(complain: Complaints) -> None:
    """Let the running event loop complain of what nobody has caught; asyncio would log it with a traceback."""

    def on_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None:
            complain(f"blueplane-doctor: internal error: {context['message']}")
        else:
            _complain_of(complain, type(error), error.__traceback__)

    asyncio.get_running_loop().set_exception_handler(on_error)
