"""The judge of the matrix itself: what it has to notice."""

import pytest

from tests.faults import right
from tests.faults.stage import OTHER_SERVER, SERVER, stage

pytestmark = pytest.mark.server


@pytest.mark.parametrize("server", [SERVER, pytest.param(OTHER_SERVER, marks=pytest.mark.slow)])
def test_a_command_that_writes_is_seen_even_where_it_changes_nothing(server: str) -> None:
    with stage(server=server) as it:
        before = right.held(it)
        assert right.held(it) == before
        with it.situation.redis.client() as client:
            assert client.xack("telemetry:message_queue", "processors", "1-1") == 0
        after = right.held(it)
    assert {name for name in after if after[name] != before.get(name)} == {"command xack"}
