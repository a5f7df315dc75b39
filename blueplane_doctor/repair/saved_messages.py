"""Messages that a repair saves before it changes anything, a line of JSON for each."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.files.reading import opened_file
from blueplane_doctor.repair.plan import Fields, Item
from blueplane_doctor.repair.private_files import json_line, replaced

LONGEST_LINE = 400_000_000
"""Bytes of one saved message: a reply of Redis has 64 MB at most, and JSON writes a byte with six characters."""


def write_messages(path: Path, messages: Iterable[tuple[int, Item, Fields]]) -> int:
    """Write messages down whole, with the place of each item in the plan, and sync them; how many.

    The file is complete or not there: another run that finds it need not read anything again.
    """
    count = 0
    with replaced(path) as file:
        for number, item, fields in messages:
            message = {"item": number, "source": item.source, "id": item.id, "fields": _texts(fields)}
            file.write(json_line(message))
            count += 1
    return count


class SavedMessages:
    """Messages that were saved; only their places in the file are held in memory."""

    def __init__(self, path: Path) -> None:
        """Raises RepairRefused for a file that was damaged."""
        self._path = path
        self._places: dict[int, int] = {}
        """Where in the file the message of each item begins."""
        with _lines_of(path) as file, _refused_where_damaged():
            place = 0
            while line := _next_line(file):
                self._places[json.loads(line)["item"]] = place
                place += len(line)

    def __len__(self) -> int:
        return len(self._places)

    def fields_of(self, numbers: Iterable[int]) -> dict[int, Fields]:
        """The fields of the messages of these items, without those that were not there. Raises RepairRefused."""
        found = {}
        # Opened once for all of them: to make sure of a file takes longer than to read a message.
        with _lines_of(self._path) as file, _refused_where_damaged():
            for number in numbers:
                place = self._places.get(number)
                if place is not None:
                    file.seek(place)
                    found[number] = _bytes(json.loads(_next_line(file))["fields"])
        return found


@contextmanager
def _lines_of(path: Path) -> Iterator[BufferedReader]:
    """A file of lines, open for reading. Raises FileUnreadable."""
    with opened_file(path) as (handle, _), open(handle, "rb", closefd=False) as file:
        yield file


def _next_line(file: BufferedReader) -> bytes:
    """A line that may hold an object; empty at the end. Raises ValueError for any other, before it is read."""
    if file.peek(1)[:1] not in (b"{", b""):
        raise ValueError
    return file.readline(LONGEST_LINE)


@contextmanager
def _refused_where_damaged() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RepairRefused("the file of saved messages is damaged", "make another plan") from error


def _texts(fields: Fields) -> list[list[str]]:
    # JSON holds no bytes: what is not UTF-8 becomes lone surrogates, which lead back to the same bytes.
    texts = []
    for name, value in fields:
        texts.append([name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")])
    return texts


def _bytes(texts: list[list[str]]) -> Fields:
    fields = []
    for name, value in texts:
        fields.append((name.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape")))
    return fields
