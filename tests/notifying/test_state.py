"""What is kept in the home: private, whole, and by one process at a time."""

import json
import stat
from pathlib import Path

import pytest

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.model import Status
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.news import TargetState
from blueplane_doctor.notifying.state import LOCK_FILE, Attempt, State, Turn, read_state, write_state
from blueplane_doctor.notifying.state_file import STATE_FILE
from tests import hostile_files

ATTEMPT = Attempt(
    at=1.0, target="ntfy 1", kinds=(Kind.OPENED,), status=Status.RED, causes=("server-down",), title="t", reason="no"
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    state = State(targets={"a": TargetState(failures=2)}, attempts=(ATTEMPT,))
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    assert stat.S_IMODE((tmp_path / STATE_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]


NOT_STATES = (
    *("", "{", "[]", '{"version": "x"}', '{"surprise": 1}', "\0" * 100),
    '{"watch": {"last_sample": 1e999}}',
    '{"watch": {"interval": NaN}}',
    json.dumps({"key": "x" * 100}),  # longer than a key of the hash may be
    json.dumps({"key": ""}),
    State(attempts=(ATTEMPT.model_copy(update={"at": 1e300}),)).model_dump_json(),
    State(attempts=(ATTEMPT.model_copy(update={"at": -2e11}),)).model_dump_json(),
)


@pytest.mark.parametrize("content", NOT_STATES)
def test_what_is_no_state_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / STATE_FILE).write_text(content)
    with pytest.raises(FileUnreadable):
        read_state(tmp_path)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    first = Turn(tmp_path)
    second = Turn(tmp_path)
    assert first.take()
    assert first.take()
    assert not second.take()
    first.give_back()
    assert second.take()
    second.give_back()


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "circle"])
def test_what_is_no_file_in_the_place_of_the_lock_keeps_nobody_waiting(tmp_path: Path, kind: str) -> None:
    hostile_files.put(kind, tmp_path / LOCK_FILE)
    assert Turn(tmp_path).take()
