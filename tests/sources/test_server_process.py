"""The pid file of the pipeline's server."""

from pathlib import Path

import pytest

from blueplane_doctor.sources.server_process import read_pid


@pytest.mark.parametrize(
    ("content", "pid"),
    [
        ("4242", 4242),
        ("4242\n", 4242),
        ("  4242  ", 4242),
        ('{"pid": 4242, "timestamp": 1.5, "process_name": "blueplane_server"}', 4242),
        ('{"pid": "4242"}', None),
        ('{"process": 4242}', None),
        ("[4242]", None),
        ("", None),
        ("four", None),
        ("-1", None),
        ("0", None),
        ("true", None),
        ("42.5", None),
        ("4294967297", None),
        ("9" * 5_000, None),
        ("[" * 9_000, None),
        ("null", None),
        ("\ufeff4242", None),
    ],
)
def test_the_pid_file_in_all_forms(tmp_path: Path, content: str, pid: int | None) -> None:
    (tmp_path / "server.pid").write_text(content)
    assert read_pid(tmp_path / "server.pid").pid == pid


def test_no_pid_file_binary_junk_or_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "server.pid"
    assert read_pid(path).pid is None
    path.write_bytes(b"\xff\xfe\x00")
    assert read_pid(path).pid is None
    path.unlink()
    path.mkdir()
    assert read_pid(path).pid is None
