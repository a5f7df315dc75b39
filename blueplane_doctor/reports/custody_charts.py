"""The geometry of the charts of custody: the flow of the messages, the strip of their states, and the bars by time.

Only outlines are worked out here; every number that is shown is the report's own. A report may have been read from
a file that anybody wrote: what is no number is left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from blueplane_doctor.reports.phrases import GONE, gone

_RIVER = 96.0
"""Width of the flow that stands for all messages."""
_LEFT = 1.0
_BANK = 158.0
"""Where the texts beside the flow begin."""
_THINNEST = 2.0
"""Width of a band that stands for a single message among thousands: it must be seen."""
_STAGES = {
    "enqueued": ("waiting", "skipped", "trimmed_unread"),
    "delivered": ("in_flight", "stuck", "payload_gone", "dead_lettered", "lost", "untraceable", "unexamined"),
    "written": ("written_not_acknowledged", "written_not_delivered", "duplicate"),
}
"""The states that leave the flow after each stage."""
BARS = ("written", "waiting", "held", "dead_lettered", "broken")


def flow(states: Mapping[str, int | None]) -> dict[str, Any]:
    """The flow's outline, and from top to bottom the rows beside it, with the band that leaves it there.

    A row is a stage or a state (`leak`) that leaves the flow. The outline runs down its right edge, which every band
    moves to the left, and back up at its left edge.
    """
    widths = _widths(states)
    river = sum(widths.values())
    y = 0.0
    outline = f"M{_LEFT} 0H{_LEFT + river:.1f}"
    rows: list[dict[str, Any]] = []
    for stage, leaks in _STAGES.items():
        rows.append({"stage": stage, "middle": y + 28})
        y += 46
        for name in leaks:
            width = widths.get(name, 0.0)
            height = max(30.0, width + 10)
            middle = y + height / 2
            band = ""
            if width:
                band = _band(_LEFT + river, width, y, middle)
            rows.append({"leak": name, "middle": middle, "band": band})
            river -= width
            outline += f"V{y:.1f}H{_LEFT + river:.1f}"
            y += height
    outline += f"V{y + 14:.1f}L{_LEFT + river / 2:.1f} {y + 32:.1f}L{_LEFT} {y + 14:.1f}Z"
    return {"rows": rows, "end": y, "height": int(y + 34), "river": outline, "bank": int(_BANK)}


STATE_KINDS = {
    "written": "done",
    "written_not_acknowledged": "aside",
    "written_not_delivered": "aside",
    "duplicate": "aside",
    "skipped": "aside",
    "waiting": "open",
    "in_flight": "open",
    "stuck": "late",
    "dead_lettered": "late",
    "untraceable": "aside",
    "unexamined": "aside",
    "lost": "break",
    **dict.fromkeys(GONE, "break"),
}
"""The states in the order of the strip, and what the colour of each stands for."""
_LEAST_PERCENT = 0.6
"""Width of a part that stands for few messages among thousands: it must be seen."""


def custody_strip(chain: object) -> dict[str, Any] | None:
    """All messages as one bar, in percent, by state; None where custody was not examined."""
    if not isinstance(chain, Mapping) or not isinstance(chain.get("states"), Mapping):
        return None
    states = chain["states"]
    present = {}
    for state in STATE_KINDS:
        count = int(_amount(states, state))
        if count and state not in GONE:
            present[state] = count
    return {
        "status": str(chain.get("chain_status", "unknown")),
        "examined": chain.get("examined"),
        "parts": strip_parts(present, STATE_KINDS),
        "gone": gone(states),
    }


def strip_parts(counts: Mapping[str, int], kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    """The parts of one bar, in percent, in order of the states; a state whose kind is not known is set `aside`."""
    whole = sum(counts.values())
    widths = {}
    for state, count in counts.items():
        widths[state] = max(_LEAST_PERCENT, 100 * count / whole)
    # Small parts were widened, so that together they are more than the whole.
    scale = 100 / (sum(widths.values()) or 1.0)
    parts = []
    x = 0.0
    for state, width in widths.items():
        part = {"state": state, "kind": kinds.get(state, "aside"), "count": counts[state]}
        parts.append({**part, "x": round(x, 2), "width": round(width * scale, 2)})
        x += width * scale
    return parts


def _widths(states: Mapping[str, int | None]) -> dict[str, float]:
    """How wide each state's part of the flow is."""
    whole = sum(count or 0 for count in states.values()) or 1
    widths = {}
    for name, count in states.items():
        widths[name] = 0.0
        if count:
            widths[name] = max(_THINNEST, _RIVER * count / whole)
    return widths


def _band(right: float, width: float, top: float, middle: float) -> str:
    """The outline of a band that turns from the river's right edge to the bank."""
    upper = middle - width / 2
    lower = middle + width / 2
    inner = right - width
    return (
        f"M{inner:.1f} {top:.1f}Q{inner:.1f} {lower:.1f} {inner + width + 14:.1f} {lower:.1f}H{_BANK:.1f}"
        f"V{upper:.1f}H{right + 10:.1f}Q{right:.1f} {upper:.1f} {right:.1f} {top:.1f}Z"
    )


def bars(buckets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The bar chart, in percent: outlines of what was enqueued in each bucket, and on them of what became of it."""
    highest = max((_amount(bucket, "enqueued") for bucket in buckets), default=0)
    step = 100 / max(len(buckets), 1)
    scale = 100 / (highest or 1)
    enqueued = []
    became = []
    for place, bucket in enumerate(buckets):
        whole = scale * _amount(bucket, "enqueued")
        enqueued.append(("enqueued", _bar(place, step, whole, 100 - whole)))
        top = 100.0
        for kind in BARS:
            height = scale * _amount(bucket, kind)
            top -= height  # SVG counts downwards: each part stands on the one before
            if height:
                became.append((kind, _bar(place, step, height, top)))
    return {"highest": highest, "shapes": enqueued + became}


def _bar(place: int, step: float, height: float, top: float) -> str:
    """The outline of one bar; three quarters of a step wide, in its middle."""
    x = (place + 0.12) * step
    width = step * 0.76
    return f"M{x:.2f} {max(top, 0):.2f}h{width:.2f}v{min(height, 100):.2f}h-{width:.2f}Z"


def _amount(bucket: Mapping[str, Any], key: str) -> float:
    value = bucket.get(key)
    if not isinstance(value, int | float) or not value > 0:  # neither is `nan` above 0
        return 0.0
    return float(value)
