"""A JSON file of another program: its object, or nothing."""

from pathlib import Path

import pytest

from blueplane_doctor.sources.json_files import object_in


def test_its_object_is_read(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_text('{"version": "0.1.0"}')
    assert object_in(file) == {"version": "0.1.0"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"a": NaN}', b"\xff", b"5", b" " * 200_000])
def test_what_holds_no_object_says_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file.json"
    assert object_in(file) == {}
    file.write_bytes(content)
    assert object_in(file) == {}
    assert object_in(tmp_path) == {}
