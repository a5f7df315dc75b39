"""A machine may have no more threads to give."""

from threading import Event, Thread

import pytest

from blueplane_doctor.process.threads import has_begun


def test_a_thread_that_begins_runs() -> None:
    ran = Event()
    thread = Thread(target=ran.set)
    assert has_begun(thread)
    thread.join()
    assert ran.is_set()


def test_where_there_are_no_more_it_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    ran = Event()
    thread = Thread(target=ran.set)
    with monkeypatch.context() as patched:
        patched.setattr("threading._start_new_thread", refuse)  # what the system's refusal becomes
        assert not has_begun(thread)
        assert not thread.is_alive()
    assert has_begun(thread)
    thread.join()
    assert ran.is_set()
