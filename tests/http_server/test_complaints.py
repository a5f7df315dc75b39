"""What the running service says on stderr is bounded."""

import asyncio
import logging
import sys
import threading

import pytest

from blueplane_doctor.http_server import complaints
from blueplane_doctor.http_server.complaints import MOST_KINDS, Complaints, bounded, watch_loop


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by the monotonic clock, to be changed."""
    now = [100.0]
    monkeypatch.setattr(complaints.time, "monotonic", lambda: now[0])
    return now


def test_one_line_a_kind_a_minute(moment: list[float]) -> None:
    lines: list[str] = []
    complain = Complaints(lines.append)
    for number in range(1000):
        complain(f"refused {number}", "refused")
        complain("another")
    assert lines == ["refused 0", "another"]
    moment[0] += 61
    complain("refused again", "refused")
    assert lines[2:] == ["refused again (999 more like this since the last line)"]


def test_kinds_are_bounded(moment: list[float]) -> None:
    lines: list[str] = []
    complain = Complaints(lines.append)
    for number in range(10 * MOST_KINDS):
        complain(f"kind {number}")
    assert len(lines) == MOST_KINDS + 1


def test_libraries_threads_and_the_loop_go_through_it() -> None:
    lines: list[str] = []
    complain = Complaints(lines.append)

    def breaks() -> None:
        raise ValueError("private text")

    async def story() -> None:
        watch_loop(complain)
        asyncio.get_running_loop().call_soon(breaks)
        await asyncio.sleep(0.01)

    hooks = (threading.excepthook, sys.unraisablehook)
    with bounded(complain):
        for _ in range(3):
            logging.getLogger("a.library").error("quoted %s", "private text")
            thread = threading.Thread(target=breaks)
            thread.start()
            thread.join()
        asyncio.run(story())
    assert (threading.excepthook, sys.unraisablehook) == hooks
    assert len(lines) == 2
    assert lines[0] == "blueplane-doctor: error of a.library"
    assert lines[1].startswith("blueplane-doctor: internal error: ValueError in breaks line ")
