"""The picture of the chain: a river that flows down, and loses to the right what does not arrive; and its bar chart.

Only widths are worked out here; every number that is shown is the report's own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

RIVER, LEFT, BANK = 96.0, 1.0, 158.0
STAGES = {
    "enqueued": ("waiting", "skipped", "trimmed_unread"),
    "delivered": ("in_flight", "stuck", "payload_gone", "dead_lettered", "lost", "untraceable", "unexamined"),
    "written": ("duplicate",),
}
"""What leaves the river after each stage."""


def flow(states: Mapping[str, int | None]) -> dict[str, Any]:
    """The river's outline, and from top to bottom the rows beside it, with the band that leaves it there."""
    whole = sum(count or 0 for count in states.values()) or 1
    widths = {name: max(2.0, RIVER * count / whole) if count else 0.0 for name, count in states.items()}
    river, y = sum(widths.values()), 0.0
    outline = f"M{LEFT} 0H{LEFT + river:.1f}"
    rows: list[dict[str, Any]] = []
    for stage, leaks in STAGES.items():
        rows.append({"stage": stage, "middle": y + 28})
        y += 46
        for name in leaks:
            width = widths.get(name, 0.0)
            height = max(30.0, width + 10)
            middle = y + height / 2
            band = _band(LEFT + river, width, y, middle) if width else ""
            rows.append({"leak": name, "middle": middle, "band": band})
            river -= width
            outline += f"V{y:.1f}H{LEFT + river:.1f}"
            y += height
    outline += f"V{y + 14:.1f}L{LEFT + river / 2:.1f} {y + 32:.1f}L{LEFT} {y + 14:.1f}Z"
    return {"rows": rows, "end": y, "river": outline, "bank": BANK}


def _band(right: float, width: float, top: float, middle: float) -> str:
    """The outline of a band that turns from the river's right edge to the bank."""
    upper, lower = middle - width / 2, middle + width / 2
    inner = right - width
    return (
        f"M{inner:.1f} {top:.1f}Q{inner:.1f} {lower:.1f} {inner + width + 14:.1f} {lower:.1f}H{BANK:.1f}"
        f"V{upper:.1f}H{right + 10:.1f}Q{right:.1f} {upper:.1f} {right:.1f} {top:.1f}Z"
    )


BARS = ("written", "waiting", "held", "dead_lettered", "broken")


def bars(buckets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shapes of the bar chart: for each bucket what was enqueued, and on it what became of it, in percent."""
    highest = max((_amount(bucket, "enqueued") for bucket in buckets), default=0)
    step = 100 / max(len(buckets), 1)
    shapes = []
    for place, bucket in enumerate(buckets):
        top = 100.0
        for kind in BARS:
            height = 100 * _amount(bucket, kind) / (highest or 1)
            top -= height
            if height:
                shapes.append((kind, place * step + step * 0.12, max(top, 0), step * 0.76, min(height, 100)))
        height = 100 * _amount(bucket, "enqueued") / (highest or 1)
        shapes.insert(0, ("enqueued", place * step + step * 0.12, 100 - height, step * 0.76, height))
    return {"highest": highest, "shapes": shapes}


def _amount(bucket: Mapping[str, Any], key: str) -> float:
    value = bucket.get(key)
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
