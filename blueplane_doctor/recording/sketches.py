"""Percentiles that add up: durations counted in logarithmic bins, as DDSketch does with a relative accuracy of 1 %.

The bins are those of the package ddsketch (`LogarithmicMapping(0.01)`; a test compares both). Here each is one integer
field of a Redis hash, and nobody needs a package for two formulas.
Charles Masson et al., "DDSketch", VLDB 2019: https://www.vldb.org/pvldb/vol12/p2195-masson.pdf
"""

import math
from collections.abc import Mapping

RELATIVE_ACCURACY = 0.01
GAMMA = (1 + RELATIVE_ACCURACY) / (1 - RELATIVE_ACCURACY)
SCALE = 1 / math.log(GAMMA)
SHORTEST = 1e-9
"""Seconds; what is shorter counts as zero. No clock tells less."""
LONGEST = 1e6
"""Seconds; what is longer counts as this, 11 days. So a sketch has at most 1,728 bins."""


def bin_of(seconds: float) -> int | None:
    """The bin of a duration; None is the bin of zero, where what is no positive number goes too."""
    if not seconds > SHORTEST:
        return None
    return math.ceil(math.log(min(seconds, LONGEST)) * SCALE)


BINS = range(math.ceil(math.log(SHORTEST) * SCALE), math.ceil(math.log(LONGEST) * SCALE) + 1)


def seconds_of(place: int | None) -> float:
    """The duration that a bin stands for: at most 1 % from any that was counted in it."""
    return 0.0 if place is None else 2 * math.exp(place / SCALE) / (1 + GAMMA)


def quantile(bins: Mapping[int | None, int], share: float) -> float | None:
    """The shortest duration in seconds that `share` (0 to 1) of those counted do not exceed; None for none counted."""
    wanted = math.ceil(share * sum(bins.values()) - 1e-9)  # 0.95 of 20 are 19, whatever the floating point says
    seen = 0
    for place in sorted(bins, key=lambda place: -math.inf if place is None else place):
        seen += bins[place]
        if seen >= wanted:
            return seconds_of(place)
    return None
