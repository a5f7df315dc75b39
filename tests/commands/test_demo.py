"""`demo`: its faults, and the page that it writes."""

from pathlib import Path

import pytest

from blueplane_doctor.demo.faults import FAULTS
from tests.doctor_command import assert_refused, doctor


def test_demo_lists_its_faults() -> None:
    ended = doctor("demo", "--list")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line.split()[0] for line in ended.stdout.splitlines()] == list(FAULTS)


@pytest.mark.slow
def test_demo_of_a_fault_that_is_not_there(tmp_path: Path) -> None:
    ended = doctor("demo", "--fault", "nosuch", "-o", tmp_path / "x.html")
    assert_refused(ended, 2, "there is no fault 'nosuch'", "one of: ")
    assert "Making" not in ended.stderr
    assert not (tmp_path / "x.html").exists()


@pytest.mark.slow
def test_demo_writes_a_page_and_ends_with_0(tmp_path: Path) -> None:
    ended = doctor("demo", "-o", tmp_path / "x.html")
    assert ended.returncode == 0, ended.stderr
    assert "chain-breaks" in ended.stdout
    assert str(tmp_path / "x.html") in ended.stdout
    assert "chain-breaks" in (tmp_path / "x.html").read_text()
