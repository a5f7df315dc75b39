"""All that a pipeline holds, in Redis and in files, compared before and after: looking may change nothing."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import redis

from tests.truth.observe import entries
from tests.truth.situation import Situation

_BY_ITSELF = re.compile(r"idle|inactive|seen|active|radix|age|time-since|pel-count")
"""What XINFO tells and time alone changes."""
_LARGEST = 100_000_000
"""Bytes of a file whose content is compared: of a sparse file of a gigabyte the size is enough."""


def snapshot(situation: Situation) -> dict[str, Any]:
    """Redis' keys with groups and pending entries, how often it evicted, and each file of the user's home.

    What Redis does not answer now, because it is busy or gone, is left out in each snapshot alike.
    """
    held: dict[str, Any] = {f"file {name}": state for name, state in files(situation.user_home).items()}
    held |= {f"file {name}": state for name, state in files(situation.home).items()}
    with situation.redis.client(timeout=5) as client:
        try:
            held["evicted_keys"] = client.info("stats")["evicted_keys"]
            for key in sorted(client.keys("*")):
                held[f"key {key}"] = _key(client, key)
        except redis.RedisError as error:
            held["refused"] = type(error).__name__
    return held


def _key(client: Any, key: str) -> Any:
    kind = client.type(key)
    if kind == "string":
        return (kind, client.strlen(key))
    if kind != "stream":
        return (kind, client.object("encoding", key))
    groups = []
    for group in client.xinfo_groups(key):
        rows = client.xpending_range(key, group["name"], "-", "+", 100_000)
        pending = [(row["message_id"], row["consumer"], row["times_delivered"]) for row in rows]
        consumers = [_stable(consumer) for consumer in client.xinfo_consumers(key, group["name"])]
        groups.append((_stable(group), consumers, pending))
    return (kind, _digest_of_stream(client, key), _stable(client.xinfo_stream(key)), groups)


def _digest_of_stream(client: Any, key: str) -> str:
    digest = hashlib.sha256()
    for entry in entries(client, key):
        digest.update(repr(entry).encode())
    return digest.hexdigest()


def _stable(info: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in info.items() if not _BY_ITSELF.search(name)}


def files(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Each file below a folder: mode, size, hash of its content. A -shm is left out: readers mark their place in it."""
    if not folder.exists():
        return {}
    states = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith("-shm"):
            state = path.stat()
            content = b""
            # Where this user may not read it, nobody whom it starts may either: then size and mode are enough.
            if state.st_size <= _LARGEST and os.access(path, os.R_OK):
                content = path.read_bytes()
            states[str(path)] = (state.st_mode, state.st_size, _digest(content))
    return states


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
