"""The rows of Cursor's items: by each column, the newest, and never by reading the whole table."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.errors import SourceMissing, SourceUnusable
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.cursor_items import BUBBLE, COMPOSER, GENERATION, PROMPT, Item
from blueplane_doctor.sources.cursor_rows import newest_rows
from blueplane_doctor.sources.database_source import DatabaseSource
from tests.cursor_files import add_global_row, add_row

NOW = 1_800_000_000_000


def rows_of(path: Path, *items: Item) -> dict[str, int]:
    with closing(DatabaseSource(path, Deadline(5))) as source:
        return {item.identity: read_ms for item, read_ms in newest_rows(source, items).items()}


@pytest.fixture
def telemetry(tmp_path: Path) -> Path:
    path = tmp_path / "telemetry.db"
    schema.create_database(path)
    return path


def test_each_kind_is_found_by_its_own_column(telemetry: Path) -> None:
    add_global_row(telemetry, "composerData:a", NOW)
    add_global_row(telemetry, "composerData:a", NOW - 5)
    add_row(telemetry, NOW + 1, composer_id="w")
    add_row(telemetry, NOW + 2, bubble_id="b", event_type="bubble")
    add_row(telemetry, NOW + 3, generation_uuid="g", event_type="generation")
    add_row(telemetry, NOW + 4, unix_ms=77, event_type="prompt")
    add_row(telemetry, NOW + 5, unix_ms=78, event_type="generation")
    wanted = [
        Item(COMPOSER, True, "composerData:a", None),
        Item(BUBBLE, True, "bubbleId:a:1", None),
        Item(COMPOSER, False, "w", None),
        Item(BUBBLE, False, "b", None),
        Item(GENERATION, False, "g", None),
        Item(PROMPT, False, "77", None),
        Item(PROMPT, False, "78", None),
        Item(COMPOSER, False, "composerData:a", None),
    ]
    assert rows_of(telemetry, *wanted) == {
        "composerData:a": NOW,
        "w": NOW + 1,
        "b": NOW + 2,
        "g": NOW + 3,
        "77": NOW + 4,
    }


def test_more_than_one_batch_is_looked_up(telemetry: Path) -> None:
    for number in range(3):
        add_global_row(telemetry, f"bubbleId:c:{number * 200}", NOW)
    found = rows_of(telemetry, *[Item(BUBBLE, True, f"bubbleId:c:{number}", None) for number in range(450)])
    assert sorted(found) == ["bubbleId:c:0", "bubbleId:c:200", "bubbleId:c:400"]


def test_without_an_index_the_table_is_not_read(telemetry: Path) -> None:
    with closing(sqlite3.connect(telemetry)) as connection:
        connection.execute("DROP INDEX cursor_item")
    with pytest.raises(SourceUnusable, match=r"no index on cursor_raw_traces\.item_key"):
        rows_of(telemetry, Item(COMPOSER, True, "composerData:a", None))


def test_a_table_of_another_layout_is_told(telemetry: Path) -> None:
    with closing(sqlite3.connect(telemetry)) as connection:
        connection.execute("DROP INDEX cursor_bubble")
        connection.execute("ALTER TABLE cursor_raw_traces DROP COLUMN bubble_id")
    with pytest.raises(SourceMissing, match="no such column"):
        rows_of(telemetry, Item(BUBBLE, False, "b", None))
