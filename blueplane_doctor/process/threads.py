"""Threads, of which a machine may have no more to give."""

from threading import Thread

NO_THREADS = "the system gives this user no more threads"
"""Why something was not begun where starting a thread fails, as with few processes (ulimit -u) or little memory."""


def has_begun(thread: Thread) -> bool:
    """Start the thread; False where the system gives no more of them. It is then as it was, and may be tried again."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True
