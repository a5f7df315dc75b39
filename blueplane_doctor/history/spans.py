"""Durations as a person types them: `90s`, `5m`, `24h`, `7d`."""

import re

from blueplane_doctor.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([smhd])\Z")


def seconds_in(text: str, option: str) -> float:
    """The seconds of a duration. Raises UsageError naming the option that it was given to."""
    found = _SPAN.match(text.strip().lower())
    if not found or float(found[1]) == 0:
        raise UsageError(f"{option} {text}: not a duration", "a number and a unit: 90s, 5m, 24h, 7d")
    return float(found[1]) * _SECONDS[found[2]]
