"""The file of the notifier's state: absent, there, and none that can be read."""

from pathlib import Path

import pytest

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.notifying.state_file import STATE_FILE, state_bytes


def test_the_content_or_nothing_where_nobody_was_told(tmp_path: Path) -> None:
    assert state_bytes(tmp_path) is None
    (tmp_path / STATE_FILE).write_bytes(b"{}")
    assert state_bytes(tmp_path) == b"{}"


def test_a_folder_in_its_place_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).mkdir()
    with pytest.raises(FileUnreadable):
        state_bytes(tmp_path)
