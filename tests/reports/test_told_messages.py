"""What people were told, on the page."""

from typing import Any

import pytest

from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.html import render
from blueplane_doctor.reports.told_messages import ToldLine, told_messages
from tests.reports import samples

MESSAGE = {
    "at": "2026-03-14T09:22:00.000Z",
    "target": "ntfy 1",
    "kinds": ["opened", "worse"],
    "status": "red",
    "causes": ["server-down"],
    "reason": "",
}


def report(*messages: Any) -> Any:
    told = {"notifications": {"targets": 1, "messages": list(messages)}}
    return samples.healthy().model_copy(update={"metrics": told})


def test_a_message_is_a_line() -> None:
    assert told_messages(report(MESSAGE, {**MESSAGE, "causes": [], "reason": "it did not end in time"})) == [
        ToldLine("2026-03-14T09:22:00.000Z", "red", "ntfy 1: opened, worse: server-down", "delivered"),
        ToldLine("2026-03-14T09:22:00.000Z", "red", "ntfy 1: opened, worse", "it did not end in time"),
    ]


def test_it_is_on_the_page() -> None:
    page = render(report(MESSAGE), View())
    assert "What people were told" in page
    assert "ntfy 1: opened, worse: server-down: <b>delivered</b>" in page
    assert "What people were told" not in render(samples.healthy(), View())


@pytest.mark.parametrize(
    "record",
    [None, {}, {"messages": 5}, {"messages": [5, {}, {**MESSAGE, "status": "blue"}, {**MESSAGE, "kinds": 5}]}],
)
def test_what_is_no_message_is_left_out(record: Any) -> None:
    strange = samples.healthy().model_copy(update={"metrics": {"notifications": record}})
    assert told_messages(strange) == []
    render(strange, View())
