"""Status changes as a list of their own."""

import csv
import io
import json

from blueplane_doctor.model import Status, StatusChange
from blueplane_doctor.reports.change_list import as_csv, as_json, as_table
from blueplane_doctor.reports.told_messages import ToldLine

CHANGES = [
    StatusChange(at="2026-03-14T09:08:00.000Z", kind="report", before=None, after=Status.GREEN),
    StatusChange(at="2026-03-14T09:10:00.000Z", kind="report", before=Status.GREEN, after=Status.RED),
    StatusChange(
        at="2026-03-14T09:10:00.000Z", kind="cause", id="server-down", title="It is down", before="green", after="red"
    ),
    StatusChange(at="2026-03-14T09:30:00.000Z", kind="check", id="server-alive", before="red", after="green"),
]
NINE = 1_773_478_800
"""2026-03-14 09:00 UTC."""
GAPS = [(NINE + 900, NINE + 1500)]
TOLD = [ToldLine("2026-03-14T09:11:00.000Z", "red", "ntfy 1: opened", "delivered")]


def test_a_table_tells_the_time_of_a_sample_once() -> None:
    assert as_table(CHANGES, GAPS, TOLD) == (
        "time (UTC)\n"
        "2026-03-14 09:08  the pipeline          green when recording began\n"
        "2026-03-14 09:10  the pipeline          green → red\n"
        "                  It is down            opened, red\n"
        "2026-03-14 09:11  told ntfy 1: opened   delivered\n"
        "2026-03-14 09:15  nothing was recorded  until 2026-03-14 09:25\n"
        "2026-03-14 09:30  check server-alive    red → green\n"
    )


def test_without_changes_it_says_so() -> None:
    assert as_table([], [], []) == "No status changed in this time.\n"


def test_json_holds_the_changes_as_a_report_does() -> None:
    content = json.loads(as_json(CHANGES, GAPS, TOLD))
    assert content["schema_version"] == 1
    assert [StatusChange.model_validate(change) for change in content["changes"]] == CHANGES
    assert content["told"][0]["words"] == "ntfy 1: opened"
    assert content["gaps"] == [{"from": "2026-03-14T09:15:00.000Z", "until": "2026-03-14T09:25:00.000Z"}]


def test_csv() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(CHANGES, GAPS, TOLD))))
    assert rows[0] == ["time", "kind", "id", "before", "after"]
    assert rows[1] == ["2026-03-14T09:08:00.000Z", "report", "", "", "green"]
    assert rows[3] == ["2026-03-14T09:10:00.000Z", "cause", "server-down", "green", "red"]
