"""The spool's bounds: room, a full disk, a folder that cannot be written; and what the doctor reads of it."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.monitoring.spool_health import SpoolHealth, spool_health
from blueplane_hook import events, spool
from tests.waiting import PATIENCE_SECONDS

NOTHING = SpoolHealth(
    waiting_events=0,
    waiting_bytes=0,
    spooled=0,
    dropped=0,
    refused=0,
    unreadable=0,
    not_understood=0,
    not_understood_bytes=0,
)


def test_a_home_without_a_spool_has_nothing_waiting(tmp_path: Path) -> None:
    assert spool_health(tmp_path / "nowhere") == NOTHING


def test_what_finds_no_room_is_counted_as_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "ROOM", 100)
    kept = spool.Spool(str(tmp_path))
    kept.add(b"x" * 100)  # with its line end one byte too many
    kept.add(b"x" * 99)
    kept.add(b"")
    state = spool_health(tmp_path)
    assert (state.waiting_events, state.waiting_bytes, state.spooled, state.dropped) == (1, 100, 1, 2)
    assert state.last_failure_timestamp is not None


def test_on_a_full_disk_no_half_line_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = spool.Spool(str(tmp_path))
    kept.add(b'{"first": 1}')
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:5]))
    kept.add(b'{"second": 2}')
    monkeypatch.undo()
    assert (tmp_path / spool.SPOOL_FILE).read_bytes() == b'{"first": 1}\n'
    assert spool_health(tmp_path).dropped == 1


def test_a_delivery_that_cannot_be_written_down_delivers_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.Spool(str(tmp_path)).add(b"{}")
    got: list[bytes] = []

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    def post(event: bytes) -> str:
        got.append(event)
        return events.DELIVERED

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refuse)
        with pytest.raises(OSError, match="full"):
            spool.Spool(str(tmp_path)).deliver(post, time.monotonic() + 1)
    spool.Spool(str(tmp_path)).deliver(post, time.monotonic() + 1)
    assert got == [b"{}", b"{}"]
    assert spool_health(tmp_path).waiting_events == 0
    assert not list(tmp_path.glob("*.new"))


def test_one_call_delivers_a_bounded_batch_oldest_first(tmp_path: Path) -> None:
    kept = spool.Spool(str(tmp_path))
    for number in range(spool.BATCH_EVENTS + 5):
        kept.add(b'{"n": %d}' % number)
    got: list[bytes] = []
    spool.Spool(str(tmp_path)).deliver(lambda e: got.append(e) or events.DELIVERED, time.monotonic() + 9)  # type: ignore[func-returns-value]
    assert got == [b'{"n": %d}' % number for number in range(spool.BATCH_EVENTS)]
    assert spool_health(tmp_path).waiting_events == 5


def test_what_fails_again_goes_to_the_end_and_keeps_nothing_back(tmp_path: Path) -> None:
    kept = spool.Spool(str(tmp_path))
    kept.add(b'{"poison": 1}')
    kept.add(b'{"good": 1}')
    spool.Spool(str(tmp_path)).deliver(
        lambda e: events.FAILED if b"poison" in e else events.DELIVERED, time.monotonic() + 9
    )
    assert (tmp_path / spool.SPOOL_FILE).read_bytes() == b'{"poison": 1}\n'


def test_events_that_come_during_a_delivery_stay(tmp_path: Path) -> None:
    spool.Spool(str(tmp_path)).add(b'{"old": 1}')

    def post(event: bytes) -> str:
        # Another process: record locks do not stand between two users of one.
        adds = f"from blueplane_hook.spool import Spool; Spool({str(tmp_path)!r}).add(b'{{\"new\": 1}}')"
        subprocess.run([sys.executable, "-c", adds], check=True, timeout=PATIENCE_SECONDS)
        return events.DELIVERED

    spool.Spool(str(tmp_path)).deliver(post, time.monotonic() + 9)
    assert (tmp_path / spool.SPOOL_FILE).read_bytes() == b'{"new": 1}\n'


@pytest.mark.parametrize("content", [b"", b"[]", b"garbage", b"[" * 100_000, b'{"dropped": "many", "spooled": 3}'])
def test_counters_that_were_damaged_begin_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / spool.COUNTS_FILE).write_bytes(content)
    assert spool_health(tmp_path).dropped == 0
    spool.Spool(str(tmp_path)).count("dropped")
    assert spool_health(tmp_path).dropped == 1


def test_what_is_no_file_is_not_read_and_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / spool.SPOOL_FILE)  # reading it would never end
    with pytest.raises(FileUnreadable, match="named pipe"):
        spool_health(tmp_path)


def test_what_is_no_count_is_taken_for_nothing(tmp_path: Path) -> None:
    (tmp_path / spool.COUNTS_FILE).write_bytes(b'{"dropped": -4, "refused": 2.5, "last_failure": 7}')
    assert spool_health(tmp_path) == NOTHING


def test_of_a_spool_that_others_made_endless_only_so_much_is_read(tmp_path: Path) -> None:
    with (tmp_path / spool.SPOOL_FILE).open("wb") as file:
        file.truncate(1 << 40)
    assert spool_health(tmp_path).waiting_bytes == 2 * spool.ROOM


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:9000", ("127.0.0.1", 9000)),
        ("http://localhost", ("localhost", 8787)),
        ("127.0.0.1:9000/", ("127.0.0.1", 9000)),
        ("http://[::1]:9000/x", ("::1", 9000)),
        ("http://[::1]", ("::1", 8787)),
    ],
)
def test_a_servers_url_gives_host_and_port(url: str, address: tuple[str, int]) -> None:
    assert events.address_of(url) == address


def test_a_server_that_drips_its_answer_is_given_up_in_time() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                for _ in range(40):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return
                    time.sleep(0.05)

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        assert events.post(listener.getsockname(), b"{}", began + 0.3) == events.FAILED
        assert time.monotonic() - began < 1.5
        thread.join()


def test_while_a_stopped_hook_holds_the_lock_nothing_is_delivered_twice(tmp_path: Path) -> None:
    """What cannot be taken out of the spool afterwards would be delivered again with every call."""
    kept = spool.Spool(str(tmp_path))
    kept.add(b'{"n": 1}')
    got: list[bytes] = []

    def post(event: bytes) -> str:
        got.append(event)
        return events.DELIVERED

    with stopped_holder(tmp_path):
        for _ in range(3):
            spool.Spool(str(tmp_path)).deliver(post, time.monotonic() + 9)
        spool.Spool(str(tmp_path)).add(b'{"n": 2}')
        state = spool_health(tmp_path)
        assert (state.waiting_events, state.spooled, got) == (2, 2, [])
    spool.Spool(str(tmp_path)).deliver(post, time.monotonic() + 9)
    assert sorted(got) == [b'{"n": 1}', b'{"n": 2}']
    assert spool_health(tmp_path).waiting_events == 0


@contextlib.contextmanager
def stopped_holder(home: Path) -> Iterator[None]:
    """A hook that was stopped (SIGSTOP) while it held the spool's lock."""
    holds = (
        "import sys; from blueplane_hook.spool import Spool\n"
        f"assert Spool({str(home)!r})._lock(); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holds]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.kill()


def test_what_was_kept_apart_is_bounded_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST_OWN_FILES", 3)
    monkeypatch.setattr(spool.Spool, "_lock", lambda self: False)
    for number in range(10):
        spool.Spool(str(tmp_path)).add(b'{"n": %d}' % number)
    assert len(spool.own_files(str(tmp_path))) == 4
    state = spool_health(tmp_path)
    assert (state.waiting_events, state.spooled, state.dropped) == (3, 3, 7)
    monkeypatch.undo()
    spool.Spool(str(tmp_path)).add(b'{"n": 10}')
    state = spool_health(tmp_path)
    assert (state.waiting_events, state.spooled, state.dropped) == (4, 4, 7)
    assert spool.own_files(str(tmp_path)) == []


def test_who_holds_the_spool_has_it_alone(tmp_path: Path) -> None:
    holder = spool.Spool(str(tmp_path))
    holder.add(b'{"n":1}')
    (tmp_path / "hook-spool-1-a.own").write_bytes(b'{"n":2}')
    assert holder.hold()
    assert (tmp_path / spool.SPOOL_FILE).read_bytes() == b'{"n":1}\n{"n":2}\n', "what was kept apart is there too"
    other = (
        "import sys; from blueplane_hook import spool; spool.LOCK_SECONDS = 0;"
        "one = spool.Spool(sys.argv[1]); one.deliver(print, 1e12); print(one.hold())"
    )
    command = [sys.executable, "-c", other, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
    holder.let_go()
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.endswith("True\n")


def test_a_hook_killed_while_it_took_over_leaves_the_event_once(tmp_path: Path) -> None:
    apart = tmp_path / "hook-spool-1-a.own"
    apart.write_bytes(b'{"n":1}')
    (tmp_path / spool.SPOOL_FILE).write_bytes(b'{"n":0}\n{"n":1}\n')
    spool.Spool(str(tmp_path)).add(b'{"n":2}')
    assert (tmp_path / spool.SPOOL_FILE).read_bytes() == b'{"n":0}\n{"n":1}\n{"n":2}\n'
    assert not apart.exists()
