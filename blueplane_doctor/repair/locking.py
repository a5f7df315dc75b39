"""One repair at a time: a lock in the home, which ends with its process, and one in Redis, which ends by itself.

Two homes may use one Redis, so the lock of the home is not enough. A repair that was killed leaves its key in Redis for
a while. The key holds a token of the home: who has the lock of the same home knows that the owner of the key has ended,
and goes on with it.
"""

import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import RepairRefused, SourceError
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.private_files import open_regular
from blueplane_doctor.repair.store import LOCK_FILE, Store

if sys.platform != "win32":
    import fcntl

LOCK_MS = 30_000
"""As long as the key in Redis stays after its owner was seen last; each step of a repair renews it."""
_TOKEN_BYTES = 12
_TOKEN = re.compile(r"[0-9a-f]{24}-\d+\Z")
_LONGEST_TOKEN = 80


@contextmanager
def locked(store: Store, writing: Connection, queue: str) -> Iterator[str]:
    """Hold both locks; gives the token. Raises RepairRefused when another repair runs, and SourceError."""
    with _locked_home(store) as token:
        if not writing.ask_one(*scripts.hold(queue, token, LOCK_MS)):
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
def _locked_home(store: Store) -> Iterator[str]:
    """Gives the token of this home, which stays the same. Raises RepairRefused."""
    store.prepare()
    handle = open_regular(store.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RepairRefused(f"another repair of {store.folder.parent} runs", "wait for its end") from error
        # With the number of the file: a copy of the home must not pass for the home, for both may be at work at once.
        own = f"-{os.fstat(handle).st_ino}"
        token = os.read(handle, _LONGEST_TOKEN).decode("ascii", "replace")
        if not _TOKEN.match(token) or not token.endswith(own):
            token = secrets.token_hex(_TOKEN_BYTES) + own
            os.ftruncate(handle, 0)
            os.pwrite(handle, token.encode(), 0)
            os.fsync(handle)
        yield token
    finally:
        os.close(handle)
