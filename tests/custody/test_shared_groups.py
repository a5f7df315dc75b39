"""Who shares a writer group: two servers that live, not one that was restarted."""

import pytest

from blueplane_doctor.custody.shared_groups import shared_group
from blueplane_doctor.sources.server_process import ServerProcess
from blueplane_doctor.sources.streams import Consumer, Group

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


def sharing(server: ServerProcess, *consumers: tuple[str, int], running: tuple[int, ...] = ()) -> list[str]:
    found = shared_group(group(*consumers), server, NOW, lambda pid: "running" if pid in running else "not running")
    return [name.decode() for name in found.consumers] if found else []


BOTH = ["consumer-100", "consumer-200"]


@pytest.mark.parametrize(
    ("server", "consumers", "running", "expected"),
    [
        pytest.param(OWN, (("consumer-100", 0),), (), [], id="one server"),
        pytest.param(OWN, (("consumer-100", 0), ("consumer", 0)), (), [], id="a name without a process"),
        pytest.param(OWN, (("consumer-100", 0), ("consumer-200", 900)), (200,), BOTH, id="both run here"),
        pytest.param(OWN, (("consumer-100", 0), ("consumer-200", 11 * MINUTE)), (), BOTH, id="read after our start"),
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
    found = shared_group(group(("consumer-100", 0), ("consumer-200", 11 * MINUTE)), OWN, NOW, lambda _: "not running")
    assert found is not None
    assert NOW - 11 * MINUTE <= found.until_ms < NOW - 10 * MINUTE
