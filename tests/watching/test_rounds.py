"""What changed between rounds, the numbers that move, and a round as a line of JSON."""

import json
import threading
import time
from pathlib import Path
from queue import SimpleQueue

import pytest

from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import NoChecksError
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.model import Change, Finding, Status, Waiver
from blueplane_doctor.settings.values import load
from blueplane_doctor.watching.rounds import Broken, Ended, Mailbox, Memory, Round, Watcher, line, moving, start
from tests.helpers import settings_for
from tests.reports import samples
from tests.reports.samples import report_of
from tests.waiting import PATIENCE_SECONDS


def said(memory: Memory, **statuses: str) -> list[tuple[str, str, str | None]]:
    """What the memory says of findings with these statuses."""
    findings = [Finding(id=name, area="a", status=Status(status), summary="s") for name, status in statuses.items()]
    changed = memory.changed(report_of(findings))
    return [(one.finding.id, one.change.value, one.was.value if one.was else None) for one in changed]


def test_the_first_round_has_nothing_to_compare_with() -> None:
    assert said(Memory(), x="red", y="green") == []


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [("green", "red", "new"), ("yellow", "red", "worse"), ("red", "yellow", "better"), ("red", "green", "fixed"),
     ("green", "error", "new")],
)  # fmt: skip
def test_a_change_is_told_once(before: str, now: str, change: str) -> None:
    memory = Memory()
    said(memory, x=before)
    assert said(memory, x=now) == [("x", change, before)]
    assert said(memory, x=now) == []


@pytest.mark.parametrize(("after", "expected"), [("red", []), ("green", [("x", "fixed", "red")])])
def test_a_round_that_could_not_judge_is_left_out_of_the_comparison(
    after: str, expected: list[tuple[str, str, str | None]]
) -> None:
    memory = Memory()
    said(memory, x="red")
    assert said(memory, x="skipped") == []
    assert said(memory, x="unknown") == []
    assert said(memory, x=after) == expected


def test_what_was_never_judged_before_is_new() -> None:
    memory = Memory()
    said(memory, x="skipped")
    assert said(memory, x="orange") == [("x", "new", None)]


def test_a_waived_finding_is_no_news() -> None:
    memory = Memory()
    said(memory, x="green")
    waived = Finding(id="x", area="a", status=Status.RED, summary="s", waiver=Waiver(reason="known"))
    assert memory.changed(report_of([waived])) == []


def test_the_numbers_of_a_report_have_the_historys_names() -> None:
    numbers = moving(samples.mixed())
    assert numbers["queue.queue_depth"] == 1420
    assert numbers["chain.states.lost"] == 1180
    assert numbers["chain.states.trimmed_unread"] is None


def test_a_record_that_could_not_be_read_has_numbers_that_are_not_known() -> None:
    report = report_of([], {"queue": None, "chain": None})
    assert moving(report)["queue.queue_depth"] is None
    assert moving(report_of([])) == {}


def test_a_line_is_one_line_whatever_it_says() -> None:
    report = samples.mixed()
    memory = Memory()
    memory.changed(report_of([Finding(id="x\n\u2028", area="a", status=Status.GREEN, summary="")]))
    changed = memory.changed(report_of([Finding(id="x\n\u2028", area="a", status=Status.RED, summary="a\nb\x1b")]))
    text = line(Round(3, report, changed, unread={"chain": "a\nb"}, numbers={"queue.queue_depth": 4}))
    assert text.isascii()
    assert text.count("\n") == 1
    read = json.loads(text)
    assert (read["round"], read["status"], read["counts"]) == (3, "red", report.counts)
    assert read["changed"] == [
        {"id": "x\n\u2028", "change": "new", "was": "green", "status": "red", "summary": "a\nb\x1b"}
    ]
    assert [one["id"] for one in read["causes"]] == ["malformed-payloads", "database-locked"]
    assert (read["since"], read["opened"], read["over"]) == (report.since, [], [])
    assert read["unread"] == {"chain": "a\nb"}
    assert read["metrics"] == {"queue.queue_depth": 4}


def test_a_round_looks_at_the_real_pipeline(pipeline: Pipeline) -> None:
    watcher = Watcher(Doctor(settings_for(pipeline, select=["queue"])))
    assert watcher.look().changed == []
    pipeline.enqueue_cursor(1500)
    second = watcher.look()
    assert second.numbers["queue.queue_depth"] == 1500
    assert {one.finding.id: one.change for one in second.changed}["queue-depth"] is Change.NEW


def test_it_survives_a_server_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with run_server(tcp=True) as server:
        watcher = Watcher(
            Doctor(load({"home": tmp_path, "redis_url": server.url, "select": ["redis", "queue"]}).settings)
        )
        with Pipeline(server.url, tmp_path) as pipeline:
            pipeline.enqueue_cursor(3)
            assert watcher.look().numbers["queue.queue_depth"] == 3
    gone = watcher.look()
    assert "cannot be reached" in gone.unread["queue"]
    assert gone.numbers["queue.queue_depth"] is None
    assert [(one.finding.id, one.change) for one in gone.changed] == [("redis-reachable", Change.NEW)]
    port = server.url.rpartition(":")[2].partition("/")[0]
    with (
        run_server(arguments=("--port", port, "--bind", "127.0.0.1")) as again,
        Pipeline(again.url, tmp_path) as pipeline,
    ):
        pipeline.enqueue_cursor(2)
        back = watcher.look()
        assert back.numbers["queue.queue_depth"] == 2
        assert (back.number, back.unread) == (3, {})
        assert ("redis-reachable", Change.FIXED) in [(one.finding.id, one.change) for one in back.changed]


def test_no_check_is_said_before_anything_is_read() -> None:
    with pytest.raises(NoChecksError):
        Watcher(Doctor(load({"select": ["nothing-of-that-name"]}).settings))


def test_rounds_never_overlap_and_end_with_the_last() -> None:
    mailbox: Mailbox = SimpleQueue()
    one = Round(1, samples.empty())
    at_work, most = 0, 0

    def look() -> Round:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        time.sleep(0.02)
        at_work -= 1
        return one

    start(look, 0.001, 4, mailbox)
    news = [mailbox.get(timeout=PATIENCE_SECONDS) for _ in range(5)]
    assert news[:4] == [one] * 4
    assert isinstance(news[4], Ended)
    assert news[4].code is None
    assert most == 1


def test_no_round_is_begun_after_the_end() -> None:
    mailbox: Mailbox = SimpleQueue()
    looked = threading.Event()

    def look() -> Round:
        looked.set()
        return Round(1, samples.empty())

    stop = start(look, 60, 0, mailbox)
    mailbox.get(timeout=PATIENCE_SECONDS)
    looked.clear()
    stop.set()
    assert not looked.wait(0.1)


def test_a_defect_ends_watching() -> None:
    mailbox: Mailbox = SimpleQueue()

    def look() -> Round:
        raise ZeroDivisionError

    start(look, 0, 0, mailbox)
    news = mailbox.get(timeout=PATIENCE_SECONDS)
    assert isinstance(news, Broken)
    assert isinstance(news.error, ZeroDivisionError)


def test_causes_open_and_are_over() -> None:
    memory = Memory()
    report = samples.mixed()
    first, second = report.causes
    one = report.model_copy(update={"causes": [first]})
    assert memory.causes_changed(one) == ([], []), "the first round has nothing to compare with"
    assert memory.causes_changed(report) == ([second], [])
    assert memory.causes_changed(one) == ([], [second])
    assert memory.causes_changed(one) == ([], [])
