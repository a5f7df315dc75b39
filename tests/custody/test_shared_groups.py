"""Who shares a writer group: two servers that live, not one that was restarted."""

from collections.abc import Callable, Collection
from datetime import timedelta

import pytest

from blueplane_doctor.custody.shared_groups import KnownServers, known_servers, shared_group
from blueplane_doctor.sources.server_log import LogTail
from blueplane_doctor.sources.server_process import ServerProcess
from blueplane_doctor.sources.streams import Consumer, Group
from blueplane_doctor.text.times import from_milliseconds

NOW = 1_800_000_000_000
MINUTE = 60_000
OWN = ServerProcess(100, "running", running_for_ms=60 * MINUTE)
JUST_STARTED = ServerProcess(100, "running", running_for_ms=5_000)
NO_PID_FILE = ServerProcess(None, "no pid file")
CRASHED = ServerProcess(100, "not running")
CONTAINER = ServerProcess(1, "another program")


def group(*consumers: tuple[str, int]) -> Group:
    members = tuple(Consumer(name.encode(), 0, idle_ms) for name, idle_ms in consumers)
    return Group(b"processors", (1, 0), 0, None, None, members)


def _states(running: Collection[int]) -> Callable[[int], str]:
    return lambda pid: "running" if pid in running else "not running"


def sharing(server: ServerProcess, *consumers: tuple[str, int], running: tuple[int, ...] = ()) -> list[str]:
    found = shared_group(group(*consumers), server, NOW, _states(running), KnownServers())
    return [name.decode() for name in found.consumers] if found else []


BOTH = ["consumer-100", "consumer-200"]


@pytest.mark.parametrize(
    ("server", "consumers", "running", "expected"),
    [
        pytest.param(OWN, (("consumer-100", 0),), (), [], id="one server"),
        pytest.param(OWN, (("consumer-100", 0), ("consumer", 0)), (), [], id="a name without a process"),
        pytest.param(OWN, (("consumer-100", 0), ("consumer-200", 900)), (200,), BOTH, id="both run here"),
        pytest.param(OWN, (("consumer-100", 0), ("consumer-200", 11 * MINUTE)), (), BOTH, id="read after our start"),
        pytest.param(OWN, (("consumer-100", 0), ("debug-200", 900)), (), [], id="somebody's own program"),
        pytest.param(OWN, (("consumer-100", 0), ("x-200", 900)), (200,), ["consumer-100", "x-200"], id="its process"),
        pytest.param(OWN, (("consumer-100", 0), ("consumer-200", 60 * MINUTE)), (), [], id="the one before us"),
        pytest.param(OWN, (("consumer-100", 0), ("consumer-200", 59 * MINUTE + 1)), (), [], id="while it handed over"),
        pytest.param(JUST_STARTED, (("consumer-100", 0), ("consumer-200", 6_000)), (), [], id="just restarted"),
        pytest.param(JUST_STARTED, (("consumer-100", 0), ("consumer-200", 100)), (), [], id="restarted at once"),
        pytest.param(NO_PID_FILE, (("consumer-100", 0), ("consumer-200", 900)), (), BOTH, id="both at once, unknown"),
        pytest.param(CONTAINER, (("consumer-100", 0), ("consumer-200", 900)), (), BOTH, id="two containers"),
        pytest.param(NO_PID_FILE, (("consumer-100", 0), ("consumer-200", 30_000)), (), [], id="one after another"),
        pytest.param(CRASHED, (("consumer-100", 900), ("consumer-200", 5_000)), (), [], id="restarted in a loop"),
        pytest.param(
            OWN, (("consumer-300", 0), ("consumer-200", 900)), (), ["consumer-200", "consumer-300"], id="none ours"
        ),
    ],
)
def test_who_shares_a_group(
    server: ServerProcess, consumers: tuple[tuple[str, int], ...], running: tuple[int, ...], expected: list[str]
) -> None:
    assert sharing(server, *consumers, running=running) == expected


def test_until_when_the_other_one_was_given_messages() -> None:
    found = shared_group(
        group(("consumer-100", 0), ("consumer-200", 11 * MINUTE)), OWN, NOW, _states(()), KnownServers()
    )
    assert found is not None
    assert NOW - 11 * MINUTE <= found.until_ms < NOW - 10 * MINUTE


@pytest.mark.parametrize(
    ("running", "known", "certain"),
    [
        pytest.param((), KnownServers(), False, id="its name alone"),
        pytest.param((200,), KnownServers(), True, id="its process"),
        pytest.param((), KnownServers(in_every_group=frozenset((100, 200))), True, id="it reads for every group"),
    ],
)
def test_what_makes_a_consumer_certainly_a_server(running: tuple[int, ...], known: KnownServers, certain: bool) -> None:
    members = group(("consumer-100", 0), ("consumer-200", MINUTE))
    found = shared_group(members, OWN, NOW, _states(running), known)
    assert found is not None
    assert found.is_certain is certain


def test_the_log_names_the_servers_of_this_home_and_so_tells_which_one_is_of_another() -> None:
    members = group(("consumer-100", 30 * MINUTE), ("consumer-200", 20 * MINUTE), ("consumer-300", 0))
    claude = members._replace(consumers=tuple(one._replace(name=b"claude-" + one.name) for one in members.consumers))
    restarted = ServerProcess(300, "running", running_for_ms=10 * MINUTE)
    begins = from_milliseconds(NOW - 60 * MINUTE)
    log = LogTail(first_start=begins, servers=frozenset((100, 300)))
    known = known_servers([members, claude], restarted, log)
    found = shared_group(members, restarted, NOW, _states((300,)), known)
    assert found is not None and found.is_certain
    assert found.consumers == (b"consumer-200", b"consumer-300")
    assert found.until_ms < NOW - 19 * MINUTE

    # All are of this home, the log does not go back to the start of a server that then read, or it is another home's.
    for other in (
        log._replace(servers=frozenset((100, 200, 300))),
        log._replace(first_start=begins + timedelta(minutes=50)),
        log._replace(servers=frozenset((100,))),
    ):
        known = known_servers([members, claude], restarted, other)
        assert shared_group(members, restarted, NOW, _states((300,)), known) is None


def test_the_server_of_another_home_alone_reads_while_the_one_of_this_home_is_down() -> None:
    members = group(("consumer-100", 30 * MINUTE), ("consumer-200", 0))
    log = LogTail(first_start=from_milliseconds(NOW - 60 * MINUTE), servers=frozenset((100,)))
    found = shared_group(members, CRASHED, NOW, _states((200,)), known_servers([members], CRASHED, log))
    assert found is not None
    assert found.consumers == (b"consumer-200",)
    assert shared_group(members, CRASHED, NOW, _states((200,)), KnownServers()) is None


@pytest.mark.parametrize(
    ("idle_ms", "counts_asking", "running", "here", "ended"),
    [
        pytest.param(2 * MINUTE, True, (), False, True, id="it has not asked for long"),
        pytest.param(MINUTE, True, (), False, False, id="it may be busy"),
        pytest.param(2 * MINUTE, False, (), False, False, id="another machine may have its process"),
        pytest.param(2 * MINUTE, False, (), True, True, id="no machine has its process"),
        pytest.param(MINUTE, False, (), True, False, id="the number may be that of a container"),
        pytest.param(2 * MINUTE, True, (200,), True, False, id="its process runs"),
    ],
)
def test_whether_the_other_one_reads_no_more(
    idle_ms: int, counts_asking: bool, running: tuple[int, ...], here: bool, ended: bool
) -> None:
    members = group(("consumer-100", 0), ("consumer-200", idle_ms))
    consumers = tuple(one._replace(counts_asking=counts_asking) for one in members.consumers)
    shared = members._replace(consumers=consumers)
    found = shared_group(shared, OWN, NOW, _states(running), KnownServers(are_all_here=here))
    assert found is not None
    assert (found.ended == {b"consumer-200"}) is ended
