"""How the program ends at Ctrl-C, SIGTERM and SIGHUP: without a traceback, at any moment of its life.

While nobody could catch an exception, as between the imports at the start, a signal ends the process at once: there is
nothing yet to be tidied up. While a command runs, the first one is raised in it, and the second ends the process.
"""

# Not `signal`: to import it takes longer than all that is here, and until then Ctrl-C prints a traceback.
import _signal  # type: ignore[import-not-found]
import os
import sys
from types import FrameType, TracebackType

_INTERRUPT = 2
_HANG_UP = 1
_TERMINATE = 15
_SHELL_OFFSET = 128
"""A shell shows a process that a signal has ended as this and the signal's number; so do we."""

_AGAIN_SECONDS = 0.002
"""Until a dropped signal comes again: whatever dropped it has mostly ended by then."""
_is_program = False
"""Whether this process is the doctor's own, and not one that uses it as a library."""
_raises = False
"""Whether the next signal is raised as an exception."""
_is_inside = False
"""Whether there is a block that catches it."""
_raised = 0
"""The signal that was raised in that block."""
_dropped = 0
"""A signal whose exception was raised where Python drops it, and that is to come once more."""
_waiting: list[int] | None = None
"""Signals that came while nothing may be cut; None: they are not waited with."""


def begin(*, is_program: bool = False) -> None:
    """Take the signals, except those that are ignored, as nohup lets SIGHUP be.

    `is_program`: this process is the doctor's own, and may be ended by `end_at_once`.
    """
    global _is_program
    _is_program = is_program
    if is_program:
        sys.unraisablehook = _unraisable
    for number in (_INTERRUPT, _TERMINATE, _HANG_UP):
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, _end)


def end_at_once(code: int) -> None:
    """End the process where it is the doctor's own: to take all objects apart first takes a twentieth of a short run.

    For who has closed all that has to be closed. Returns where this is another's process, or what was written cannot
    be flushed: then the usual end tells it.
    """
    if not _is_program:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(code)


def give_back() -> None:
    """Let signals do what they do to any Python program."""
    for number, usual in (
        (_INTERRUPT, _signal.default_int_handler),
        (_TERMINATE, _signal.SIG_DFL),
        (_HANG_UP, _signal.SIG_DFL),
    ):
        if _signal.getsignal(number) == _end:
            _signal.signal(number, usual)


def _end(number: int, frame: object) -> None:
    global _raises, _raised
    if _waiting is not None and not _waiting:
        _waiting.append(number)
        return
    if _raises:
        _raises = False
        _raised = number
        raise _exception_of(number)
    if number == _INTERRUPT:
        try:  # noqa: SIM105  contextlib would be one more import
            os.write(2, b"blueplane-doctor: interrupted\n")
        except OSError:
            pass
    os._exit(_SHELL_OFFSET + number)


def _exception_of(number: int) -> BaseException:
    if number == _INTERRUPT:
        return KeyboardInterrupt()
    return SystemExit(_SHELL_OFFSET + number)


def _unraisable(arguments: "sys.UnraisableHookArgs") -> None:
    """Let a signal come again whose exception was dropped, as in a destructor, or where SQLite calls us.

    Of another exception its kind is said: Python would print a traceback, and a text that can be private.
    """
    global _dropped
    error = arguments.exc_value
    if isinstance(error, KeyboardInterrupt):
        _dropped = _INTERRUPT
    elif isinstance(error, SystemExit) and isinstance(error.code, int):
        _dropped = error.code - _SHELL_OFFSET
    else:
        reason = arguments.exc_type.__name__
        if isinstance(error, OSError) and error.errno:  # such as a full disk, when stdout is flushed at the end
            reason += f" ({os.strerror(error.errno)})"
        sys.stderr.write(f"blueplane-doctor: internal error: {reason} in a callback\n")
        return
    # Not raised here, where it would be dropped once more.
    _signal.signal(_signal.SIGALRM, _come_again)
    _signal.setitimer(_signal.ITIMER_REAL, _AGAIN_SECONDS)


def _come_again(_: int, frame: FrameType | None) -> None:
    global _raises
    if frame is not None and frame.f_code is _unraisable.__code__:  # still where it would be dropped
        _signal.setitimer(_signal.ITIMER_REAL, _AGAIN_SECONDS)
        return
    if _waiting is None:
        _raises = _is_inside
    _end(_dropped, frame)


class Interruptible:
    """A block in which a signal is raised: SIGINT as KeyboardInterrupt, the others as SystemExit.

    It ends so too where a library made an error of its own of it, as pydantic does.
    """

    def __enter__(self) -> None:
        global _raises, _raised, _is_inside
        _raised = 0
        _is_inside = True
        _raises = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global _raises, _is_inside
        _raises = False
        _is_inside = False
        if _raised and isinstance(error, Exception):
            raise _exception_of(_raised)


class Whole:
    """A block that no signal cuts: one that comes meanwhile is raised at the block's end, the second ends the process.

    Inside an Interruptible.
    """

    def __init__(self) -> None:
        self._raised = False

    def __enter__(self) -> None:
        global _raises, _waiting
        self._raised = _raises
        _raises = False
        _waiting = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global _raises, _waiting
        came = _waiting
        _waiting = None
        _raises = self._raised
        if came and kind is None:
            _end(came[0], None)
