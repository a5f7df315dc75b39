"""A series as one line of block characters; a gap is a space."""

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int) -> str:
    """At most `width` characters, the lowest value ▁ and the highest █; all equal: ▁ for zero, else ▄."""
    shown = squeezed(values, width)
    known = [value for value in shown if value is not None]
    if not known:
        return " " * len(shown)
    low, high = min(known), max(known)
    if low == high:
        return "".join(" " if value is None else "▁" if value == 0 else "▄" for value in shown)
    top = len(BLOCKS) - 1
    return "".join(" " if v is None else BLOCKS[round((v - low) / (high - low) * top)] for v in shown)


def squeezed(values: Sequence[float | None], width: int) -> list[float | None]:
    """At most `width` values, each the largest of those that it stands for: a peak of a minute must be seen."""
    if len(values) <= width:
        return list(values)
    edges = [len(values) * i // width for i in range(width + 1)]
    return [
        max((v for v in values[start:end] if v is not None), default=None)
        for start, end in zip(edges, edges[1:], strict=False)
    ]
