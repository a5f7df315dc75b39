"""Settings as they are shown: without secrets, by dotted name. tests/commands/test_schema.py tests their schema."""

from typing import Any

import pytest

from blueplane_doctor.settings.view import flat, masked, without_secrets

SECRET = "hunter2-s3cret"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"redis://:{SECRET}@h:1/0", "redis://:***@h:1/0"),
        (f"redis://me:{SECRET}@h:1/0", "redis://me:***@h:1/0"),
        (f"redis://me:{SECRET}@[::1]:1/0", "redis://me:***@[::1]:1/0"),
        (f"unix:///run/redis.sock?password={SECRET}&db=1", "unix:///run/redis.sock?password=***&db=1"),
        (f"redis://h:1/0?db=2&password={SECRET}", "redis://h:1/0?db=2&password=***"),
        (f"redis://h:1/0?db=2&pass%77ord={SECRET}", "redis://h:1/0?db=2&pass%77ord=***"),
        (f"https://h/page?key={SECRET}#end", "https://h/page?key=***#end"),
        (f"redis://{SECRET}@h:1/0", "redis://***@h:1/0"),
        (f"redis://me:{SECRET}/x@h:1/0", "redis://me:***@h:1/0"),
        (f"redis://me:{SECRET}@x?y@h:1/0", "redis://me:***@h:1/0"),
        (f"redis://{SECRET}@[h", "redis://***@[h"),
        ("redis://h:1/0?db=2", "redis://h:1/0?db=2"),
        ("redis://[h", "redis://[h"),
        (None, ""),
        (5, "5"),
        ("~/.blueplane", "~/.blueplane"),
    ],
)
def test_masked(value: Any, shown: str) -> None:
    assert masked(value) == shown


def test_flat() -> None:
    assert flat({"a": {"b": 1, "c": {}}, "d": [2]}) == [("a.b", 1), ("a.c", {}), ("d", [2])]


def test_neither_lists_nor_commands_hold_a_secret() -> None:
    rules = [{"url": None, "command": ["curl", "-H", SECRET], "from": "red"}]
    assert without_secrets(rules) == [{"url": None, "command": ["curl", "***", "***"], "from": "red"}]
    assert without_secrets([f"redis://{SECRET}@h", 5]) == ["redis://***@h", 5]
