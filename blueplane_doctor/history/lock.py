"""The lock that keeps two recorders from writing at once: a key with an owner's token and an expiry."""

import os

from blueplane_doctor.history.link import Link

_HOLD = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RecorderLock:
    """Held by one process; it goes away by itself `seconds` after its owner last held it."""

    def __init__(self, link: Link, prefix: str, seconds: float) -> None:
        self.key = prefix + "recorder"
        self._link = link
        self._milliseconds = int(seconds * 1000)
        self._token = f"{os.getpid()}-{os.urandom(12).hex()}"

    def hold(self) -> bool:
        """Take the lock, or keep it for longer; False when somebody else has it. Raises SourceError."""
        return bool(self._link.ask_one("EVAL", _HOLD, 1, self.key, self._token, self._milliseconds))

    def release(self) -> None:
        """Give it back; somebody else's is left alone. Raises SourceError."""
        self._link.ask_one("EVAL", _RELEASE, 1, self.key, self._token)
