"""What an editor hands over: read from standard input, and understood where it is a JSON object within bounds."""

import json
import os
import select
import time

_INPUT_LIMIT = 256 * 1024 * 1024
"""Bytes of standard input that are held; more is read, so that the editor can finish writing, and thrown away."""
PARSED_LIMIT = 64 * 1024 * 1024
"""Bytes of an input that is understood: parsed, it takes several times its size."""
DEEPEST = 500
"""Levels of objects and lists in one another that are sent: of about a thousand the server's own parser gives up, and
it answers as if another try were worth it."""
_INPUT_SECONDS = 3.0
"""The longest wait for the next byte of the input: on a busy machine the editor itself is late."""
_WHOLE_INPUT_SECONDS = 20.0
"""The longest wait for all of it."""
_PAUSE_SECONDS = 0.2
"""Without a byte for so long, an input that ends with a brace is taken to be complete."""


def read_input() -> bytes:
    """All of standard input, or a little more than _INPUT_LIMIT of it; empty when it is closed.

    An editor that keeps its end open is not waited for: after a pause, what looks complete is taken as complete.
    """
    data = bytearray()
    silent_until = time.monotonic() + _INPUT_SECONDS
    end = time.monotonic() + _WHOLE_INPUT_SECONDS
    try:
        while True:
            left = min(silent_until, end) - time.monotonic()
            if left <= 0:
                break
            readable, _, _ = select.select([0], [], [], min(left, _PAUSE_SECONDS))
            if not readable:
                if data[-100:].rstrip().endswith(b"}"):
                    break
                continue
            part = os.read(0, 1 << 20)
            if not part:
                break
            silent_until = time.monotonic() + _INPUT_SECONDS
            if len(data) <= _INPUT_LIMIT:
                data += part
    except (OSError, ValueError):
        pass
    return bytes(data)


def understood(raw: bytes) -> dict[str, object] | None:
    """The object that an input is.

    None where it is no JSON object, no UTF-8 or UTF-16, too large or too deep, or holds a number of thousands of
    digits.
    """
    if len(raw) > PARSED_LIMIT:
        return None
    try:
        # PowerShell puts a byte-order mark in front of what it pipes, and each command on the way one more.
        text = raw.decode(json.detect_encoding(raw)).lstrip("\ufeff")
        given = json.loads(text)
    except (ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(given, dict) or _is_deep(given, raw):
        return None
    return given


def _is_deep(given: dict[str, object], raw: bytes) -> bool:
    if raw.count(b"{") + raw.count(b"[") <= DEEPEST:
        return False  # nearly always, and known at once
    level: list[object] = [given]
    depth = 0
    while level and depth <= DEEPEST:
        depth += 1
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner += value.values()
            elif isinstance(value, list):
                inner += value
        level = [value for value in inner if isinstance(value, dict | list)]
    return depth > DEEPEST
