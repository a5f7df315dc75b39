"""What changed in Cursor's databases: by its own account, by its place, within bounds, whatever stands there."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.sources import Deadline, cursor_items
from blueplane_doctor.sources.cursor_items import (
    COMPOSERS_KEY,
    GLOBAL_TABLE,
    WORKSPACE_TABLE,
    Budget,
    Changed,
    changed_in_global,
    changed_in_workspace,
)
from tests.cursor_files import bubble, composer, composers, write_global, write_workspace

NOW = 1_800_000_000_000
HOUR = 3_600_000
SINCE = NOW - 24 * HOUR


def in_global(path: Path, budget: Budget | None = None) -> Changed:
    with closing(sqlite3.connect(path)) as connection:
        return changed_in_global(connection, SINCE, budget or Budget(Deadline(5)))


def in_workspace(path: Path, budget: Budget | None = None) -> Changed:
    with closing(sqlite3.connect(path)) as connection:
        return changed_in_workspace(connection, SINCE, budget or Budget(Deadline(5)))


def identities(changed: Changed) -> list[str]:
    return [item.identity for item in changed.items]


def keys(numbers: Iterable[int]) -> list[str]:
    return [f"bubbleId:c:{number}" for number in numbers]


def test_what_changed_in_the_window_comes_in_the_order_of_writing(tmp_path: Path) -> None:
    values = {
        "composerData:old": composer("old", NOW - 30 * HOUR),
        "composerData:new": composer("new", NOW - 2 * HOUR),
        "checkpointId:x": {"createdAt": NOW},
        "bubbleId:new:1": bubble(NOW - HOUR),
        "bubbleId:new:2": bubble(None),
        "bubbleId:new:empty": None,
        "bubbleId:new:3": bubble(None, timingInfo={"clientStartTime": NOW - 90, "clientEndTime": NOW - 60}),
    }
    changed = in_global(write_global(tmp_path, values))
    assert identities(changed) == ["composerData:new", "bubbleId:new:1", "bubbleId:new:2", "bubbleId:new:3"]
    assert [item.changed_ms for item in changed.items] == [NOW - 2 * HOUR, NOW - HOUR, None, NOW - 60]
    assert [item.written_from_ms for item in changed.items] == [NOW - 2 * HOUR, NOW - HOUR, NOW - HOUR, NOW - 60]
    assert not changed.is_partial


def test_what_was_written_anew_is_at_the_end(tmp_path: Path) -> None:
    path = write_global(tmp_path, {"composerData:a": composer("a", NOW - 40 * HOUR), "bubbleId:a:1": bubble(NOW - 50)})
    write_global(tmp_path, {"composerData:a": composer("a", NOW - 10)})
    assert identities(in_global(path)) == ["bubbleId:a:1", "composerData:a"]


def test_what_tells_no_time_and_stands_before_the_window_is_left_out(tmp_path: Path) -> None:
    values = {"bubbleId:a:1": bubble(None), "bubbleId:a:2": bubble(NOW - 30 * HOUR), "bubbleId:a:3": bubble(None)}
    assert identities(in_global(write_global(tmp_path, values))) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bubbleId:c:1:more", bubble(NOW)),
        ("bubbleId:c", bubble(NOW)),
        ("composerData:a:b", composer("a", NOW)),
        ("composerData:a", [1]),
        ("composerData:a", b"\xff{"),
        ("composerData:a", None),
        ("composerData:a", 5),
    ],
)
def test_what_is_of_another_form_is_told_apart(tmp_path: Path, key: str, value: Any) -> None:
    path = write_global(tmp_path, {"bubbleId:c:first": bubble(NOW - 5), key: value})
    malformed = [item.identity for item in in_global(path).items if item.is_malformed]
    assert malformed == ([] if value is None else [key])


def test_a_large_value_is_not_read_and_counts_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursor_items, "MOST_VALUE_BYTES", 1_000)
    values = {"bubbleId:c:1": bubble(NOW - HOUR), "bubbleId:c:2": bubble(NOW, text="x" * 1_000)}
    changed = in_global(write_global(tmp_path, values))
    assert [(item.changed_ms, item.since_ms) for item in changed.items] == [(NOW - HOUR,) * 2, (None, NOW - HOUR)]
    assert not changed.is_partial


def test_the_reading_ends_after_enough_that_is_older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursor_items, "MOST_OLDER", 3)
    monkeypatch.setattr(cursor_items, "PAGE", 2)
    values: dict[str, Any] = {key: bubble(NOW - 30 * HOUR) for key in keys(range(50))}
    values |= {key: bubble(NOW - 1) for key in keys(range(50, 55))}
    budget = Budget(Deadline(5))
    changed = in_global(write_global(tmp_path, values), budget)
    assert identities(changed) == keys(range(50, 55))
    assert not changed.is_partial
    assert cursor_items.MOST_BYTES - budget.bytes_left < 10 * len(str(bubble(NOW))), "five and three values are read"


def test_bounds_of_rows_and_bytes_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_global(tmp_path, {key: bubble(NOW - 1) for key in keys(range(30))})
    monkeypatch.setattr(cursor_items, "MOST_ROWS", 10)
    changed = in_global(path)
    assert changed.is_partial
    assert identities(changed) == keys(range(20, 30))
    budget = Budget(Deadline(5))
    budget.bytes_left = 200
    changed = in_global(path, budget)
    assert changed.is_partial
    assert 0 < len(changed.items) < 10
    assert in_global(path, Budget(Deadline(-1))).is_partial, "the time is up"


def test_a_workspaces_composers_bubbles_generations_and_prompts(tmp_path: Path) -> None:
    values = composers(
        composer("new", NOW - HOUR, conversation=[{"bubbleId": "b1"}, {"bubbleId": "b2", "unixMs": NOW}, {}, 7]),
        composer("old", NOW - 30 * HOUR, fullConversationHeadersOnly=[{"bubbleId": "b3"}]),
        {"createdAt": NOW},
    )
    values["aiService.generations"] = [
        {"generationUUID": "g1", "unixMs": NOW - 5},
        {"generationUUID": "g2", "unixMs": NOW - 30 * HOUR},
        {"unixMs": NOW},
    ]
    values["aiService.prompts"] = [{"unixMs": NOW - 7}, {"text": "without a time"}, "x"]
    values["interactive.sessions"] = {"composerId": "other"}
    changed = in_workspace(write_workspace(tmp_path, "a", values))
    assert sorted((item.kind, item.identity) for item in changed.items) == [
        ("bubble", "b1"),
        ("bubble", "b2"),
        ("composer", "new"),
        ("generation", "g1"),
        ("prompt", str(NOW - 7)),
    ]
    assert not any(item.is_global for item in changed.items)


@pytest.mark.parametrize("value", [[], "x", {"allComposers": 5}, {"allComposers": [None, []]}, b"\xff"])
def test_a_workspace_of_another_form_holds_nothing(tmp_path: Path, value: Any) -> None:
    path = write_workspace(tmp_path, "a", {"composer.composerData": value, "aiService.prompts": value})
    assert in_workspace(path) == Changed([])


def test_a_single_composer_without_a_list_counts(tmp_path: Path) -> None:
    path = write_workspace(tmp_path, "a", {"composer.composerData": composer("one", NOW)})
    assert identities(in_workspace(path)) == ["one"]


def test_a_workspaces_value_that_is_too_large_is_told(tmp_path: Path) -> None:
    path = write_workspace(tmp_path, "a", composers(composer("one", NOW)))
    budget = Budget(Deadline(5))
    budget.bytes_left = 10
    assert in_workspace(path, budget).is_partial


@pytest.mark.parametrize("bubbles", [5, True, 1.5, "x", {"bubbleId": "b"}])
def test_a_conversation_of_another_form_holds_no_bubbles(tmp_path: Path, bubbles: Any) -> None:
    odd = composer("one", NOW) | {"conversation": bubbles}
    path = write_workspace(tmp_path, "a", composers(odd, composer("two", NOW)))
    assert identities(in_workspace(path)) == ["one", "two"]


ENDLESS = "WITH RECURSIVE n(rowid, key, value) AS (SELECT 1, 'k', 1 UNION ALL SELECT rowid + 1, 'k', 1 FROM n)"


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE VIEW {{}} AS {ENDLESS} SELECT * FROM n",
        "CREATE VIRTUAL TABLE {} USING fts5(key, value)",
        "CREATE TABLE another (key, value)",
    ],
    ids=["an endless view", "a virtual table", "no such table"],
)
@pytest.mark.parametrize(("table", "read"), [(GLOBAL_TABLE, in_global), (WORKSPACE_TABLE, in_workspace)])
def test_what_is_no_table_is_refused_without_reading_it(
    tmp_path: Path, statement: str, table: str, read: Callable[[Path], Changed]
) -> None:
    path = tmp_path / "state.vscdb"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement.format(table))
    with pytest.raises(sqlite3.OperationalError, match=f"no such table: {table}"):
        read(path)


@pytest.mark.parametrize(
    ("table", "key", "read"),
    [(GLOBAL_TABLE, "composerData:1", in_global), (WORKSPACE_TABLE, COMPOSERS_KEY, in_workspace)],
)
def test_a_column_that_is_called_rowid_is_no_number_of_a_row(
    tmp_path: Path, table: str, key: str, read: Callable[[Path], Changed]
) -> None:
    path = tmp_path / "state.vscdb"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"CREATE TABLE {table} (rowid, key, value)")
        connection.execute(f"INSERT INTO {table} VALUES (1.5, ?, '{{}}')", (key,))
    with pytest.raises(sqlite3.OperationalError, match="no such column: rowid"):
        read(path)
