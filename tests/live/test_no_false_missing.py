"""No line of a transcript is called missing that is not, whatever happens meanwhile; each one that is withheld is."""

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blueplane_doctor.capture.line_states import DEAD_LETTERED, IN_STREAM, MISSING, WRITTEN
from blueplane_doctor.capture.line_traces import LineTraces
from blueplane_doctor.capture.transcripts import Comparison, compare_transcripts
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from tests.capture.transcripts import Project, enqueue, new_uuid, settings_of, write_rows
from tests.live.test_no_false_break import before
from tests.live.test_read_only import look
from tests.waiting import PATIENCE_SECONDS

RUNS = 50
WITHHELD = 5


def compared(pipeline: Pipeline, projects: Path, *, after_custody: bool = False) -> Comparison:
    """`after_custody`: the stream was walked for the chain of custody before anything else was read."""
    with closing(Examination(settings_of(pipeline, projects))) as examination:
        if after_custody:
            examination.ledger()
        return compare_transcripts(examination)


MOMENTS = ("written", "dead_lettered", "in_stream", "written_elsewhere")


@pytest.mark.parametrize(
    ("moment", "after_custody"),
    [*((moment, False) for moment in MOMENTS), ("written", True), ("in_stream", True), ("written_elsewhere", True)],
)
@pytest.mark.parametrize("event", ["written and trimmed", "dead-lettered", "enqueued"])
def test_what_happens_while_the_doctor_reads_is_not_missing(
    moment: str, after_custody: bool, event: str, pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Project(tmp_path / "projects", "/home/me/site")
    session = new_uuid()
    lines = site.lines(session, 6)
    site.write(session, lines)
    write_rows(pipeline, session, lines[:3])
    waiting = [] if event == "enqueued" else enqueue(pipeline, session, lines[3:])

    def happens() -> None:
        if event == "enqueued":
            enqueue(pipeline, session, lines[3:])
        elif event == "dead-lettered":
            pipeline.deliver("claude_processors")
            for message in waiting:
                pipeline.dead_letter(message)
        else:
            pipeline.drain()
            pipeline.client.xtrim(pipeline.queue, maxlen=0, approximate=False)

    before(monkeypatch, LineTraces, moment, happens)
    comparison = compared(pipeline, tmp_path / "projects", after_custody=after_custody)
    if event == "enqueued" and moment == "written_elsewhere":
        return  # it came after every look: it was missing when the doctor looked
    assert comparison.total(MISSING) == 0
    assert sum(comparison.total(state) for state in (WRITTEN, IN_STREAM, DEAD_LETTERED)) == 6


@pytest.mark.slow
def test_fifty_runs_beside_traffic_find_what_is_withheld_and_nothing_else(pipeline: Pipeline, tmp_path: Path) -> None:
    """Lines old enough to be judged come in all the time; each is in the stream before it is in its transcript."""
    projects = tmp_path / "projects"
    site = Project(projects, "/home/me/site")
    session = new_uuid()
    withheld = site.lines(session, WITHHELD)
    site.write(session, withheld)
    write_rows(pipeline, session, site.lines(session, 1))
    failed: list[BaseException] = []
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                lines = site.lines(session, 10, at=datetime.now(UTC) - timedelta(minutes=5))
                enqueue(pipeline, session, lines)
                site.write(session, lines)
                pipeline.drain()
                pipeline.client.xtrim(pipeline.queue, maxlen=20, approximate=False)
        except BaseException as error:
            failed.append(error)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        comparisons = [compared(pipeline, projects) for _ in range(RUNS)]
    finally:
        stop.set()
        writer.join(PATIENCE_SECONDS)
    assert not failed
    wanted = {line["uuid"] for line in withheld}
    for comparison in comparisons:
        assert {line.uuid for line in comparison.missing} == wanted
        assert not comparison.cause
    assert comparisons[-1].total(WRITTEN) > comparisons[0].total(WRITTEN)


def test_transcripts_are_left_as_they_are(pipeline: Pipeline, tmp_path: Path, guarded_home: Path) -> None:
    projects = tmp_path / "claude" / "projects"
    site = Project(projects, "/home/me/site.v2")
    session = new_uuid()
    lines = site.lines(session, 20)
    site.write(session, lines, end="\n{half")
    write_rows(pipeline, session, lines[:10])
    earlier = look(tmp_path / "claude") | look(pipeline.home)
    for _ in range(2):
        compared(pipeline, projects)
    assert look(tmp_path / "claude") | look(pipeline.home) == earlier
    assert [path.name for path in guarded_home.rglob("*.json")], "what is remembered lies elsewhere"
