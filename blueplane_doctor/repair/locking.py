"""One repair at a time: a lock in the home, which ends with its process, and one in Redis, which ends by itself.

Two homes may use one Redis, so the lock of the home is not enough. A repair that was killed leaves its key in Redis for
a while; who has the lock of the same home knows that its owner has ended, and takes the key over.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import RepairRefused, SourceError
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.store import LOCK_FILE, PRIVATE, Store

LOCK_MS = 30_000
"""As long as the key in Redis stays after its owner was seen last; each step of a repair renews it."""
_TOKEN_BYTES = 12


@contextmanager
def locked(store: Store, writing: Connection, queue: str) -> Iterator[str]:
    """Hold both locks; gives the token. Raises RepairRefused when another repair runs, and SourceError."""
    with _locked_home(store) as (token, dead_token):
        if not writing.ask_one(*scripts.hold(queue, token, LOCK_MS, dead_token)):
            raise RepairRefused(
                f"another repair of the Redis at {writing.address} runs, or was killed less than half a minute ago",
                "wait for its end",
            )
        try:
            yield token
        finally:
            with suppress(SourceError):  # where Redis does not answer, the key goes away by itself
                writing.ask_one(*scripts.release(queue, token))


@contextmanager
def _locked_home(store: Store) -> Iterator[tuple[str, str]]:
    """Gives a new token, and that of the last owner, which has ended."""
    store.prepare()
    handle = os.open(store.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RepairRefused(f"another repair of {store.folder.parent} runs", "wait for its end") from error
        dead_token = os.read(handle, 200).decode("ascii", "replace")
        token = secrets.token_hex(_TOKEN_BYTES)
        os.ftruncate(handle, 0)
        os.pwrite(handle, token.encode(), 0)
        yield token, dead_token
    finally:
        os.close(handle)
