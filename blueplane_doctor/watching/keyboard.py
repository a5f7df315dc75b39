"""Single keys from the terminal, which is left as it was found."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from threading import Thread


@contextlib.contextmanager
def keys(pressed: Callable[[str], None]) -> Iterator[None]:
    """Call `pressed` with each key, from another thread; without a terminal to read from, never."""
    if not sys.stdin or not sys.stdin.isatty():
        yield
        return
    import termios

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    quiet = termios.tcgetattr(number)
    quiet[3] &= ~(termios.ICANON | termios.ECHO)
    # Ctrl-Z would leave the shell on the alternate screen, without a cursor.
    quiet[6][termios.VSUSP] = b"\x00"
    termios.tcsetattr(number, termios.TCSADRAIN, quiet)
    Thread(target=_read, args=(number, pressed), daemon=True).start()
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _read(number: int, pressed: Callable[[str], None]) -> None:
    with contextlib.suppress(OSError):  # the terminal went away
        while key := os.read(number, 1):
            pressed(key.decode("ascii", "replace"))
