"""The addresses of a server that has a name, within a time limit."""

import _thread
import socket


def addresses_of(host: str, port: int, seconds: float) -> list[tuple[str, int]]:
    """Where to connect to. Raises OSError, TimeoutError among them, and ValueError for what is no name.

    getaddrinfo knows no time limit: where no name server answers it takes ten seconds, and the editor waits. So it is
    left behind in a thread that the end of the process does not wait for.
    """
    addresses: list[tuple[str, int]] = []
    failures: list[Exception] = []
    running = _thread.allocate_lock()  # the module `threading` would be one more import
    running.acquire()

    def ask() -> None:
        try:
            for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                addresses.append((str(place[0]), port))
        except (OSError, ValueError) as error:
            failures.append(error)
        finally:
            running.release()

    try:
        _thread.start_new_thread(ask, ())
    except RuntimeError:  # no more threads are allowed
        ask()
    if not running.acquire(timeout=seconds):
        raise TimeoutError
    if failures:
        raise failures[0]
    return addresses
