"""No false break, whatever happens while the doctor reads; and every real one, at every size."""

import threading
from collections.abc import Callable

import pytest

from blueplane_doctor.custody.judge import CustodyJudge
from blueplane_doctor.custody.ledger import KEPT_BREAKS
from blueplane_doctor.custody.ledger_builder import LedgerBuilder
from blueplane_doctor.demo.faults import FAULTS, healthy
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.sources.dead_letters import DeadLetterReader
from blueplane_doctor.sources.trace_tables import RowFinder
from tests.helpers import examined, settings_for
from tests.parameters import one_quick


def lost(pipeline: Pipeline) -> int:
    examination = Examination(settings_for(pipeline))
    try:
        return examination.ledger().total("lost")
    finally:
        examination.close()


def before(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, happens: Callable[[], None]) -> None:
    """Let something happen in the pipeline just before the doctor's first call of a method."""
    original = getattr(owner, name)
    left = [happens]

    def meanwhile(self: object, *args: object, **kwargs: object) -> object:
        if left:
            left.pop()()
        return original(self, *args, **kwargs)

    monkeypatch.setattr(owner, name, meanwhile)


MOMENTS = {
    "before the walk": (LedgerBuilder, "build"),
    "before a page is judged": (CustodyJudge, "judge"),
    "before the rows are looked up": (RowFinder, "find"),
    "before the dead letters are read again": (DeadLetterReader, "catch_up"),
}


@pytest.mark.parametrize("moment", one_quick(MOMENTS))
@pytest.mark.parametrize("event", ["acknowledged", "delivered and written", "enqueued", "dead-lettered"])
def test_what_happens_while_the_doctor_reads_breaks_nothing(
    moment: str, event: str, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy(pipeline)
    ids = pipeline.enqueue_cursor(20)
    held = pipeline.deliver("processors") if event in ("acknowledged", "dead-lettered") else []

    def happens() -> None:
        if event == "acknowledged":
            pipeline.write(held)
            pipeline.acknowledge("processors", [identity for identity, _ in held])
        elif event == "delivered and written":
            pipeline.drain()
        elif event == "enqueued":
            pipeline.enqueue_cursor(20)
            pipeline.enqueue_claude(20)
        else:
            for identity in ids[:5]:
                pipeline.dead_letter(identity, "cursor")

    owner, name = MOMENTS[moment]
    before(monkeypatch, owner, name, happens)
    assert lost(pipeline) == 0


@pytest.mark.slow
@pytest.mark.parametrize("waiting, told", [(37, 0), (900, None)])
@pytest.mark.parametrize("moment", ["before the walk", "before a page is judged"])
def test_what_is_written_and_trimmed_while_the_doctor_reads_is_not_lost(
    moment: str, waiting: int, told: int | None, any_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long queue that vanishes while it is counted leaves nothing to tell its losses from; a short one is counted
    before."""
    any_pipeline.enqueue_cursor(600)
    any_pipeline.drain()
    any_pipeline.client.xtrim(any_pipeline.queue, maxlen=550, approximate=False)
    any_pipeline.enqueue_cursor(waiting)

    def happens() -> None:
        any_pipeline.drain()
        any_pipeline.client.xtrim(any_pipeline.queue, maxlen=0, approximate=False)

    owner, name = MOMENTS[moment]
    before(monkeypatch, owner, name, happens)
    chain = examined(any_pipeline, select="chain").metrics["chain"]
    assert chain and chain["chain_break_count"] == 0, chain
    assert chain["states"]["trimmed_unread"] == told
    if told is None:
        assert "trimmed while they were counted" in chain["losses"][0]["cause"]


@pytest.mark.slow
@pytest.mark.timeout(300)  # the doctor steps aside for a busy server, and takes its time
def test_a_pipeline_at_full_speed_shows_no_break(pipeline: Pipeline) -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            pipeline.enqueue_cursor(30)
            pipeline.enqueue_claude(30)
            pipeline.drain()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(15):
            assert lost(pipeline) == 0
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-01-01T10:00:00Z",
        "2026-01-01T10:00:00.123456+09:00",
        "2026-01-01T10:00:00",
        "2026-01-01 10:00",
        "",
        "never",
    ],
)
def test_timestamps_of_every_shape_break_nothing(timestamp: str, pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3, timestamp=timestamp)
    pipeline.enqueue_claude(3, timestamp=timestamp)
    pipeline.drain()
    assert lost(pipeline) == 0


def test_messages_with_the_same_key_are_no_break(pipeline: Pipeline) -> None:
    (first,) = pipeline.enqueue_cursor(1, event_ids=["a-key"])
    pipeline.drain()
    pipeline.enqueue_cursor(1, event_ids=["a-key"])
    entries = pipeline.deliver("processors")
    pipeline.acknowledge("processors", [identity for identity, _ in entries])
    chain = examined(pipeline, select="chain").metrics["chain"]
    assert chain
    assert (chain["states"]["written"], chain["states"]["duplicate"], chain["states"]["lost"]) == (1, 1, 0)


@pytest.mark.parametrize("size", one_quick([60, 600, 6_000, 20_000]))
def test_precision_and_recall_are_one_at_every_size(size: int, any_pipeline: Pipeline) -> None:
    any_pipeline.max_length = 10 * size
    FAULTS["malformed-payloads"].apply(any_pipeline, messages=size, malformed=size // 5)
    broken = {
        identity
        for identity, fields in any_pipeline.client.xrange(any_pipeline.queue)
        if not fields["payload"].startswith("{")
    }
    examination = Examination(settings_for(any_pipeline))
    try:
        found = examination.ledger()
    finally:
        examination.close()
    assert found.total("lost") == len(broken) == size // 5
    assert {b.id for b in found.breaks} <= broken
    assert len(found.breaks) == min(len(broken), KEPT_BREAKS)
