"""Evidence as JSON text: whole, in one order, and in plain ASCII."""

import json
from pathlib import Path

from blueplane_doctor import __version__
from blueplane_doctor.judging.evidence import EVIDENCE_VERSION, Evidence, to_json
from blueplane_doctor.judging.kept import evidence_from
from blueplane_doctor.records.base import Record


class Weather(Record):
    """A record that no monitor makes."""

    sun: int


def evidence() -> Evidence:
    return Evidence(
        taken_at="2026-03-14T09:26:53.000Z",
        duration_ms=12.5,
        records={"weather": Weather(sun=1)},
        missing={"queue": "cannot be reached — gone", "database": "no such file"},
        durations={"weather": 0.5, "queue": 7.0},
        thresholds={"queue-depth": {"yellow": 5.0, "red": None}},
    )


def test_everything_is_in_it_with_the_version_that_took_it() -> None:
    content = json.loads(to_json(evidence()))
    assert content["evidence_version"] == EVIDENCE_VERSION
    assert content["tool"]["version"] == __version__
    assert content["records"] == {"weather": {"sun": 1}}
    assert content["thresholds"] == {"queue-depth": {"yellow": 5.0, "red": None}}
    assert (content["taken_at"], content["duration_ms"]) == ("2026-03-14T09:26:53.000Z", 12.5)


def test_the_same_evidence_gives_the_same_bytes_in_whichever_order_it_was_read() -> None:
    other = evidence()
    other.missing = dict(reversed(other.missing.items()))
    other.durations = dict(reversed(other.durations.items()))
    assert to_json(other) == to_json(evidence())


def test_any_terminal_and_any_file_can_hold_it() -> None:
    text = to_json(evidence())
    assert text.isascii()
    assert text.endswith("}\n")


def test_it_is_read_again_but_for_records_of_monitors_that_are_not_there() -> None:
    again = evidence_from(to_json(evidence()), Path("kept.json"))
    expected = evidence()
    expected.records = {}
    assert again == expected
