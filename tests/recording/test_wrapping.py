"""What a call of a measured method is recorded as, with a recorder that writes down what it is told."""

import asyncio
from typing import Any

import pytest
from wrapt import wrap_function_wrapper

from blueplane_doctor.pipeline import Target
from blueplane_doctor.recording.instrumentation import dumped
from blueplane_doctor.recording.wrapping import Unsuitable, fallback_wrapper, wrapper_for


class Notes:
    """In a recorder's place."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.dropped = 0

    def write(self, table: str, rows: int, seconds: float, ok: bool) -> None:
        self.calls.append(("write", table, rows, ok))

    def hook(self, name: str, ok: bool) -> None:
        self.calls.append(("hook", name, ok))

    def monitor(self, name: str, sessions: int | None, events: int | None, ok: bool) -> None:
        self.calls.append(("monitor", name, sessions, events, ok))

    def drop(self, events: int) -> None:
        self.dropped += events


class Server:
    """Methods as a server has them."""

    windows = ("a", "b")

    def save(self, rows: list[int], answer: object = 1) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def save_later(self, rows: list[int]) -> int:
        return len(rows)

    def send(self, event: object, platform: str = "") -> bool:
        return True

    def queue(self, broken: bool = False) -> None:
        if broken:
            self.keep()

    def keep(self) -> None:
        pass


def measured(**fields: Any) -> tuple[Any, Notes]:
    """A server one method of which is measured, and what is recorded of its calls."""
    (values,) = dumped([Target(**fields)])
    notes = Notes()
    spec = type("Spec", (), values)()

    class Measured(Server):
        pass

    name = spec.path.partition(".")[2]
    if spec.fallback:
        wrap_function_wrapper(Measured, spec.fallback, fallback_wrapper)
    wrap_function_wrapper(Measured, name, wrapper_for(spec, getattr(Server, name), notes))  # type: ignore[arg-type]
    return Measured(), notes


WRITE = {"where": "m:Server.save", "records": "write", "name": "t", "argument": "rows"}


@pytest.mark.parametrize(
    ("fails", "answer", "ok"),
    [("raises", 0, True), ("returns-zero", 0, False), ("returns-zero", 2, True), ("returns-false", None, False)],
)
def test_a_write_counts_its_rows_and_says_how_it_ended(fails: str, answer: object, ok: bool) -> None:
    server, notes = measured(**WRITE, fails=fails)
    assert server.save([1, 2], answer) == answer
    assert server.save(rows=[1, 2, 3], answer=answer) == answer
    assert notes.calls == [("write", "t", 2, ok), ("write", "t", 3, ok)]


def test_what_the_method_raises_is_raised_and_recorded_as_failed() -> None:
    server, notes = measured(**WRITE)
    with pytest.raises(KeyError):
        server.save([1], KeyError("x"))
    assert notes.calls == [("write", "t", 1, False)]


def test_an_empty_batch_is_no_write_and_a_strange_one_is_dropped() -> None:
    server, notes = measured(**WRITE)
    server.save([])
    server.save(7)
    assert (notes.calls, notes.dropped) == ([], 1)


def test_a_coroutine_is_measured_to_its_end() -> None:
    server, notes = measured(where="m:Server.save_later", records="write", name="t", argument="rows")
    assert asyncio.run(server.save_later([1, 2])) == 2
    assert notes.calls == [("write", "t", 2, True)]


def test_a_hook_is_named_by_platform_and_type() -> None:
    server, notes = measured(where="m:Server.send", records="hook", argument="event")
    server.send({"hook_type": "stop"}, "cursor")
    server.send({"hook_type": "stop"})
    server.send("no event", platform="cursor")
    names = [call[1] for call in notes.calls]
    assert names[:2] == ["cursor/stop", "stop"]
    assert names[2].startswith("cursor/")


def test_a_monitor_that_falls_back_has_failed() -> None:
    target = {"where": "m:Server.queue", "records": "monitor", "name": "m", "fails": "falls-back", "fallback": "keep"}
    server, notes = measured(**target, sessions="windows", captures=True)
    server.queue()
    server.queue(broken=True)
    assert notes.calls == [("monitor", "m", 2, 1, True), ("monitor", "m", 2, 0, False)]


def test_a_method_without_the_parameter_is_unsuitable() -> None:
    with pytest.raises(Unsuitable, match="no parameter batch"):
        measured(**{**WRITE, "argument": "batch"})
