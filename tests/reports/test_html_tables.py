"""Tables of evidence: capped, and whole whatever they hold."""

from blueplane_doctor.model import Finding, Status
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.html import render
from tests.reports import samples
from tests.reports.test_html import Page


def test_long_evidence_is_capped_and_says_so() -> None:
    breaks = [{"id": f"{number}-0", "event_id": f"event-{number}", "reason": "lost"} for number in range(10_000)]
    evidence = {"breaks": breaks, "ids": [b["id"] for b in breaks], "by_id": {b["id"]: 1 for b in breaks}}
    finding = Finding(status=Status.RED, summary="10,000 breaks", evidence=evidence, id="chain-breaks", area="chain")
    text = render(samples.report_of([finding, *samples.mixed().findings[1:]], samples.mixed().metrics), View())
    assert len(text.encode()) < 300_000
    assert text.count("… and 9,975 more") == 3


def test_odd_evidence_does_not_break_the_page() -> None:
    evidence = {"a": float("nan"), "b_ms": float("inf"), "c": 10**30, "d": {1: {2: {3: {4: 5}}}}, "e": [], "f": {}}
    evidence |= {"g": [[1, [2, [3]]]], "h": [{"x": 1}, 2], "i": None, "j": True, "k": b"\xff", "l_ms": -5, "m": (1, 2)}
    finding = Finding(status=Status.RED, summary="odd", evidence=evidence, id="odd", area="odd")
    assert not Page(render(samples.report_of([finding]), View())).unclosed
