"""Times of every shape that the pipeline writes, as aware UTC datetimes, and back; and durations in words."""

import re
from datetime import UTC, datetime

from blueplane_doctor.errors import UsageError
from blueplane_doctor.text.characters import Public

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([smhd]?)\Z")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = -62_135_596_800_000
"""The first moment that a datetime in UTC can hold, in milliseconds since 1970."""
_LATEST = 253_402_300_799_999
"""The last one."""


def parse_time(text: str | None) -> datetime | None:
    """ISO 8601 with `Z`, an offset or neither (then UTC), with or without fractions; None for anything else."""
    if not text or not isinstance(text, str):
        return None
    moment = _moment(text)
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # An offset can move a moment beside the first or last day of the calendar out of it.
        return None


def milliseconds_of(text: str) -> int | None:
    """The same in milliseconds since 1970, faster: it makes no second datetime."""
    moment = _moment(text)
    if moment is None:
        return None
    # Not over a float, which is wrong by one for some moments; and to divide by a timedelta takes longer.
    since = moment - _EPOCH
    milliseconds = 1000 * (86_400 * since.days + since.seconds) + since.microseconds // 1000
    if not _EARLIEST <= milliseconds <= _LATEST:
        return None
    return milliseconds


def _moment(text: str) -> datetime | None:
    if len(text) > 64:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment


def from_milliseconds(milliseconds: int) -> datetime:
    """The moment that a stream ID's first part names; clamped to what a datetime can hold."""
    # The end is a whole second: seconds of that size, as a float, are wrong in the sixth decimal.
    clamped = min(max(milliseconds, 0), _LATEST - 999)
    return datetime.fromtimestamp(clamped / 1000, UTC)


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, as in a stream ID."""
    return int(moment.timestamp() * 1000)


def iso(moment: datetime | None) -> Public | None:
    """ISO 8601 in UTC to the millisecond, with `Z`."""
    if moment is None:
        return None
    return _iso(moment)


def _iso(moment: datetime) -> Public:
    return Public(moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def readable(text: str | None, timespec: str = "seconds") -> str:
    """A time in ISO 8601 as people read it, `2026-03-14 09:26:53 UTC`; any other text as it is, empty for none.

    `timespec`: to what it is exact, as in `datetime.isoformat`.
    """
    moment = parse_time(text)
    if moment is None:
        return text or ""
    return f"{moment.replace(tzinfo=None).isoformat(' ', timespec)} UTC"


def iso_of_milliseconds(milliseconds: int) -> Public:
    """A moment in milliseconds since 1970 as ISO 8601."""
    return _iso(from_milliseconds(milliseconds))


def iso_if_known(milliseconds: int | None) -> Public | None:
    """The same, and None of None."""
    if milliseconds is None:
        return None
    return iso_of_milliseconds(milliseconds)


def iso_of_seconds(seconds: float) -> Public:
    """A moment in seconds since 1970 as ISO 8601."""
    return iso_of_milliseconds(int(seconds * 1000))


def milliseconds_since(moment_ms: int | None, now_ms: int) -> int | None:
    """Since a moment in milliseconds since 1970, never negative: a producer's clock may be ahead. None of None."""
    if moment_ms is None:
        return None
    return max(0, now_ms - moment_ms)


def seconds_in(text: str, option: str) -> float:
    """The seconds of `90s`, `30m`, `6h`, `2d`, or of a bare number. Raises UsageError naming the option."""
    seconds = span_seconds(text)
    if seconds is None:
        raise UsageError(f"{option} {text}: not a span of time", "a number and s, m, h or d: 90s, 30m, 6h")
    return seconds


def span_seconds(text: str) -> float | None:
    """The same; None for a text that is no span of time."""
    match = _SPAN.match(text.strip().lower())
    if match is None:
        return None
    number, unit = match.groups()
    return float(number) * _UNITS[unit]


def span(milliseconds: float) -> str:
    """A duration as a person says it: `4.2 ms`, `450 ms`, `2.5 s`, `12 s`, `5 min`, `3 h 20 min`, `4 days`."""
    if milliseconds < 0:
        return f"-{span(-milliseconds)}"
    if round(milliseconds) < 1000:
        return f"{_short(milliseconds)} ms"
    seconds = milliseconds / 1000
    if seconds < 90:
        return f"{_short(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    if minutes == 0:
        return f"{hours} h"
    return f"{hours} h {minutes} min"


def _short(value: float) -> str:
    """One decimal below 10, for there it says something; none above."""
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}".removesuffix(".0")
