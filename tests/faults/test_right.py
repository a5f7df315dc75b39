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


_FROZEN = 'Traceback (most recent call last):\n  File "<frozen runpy>", line 189, in _run_module_as_main\n'
_OTHERS = '  File "/home/me/blueplane-doctor/.venv/lib/python3.11/site-packages/_virtualenv.py", line 3, in <module>\n'
_OURS = '  File "/home/me/blueplane_doctor/__main__.py", line 3, in <module>\n'


@pytest.mark.parametrize(
    ("stderr", "is_of_the_interpreter"),
    [
        pytest.param(_FROZEN + "KeyboardInterrupt\n", True, id="runpy"),
        pytest.param(_FROZEN + _OTHERS + "KeyboardInterrupt\n", True, id="a site package"),
        pytest.param(_FROZEN + _OURS + "KeyboardInterrupt\n", False, id="our module"),
        pytest.param(_FROZEN + "ImportError: no such module\n", False, id="another error"),
    ],
)
def test_only_an_interruption_before_our_code_is_the_interpreters(stderr: str, is_of_the_interpreter: bool) -> None:
    assert right._is_of_the_interpreter(stderr) is is_of_the_interpreter
