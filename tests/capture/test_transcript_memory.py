"""What is remembered of transcripts between runs."""

import json
from collections import Counter
from pathlib import Path

import pytest

from blueplane_doctor.capture.transcript_memory import FileMemory, TableGeneration, TranscriptMemory
from blueplane_doctor.sources.transcripts import Progress, TranscriptLine

DATABASE = Path("/home/me/.blueplane/telemetry.db")
NOW = TableGeneration("8-15-1-2026-03-14 09:26:53", 40)
KNOWN = FileMemory(
    progress=Progress(end=1200, without_uuid=2, unreadable=1, unfindable="a dot"),
    agents={"a1": 1_773_480_000_000},
    written=Counter({"1773480000000": 9, "none": 1}),
    open=[TranscriptLine("u", "s", None, "user", 100, 50)],
)


def kept_file(home: Path) -> Path:
    (file,) = home.rglob("transcripts-*.json")
    return file


def test_what_is_kept_is_recalled() -> None:
    TranscriptMemory(DATABASE, NOW).keep({"8-99-x": KNOWN})
    memory = TranscriptMemory(DATABASE, NOW)
    assert memory.recall("8-99-x", 1200) == KNOWN
    assert memory.recall("8-99-x", 1199) == FileMemory(), "it is shorter than what was read"
    assert memory.recall("8-98-x", 1200) == FileMemory()


@pytest.mark.parametrize(
    ("database", "generation", "is_known"),
    [
        (DATABASE, NOW._replace(highest=41), True),
        (DATABASE, NOW._replace(highest=39), False),
        (DATABASE, NOW._replace(beginning="8-16"), False),
        (Path("/elsewhere/telemetry.db"), NOW, False),
    ],
    ids=["rows came", "rows are gone", "another file in its place", "another database"],
)
def test_rows_of_another_database_are_not_recalled(database: Path, generation: TableGeneration, is_known: bool) -> None:
    TranscriptMemory(DATABASE, NOW).keep({"x": KNOWN})
    assert (TranscriptMemory(database, generation).recall("x", 2000) == KNOWN) is is_known


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"version": 1, "generation": 3}', b"\x00\xff", b'{"version":9}']
)
def test_a_damaged_memory_is_as_none(guarded_home: Path, content: bytes) -> None:
    TranscriptMemory(DATABASE, NOW).keep({"x": KNOWN})
    kept_file(guarded_home).write_bytes(content)
    memory = TranscriptMemory(DATABASE, NOW)
    assert memory.recall("x", 2000) == FileMemory()
    memory.keep({"x": KNOWN})
    assert TranscriptMemory(DATABASE, NOW).recall("x", 2000) == KNOWN


def test_what_did_not_change_is_not_written_again(guarded_home: Path) -> None:
    TranscriptMemory(DATABASE, NOW).keep({"x": KNOWN})
    before = kept_file(guarded_home).stat()
    TranscriptMemory(DATABASE, NOW).keep({"x": KNOWN})
    after = kept_file(guarded_home).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_it_holds_no_path(guarded_home: Path) -> None:
    TranscriptMemory(DATABASE, NOW).keep({"x": KNOWN})
    text = kept_file(guarded_home).read_text()
    assert "/home" not in text and json.loads(text)["files"]["x"]["progress"][0] == 1200


@pytest.mark.parametrize(
    "changes",
    [
        {"progress": ["x", 0, 0, None]},
        {"progress": [None] * 4},
        {"progress": [1, 0, 0]},
        {"written": {"x": 1}},
        {"written": {"none": "x"}},
        {"written": ["a"]},
        {"agents": {"a": "b"}},
        {"open": [["u"]]},
        {"open": [[1, "s", None, "user", 100, 50]]},
        {"open": [["u", "s", "x", "user", 100, 50]]},
    ],
)
def test_values_of_another_type_are_as_none(guarded_home: Path, changes: dict[str, object]) -> None:
    TranscriptMemory(DATABASE, NOW).keep({"x": KNOWN})
    file = kept_file(guarded_home)
    values = json.loads(file.read_text())
    values["files"]["x"].update(changes)
    file.write_text(json.dumps(values))
    assert TranscriptMemory(DATABASE, NOW).recall("x", 2000) == FileMemory()
