"""The names that may be shown are those of the pipeline's contract."""

import pytest

from blueplane_doctor.custody.states import PAYLOAD_GONE, STATES
from blueplane_doctor.demo.messages import MessageMaker
from blueplane_doctor.layouts import LAYOUTS
from blueplane_doctor.plugins.discovery import find_checks
from blueplane_doctor.privacy import known_names
from blueplane_doctor.recording.minutes import PREFIX
from blueplane_doctor.text.times import from_milliseconds


def test_every_name_of_the_contract_is_known() -> None:
    for layout in LAYOUTS:
        assert {layout.queue, *layout.dead_letters} <= known_names.STREAMS
        for route in layout.routes:
            assert route.group in known_names.GROUPS
            for key in route.keys:
                assert key.table in known_names.TABLES
                assert set(key.columns) <= known_names.COLUMNS


def test_what_the_simulated_pipeline_sends_is_known() -> None:
    maker = MessageMaker(1)
    when = from_milliseconds(0)
    messages = [
        maker.from_hook(when, "cursor", "stop", "generation"),
        maker.from_transcript(when),
    ]
    for message in messages:
        assert message["platform"] in known_names.PLATFORMS
        assert message["hook_type"] in known_names.HOOK_TYPES
        assert message["event_type"] in known_names.EVENT_TYPES


def test_the_states_and_areas_are_those_of_the_doctor() -> None:
    assert {*STATES, PAYLOAD_GONE} <= known_names.STATES
    assert {spec.area for spec in find_checks().checks} <= known_names.AREAS


@pytest.mark.parametrize("name", [*vars(known_names)])
def test_no_list_holds_what_is_no_name(name: str) -> None:
    names = getattr(known_names, name)
    if isinstance(names, frozenset):
        assert "" not in names
        assert all(one.isascii() and one.isprintable() and len(one) < 60 for one in names)
        assert not any(one.startswith(PREFIX) for one in names)
