"""Where the service listens: an address, or a unix socket; bound before anything starts."""

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from blueplane_doctor.errors import UsageError
from blueplane_doctor.http_server.guard import is_loopback


@dataclass(frozen=True)
class ListenAddress:
    """Where to listen: an address, or a unix socket."""

    host: str = "127.0.0.1"
    port: int = 8788
    uds: Path | None = None

    def check(self, token: str | None) -> None:
        """Raises UsageError for an address that others can reach without a token."""
        if self.uds is None and token is None and not is_loopback(self.host):
            raise UsageError(
                f"--host {self.host}: others could ask without a password",
                "give --token-file FILE, or listen on 127.0.0.1 behind a proxy of yours",
            )


@contextlib.contextmanager
def bound(address: ListenAddress) -> Iterator[socket.socket]:
    """A socket that listens there until the block ends. Raises UsageError."""
    try:
        listener = _listener_at(address)
    except OSError as error:
        where = f"--uds {address.uds}" if address.uds else f"{address.host}:{address.port}"
        hint = _hint(address) if error.errno == errno.EADDRINUSE else ""
        raise UsageError(f"cannot listen on {where}: {error.strerror or error}", hint) from None
    except (UnicodeError, TypeError):  # as the idna encoding of a host name raises them
        raise UsageError(f"--host {address.host}: that is no name of a host") from None
    own = _identity(address.uds) if address.uds else None
    try:
        yield listener
    finally:
        # Removed before it is closed: what is then bound at this place belongs to somebody else.
        if address.uds and own is not None and _identity(address.uds) == own:
            address.uds.unlink(missing_ok=True)
        listener.close()


def _hint(address: ListenAddress) -> str:
    if address.uds:
        return "something that is no left-over socket is there: name another file"
    return "another program listens there: choose another --port"


def _identity(path: Path) -> tuple[int, int] | None:
    """By which a file is known again, whatever was renamed or made anew; None where there is none."""
    try:
        state = path.lstat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _listener_at(address: ListenAddress) -> socket.socket:
    """A left-over unix socket of a dead server of this user is replaced, nothing else."""
    if address.uds:
        if _is_left_over(address.uds):
            address.uds.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    else:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        # asyncio sends small writes at once only on sockets that name TCP; otherwise answers wait 40 ms for an ACK.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    mask = os.umask(0o177)  # a unix socket is for this user alone
    try:
        listener.bind(str(address.uds) if address.uds else (address.host, address.port))
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


def _is_left_over(path: Path) -> bool:
    """Whether it is a unix socket of this user that nobody listens on. The socket itself: no link is followed."""
    before = _identity(path)
    try:
        state = path.lstat()
    except OSError:
        return False
    if not stat.S_ISSOCK(state.st_mode) or state.st_uid != os.geteuid() or not _is_refused(path):
        return False
    return _identity(path) == before  # otherwise another server has taken the place meanwhile


def _is_refused(path: Path) -> bool:
    """Whether nobody has this socket. Another error is somebody's, as of one for datagrams, or of a full backlog."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # a server that hangs accepts nobody, and would be waited for
        return probe.connect_ex(str(path)) == errno.ECONNREFUSED


def url_of(listener: socket.socket) -> str:
    """Where it can be asked."""
    name = listener.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}"
