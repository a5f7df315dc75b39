"""What the files beside a database tell of whoever writes it."""

from pathlib import Path

import pytest

from blueplane_doctor.sources.database_files import DatabaseFiles


@pytest.mark.parametrize(
    ("beside", "has_journal", "has_open_log", "is_abandoned"),
    [
        pytest.param({}, False, False, False, id="nobody has it open"),
        pytest.param({"-journal": b""}, False, False, False, id="an empty journal is left behind"),
        pytest.param({"-journal": b"x"}, True, False, False, id="a write is on its way"),
        pytest.param({"-wal": b"x"}, False, False, True, id="whoever had it open died"),
        pytest.param({"-wal": b"x", "-shm": b"x"}, False, True, False, id="somebody has it open"),
        pytest.param({"-wal": b"", "-shm": b"x"}, False, False, False, id="a full disk left a broken index"),
        pytest.param({"-shm": b"x"}, False, False, False, id="an index alone"),
    ],
)
def test_who_has_a_database_open(
    tmp_path: Path, beside: dict[str, bytes], has_journal: bool, has_open_log: bool, is_abandoned: bool
) -> None:
    file = tmp_path / "telemetry.db"
    file.write_bytes(b"a database")
    for end, content in beside.items():
        file.with_name(file.name + end).write_bytes(content)
    state = DatabaseFiles(file, "the database").look()
    assert (state.has_journal, state.has_open_log) == (has_journal, has_open_log)
    assert (state.abandoned_log is not None) == is_abandoned
    assert state.is_at_rest == (not has_journal and not has_open_log)
