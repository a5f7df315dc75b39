"""The health records that are fixtures, found by the texts of the monitors' files.

pytest must know the names of fixtures from its start, in every project of the environment. To import the monitors for
them would cost each of these runs about 150 ms; their texts take 2.
"""

import re
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "monitoring"
_NAME = re.compile(r'^    name = "(\w+)"$', re.MULTILINE)
_IS_MONITOR = re.compile(r"^MONITOR = \w+$", re.MULTILINE)
_IS_NO_METRIC = re.compile(r"^    in_metrics = False\b", re.MULTILINE)


def record_names(folder: Path = _FOLDER) -> dict[str, str]:
    """By the name of each record of a report's metrics, the first line of its monitor's file."""
    names = {}
    for path in sorted(folder.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = _NAME.search(text)
        if name and _IS_MONITOR.search(text) and not _IS_NO_METRIC.search(text):
            names[name[1]] = text.partition("\n")[0].strip('"')
    return names
