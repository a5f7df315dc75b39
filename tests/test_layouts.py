"""The layouts name what is there, and each writer has its own messages and rows."""

import pytest

from blueplane_doctor.layouts import LAYOUTS, PLATFORMS, Layout
from blueplane_doctor.pipeline import READER_GROUPS, TRACE_TABLES


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_routes_lead_to_known_tables_and_no_reader_writes(layout: Layout) -> None:
    assert [route.name for route in layout.routes] == ["cursor", "claude"]
    for route in layout.routes:
        assert route.group not in READER_GROUPS
        assert {key.table for key in route.keys} <= set(TRACE_TABLES)
        assert all(key.columns for key in route.keys)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_each_platform_has_a_route(layout: Layout) -> None:
    named = set()
    for route in layout.routes:
        for rule in route.any_of:
            named.update(rule.get("platform", []))
    assert named == set(PLATFORMS)


def test_the_streams_of_the_layouts_differ() -> None:
    assert len({layout.queue for layout in LAYOUTS}) == len(LAYOUTS)
