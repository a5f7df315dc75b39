"""Tables of evidence on the page, made here: in a template, each cell costs five times as much."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from markupsafe import Markup, escape

from blueplane_doctor.reports.html_text import CHARACTERS, clean, label, shown

ITEMS = 25
"""Of one list or table of evidence that are shown; the JSON report has them all."""
_SPECIAL = re.compile("[^ -~]|[&<>\"']")
"""Characters for which text must be escaped or cleaned before it stands in a page; nearly no text has one."""


def with_loss(losses: Iterable[Any]) -> list[Any]:
    """The groups of which a loss is told, or why it is not known."""
    told = []
    for loss in losses:
        if isinstance(loss, Mapping) and (loss.get("trimmed_unread") or loss.get("cause")):
            told.append(loss)
    return told


def upto(items: Iterable[Any], limit: int) -> list[Any]:
    """The items up to the limit."""
    return list(islice(items, limit))


def columns(records: Iterable[Any]) -> list[Any]:
    """The fields that hold something in any of the records, in the records' own order."""
    holding: dict[Any, bool] = {}
    for record in records:
        if isinstance(record, Mapping):
            for key, value in record.items():
                holding[key] = holding.get(key, False) or value not in (None, "")
    return [key for key, holds in holding.items() if holds]


# Lists and no generators are joined here and below: `join` would make a list first, and cells come by the thousand.
def headings(columns: Iterable[object]) -> str:
    """The head of a table."""
    cells = []
    for key in columns:
        cells.append(f'<th scope="col">{_inert(label(key))}</th>')
    return Markup("".join(cells))


def lines(records: Iterable[Any], columns: Sequence[Any]) -> str:
    """The lines of a table, one for each record."""
    rows = []
    for record in records:
        rows.append(f"<tr>{_cells(record, columns)}</tr>\n")
    return Markup("".join(rows))  # escaped in _inert


def _cells(record: Any, columns: Sequence[Any]) -> str:
    values: Mapping[Any, Any] = {}
    if isinstance(record, Mapping):
        values = record
    return "".join([_cell(values.get(key), key) for key in columns])


def _cell(value: Any, key: object) -> str:
    if isinstance(value, str):
        return _text_cell(value)
    if isinstance(value, Iterable):
        return f"<td><code>{_inert(compact(value))}</code></td>"
    return f"<td>{_inert(shown(value, key))}</td>"


@lru_cache(1024)
def _text_cell(text: str) -> str:
    """Kept, for the same few words stand in most cells."""
    return f"<td>{_inert(shown(text))}</td>"


def _inert(text: str) -> str:
    """As the template would print it."""
    if type(text) is str and len(text) <= CHARACTERS and not _SPECIAL.search(text):
        return text
    return escape(clean(text))


def compact(value: Any) -> str:
    """Anything on one line, for what is nested too deeply for a table."""
    return json.dumps(value, ensure_ascii=False, default=str, skipkeys=True, separators=(", ", ": "))[:CHARACTERS]
