"""Tables that fit a terminal: cells are wrapped between words, and where even that is too wide, rows become lists."""

import sys
from collections.abc import Sequence
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

from blueplane_doctor.process.light_imports import load_tabulate

_GAP = 2
"""Spaces between two columns."""
_HEADER_PADDING = 2
"""A column is at least so much wider than its header: tabulate makes it so."""


def terminal_width() -> int | None:
    """Columns of the terminal on stdout; None where stdout is no terminal, and lines may be of any length."""
    return get_terminal_size().columns if sys.stdout.isatty() else None


def fitted(rows: Sequence[Sequence[Any]], headers: Sequence[str], width: int | None) -> str:
    """The rows as a table of at most `width` columns, which breaks no word; as a list where no table is so narrow."""
    cells = [list(map(_cell, row)) for row in rows]
    widths = _natural_widths(cells, headers)
    if width is not None and _total(widths) > width:
        narrowed = _narrowed(widths, _word_widths(cells, headers), width)
        if narrowed is None:
            return _as_list(cells, headers, width)
        cells = [_wrapped_row(row, narrowed) for row in cells]
    return load_tabulate()(cells, headers, "simple", disable_numparse=True) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value)


def _wrapped_row(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = []
    for cell, width in zip(row, widths, strict=True):
        wrapped.append(_wrapped(cell, width))
    return wrapped


def _columns(cells: list[list[str]], headers: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(headers, *cells, strict=True))


def _natural_widths(cells: list[list[str]], headers: Sequence[str]) -> list[int]:
    """The longest cell of each column."""
    widths = []
    for header, *texts in _columns(cells, headers):
        widths.append(max(len(header) + _HEADER_PADDING, *map(len, texts)))
    return widths


def _word_widths(cells: list[list[str]], headers: Sequence[str]) -> list[int]:
    """The longest word of each column, or its header, which is not wrapped."""
    widths = []
    for header, *texts in _columns(cells, headers):
        words = " ".join(texts).split()
        widths.append(max(len(header) + _HEADER_PADDING, *map(len, words)))
    return widths


def _total(widths: list[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _narrowed(widths: list[int], lowest: list[int], width: int) -> list[int] | None:
    """The widths with the widest columns made narrower until all fit; None when words would have to be broken."""
    if _total(lowest) > width:
        return None
    narrowed = list(widths)
    while _total(narrowed) > width:
        free = [index for index, size in enumerate(narrowed) if size > lowest[index]]
        widest = max(free, key=lambda index: narrowed[index])
        narrowed[widest] -= 1
    return narrowed


def _wrapped(text: str, width: int) -> str:
    return "\n".join(wrap(text, width, break_long_words=False, break_on_hyphens=False))


def _as_list(cells: list[list[str]], headers: Sequence[str], width: int) -> str:
    """A block of lines for each row: `header: cell`."""
    blocks = []
    for row in cells:
        lines = []
        for header, cell in zip(headers, row, strict=True):
            text = f"{header}: {cell}".rstrip()
            lines += wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)
