"""The rule for a message's state, as a table; and on real servers the ledger and trace agree for every state."""

import ast
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.custody import states as states_module
from blueplane_doctor.custody.states import STATES, PendingEntry, RowEvidence, state_of
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.trace import Tracer
from tests.helpers import enqueue_raw, settings_for

FRESH = PendingEntry((1, 0), b"consumer", idle_ms=29_999, deliveries=2)
OLD = FRESH._replace(idle_ms=30_000)
OFTEN = FRESH._replace(deliveries=3)


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        ({"has_writer": False}, "skipped"),
        ({"has_writer": False, "row": RowEvidence.CLAIMED}, "skipped"),
        ({"is_delivered": False}, "waiting"),
        ({"is_delivered": False, "row": RowEvidence.ABSENT}, "waiting"),
        ({"is_delivered": False, "row": RowEvidence.CLAIMED}, "written_not_delivered"),
        ({"is_delivered": False, "row": RowEvidence.TAKEN}, "written_not_delivered"),
        ({"pending": FRESH}, "in_flight"),
        ({"pending": OLD}, "stuck"),
        ({"pending": OFTEN}, "stuck"),
        ({"pending": OLD, "row": RowEvidence.ABSENT}, "stuck"),
        ({"pending": OLD, "row": RowEvidence.ABSENT, "has_dead_letter": True}, "stuck"),
        ({"pending": OLD, "row": RowEvidence.CLAIMED}, "written_not_acknowledged"),
        ({"pending": OFTEN, "row": RowEvidence.TAKEN}, "written_not_acknowledged"),
        ({"pending": FRESH, "row": RowEvidence.CLAIMED}, "in_flight"),
        ({}, "unexamined"),
        ({"has_dead_letter": True}, "unexamined"),
        ({"row": RowEvidence.CLAIMED}, "written"),
        ({"row": RowEvidence.CLAIMED, "has_dead_letter": True}, "written"),
        ({"row": RowEvidence.TAKEN}, "duplicate"),
        ({"row": RowEvidence.TAKEN, "has_dead_letter": True}, "duplicate"),
        ({"row": RowEvidence.ABSENT, "has_dead_letter": True}, "dead_lettered"),
        ({"row": RowEvidence.ABSENT, "has_dead_letter": True, "has_key": False}, "dead_lettered"),
        ({"row": RowEvidence.ABSENT}, "lost"),
        ({"row": RowEvidence.ABSENT, "has_key": False}, "untraceable"),
    ],
)
def test_the_rule(evidence: dict[str, Any], state: str) -> None:
    acknowledged: dict[str, Any] = {"has_writer": True, "is_delivered": True, "pending": None}
    assert state_of(**acknowledged | evidence) == state


def test_the_rule_imports_nothing_that_reads() -> None:
    tree = ast.parse(Path(states_module.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"enum", "typing", "blueplane_doctor.sources.entry_ids"}


def waiting(pipeline: Pipeline) -> str:
    return pipeline.enqueue_cursor(1)[0]


def in_flight(pipeline: Pipeline) -> str:
    (sent,) = pipeline.enqueue_cursor(1)
    pipeline.deliver("processors")
    return sent


def stuck(pipeline: Pipeline) -> str:
    sent = in_flight(pipeline)
    pipeline.age_pending("processors", milliseconds=45_000)
    return sent


def written_not_acknowledged(pipeline: Pipeline) -> str:
    (sent,) = pipeline.enqueue_cursor(1, event_ids=["one-key"])
    pipeline.drain()
    pipeline.client.xgroup_setid(pipeline.queue, "processors", "0")
    pipeline.deliver("processors")
    pipeline.age_pending("processors", milliseconds=45_000)
    return sent


def written_not_delivered(pipeline: Pipeline) -> str:
    pipeline.enqueue_cursor(1)
    pipeline.drain()
    position = pipeline.client.xinfo_stream(pipeline.queue)["last-generated-id"]
    (sent,) = pipeline.enqueue_cursor(1)
    pipeline.drain()
    pipeline.client.xgroup_setid(pipeline.queue, "processors", position)
    return sent


def written(pipeline: Pipeline) -> str:
    (sent,) = pipeline.enqueue_claude(1)
    pipeline.drain()
    return sent


def duplicate(pipeline: Pipeline) -> str:
    pipeline.enqueue_cursor(1, event_ids=["one-key"])
    pipeline.drain()
    (sent,) = pipeline.enqueue_cursor(1, event_ids=["one-key"])
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", [sent])
    return sent


def dead_lettered(pipeline: Pipeline) -> str:
    (sent,) = pipeline.enqueue_cursor(1)
    pipeline.deliver("processors")
    pipeline.dead_letter(sent, "cursor")
    return sent


def skipped(pipeline: Pipeline) -> str:
    (sent,) = pipeline.enqueue_skipped(1)
    pipeline.drain()
    return sent


def untraceable(pipeline: Pipeline) -> str:
    fields = {"platform": "cursor", "hook_type": "stop", "metadata": "{}", "payload": "{}"}
    (sent,) = enqueue_raw(pipeline, fields)
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", [sent])
    return sent


def lost(pipeline: Pipeline) -> str:
    pipeline.enqueue_cursor(1)  # in a table without an earlier row it might have had one that is gone
    pipeline.drain()
    (sent,) = pipeline.enqueue_cursor(1)
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", [sent])
    return sent


def unexamined(pipeline: Pipeline) -> str:
    sent = written(pipeline)
    for file in pipeline.home.glob("telemetry.db*"):
        file.unlink()
    return sent


MAKERS: tuple[Callable[[Pipeline], str], ...] = (
    waiting,
    in_flight,
    stuck,
    written_not_acknowledged,
    written_not_delivered,
    written,
    duplicate,
    dead_lettered,
    skipped,
    untraceable,
    lost,
    unexamined,
)


def test_there_is_a_message_of_every_state() -> None:
    assert {maker.__name__ for maker in MAKERS} == set(STATES)


@pytest.mark.parametrize("make", MAKERS, ids=lambda maker: maker.__name__)
def test_ledger_and_trace_agree(make: Callable[[Pipeline], str], any_pipeline: Pipeline) -> None:
    sent = make(any_pipeline)
    with closing(Examination(settings_for(any_pipeline))) as examination:
        page = examination.redis.ask_one("XRANGE", any_pipeline.queue, "-", "+")
        of_ledger = examination.new_judge().judge(page)
        judged = {
            message.raw_id.decode(): state for message, state in zip(of_ledger.messages, of_ledger.states, strict=True)
        }
        totals = {state: examination.ledger().total(state) for state in STATES}
        traces = Tracer(examination).trace(list(judged))
    assert judged[sent] == make.__name__
    assert {trace.id: trace.state for trace in traces} == judged
    assert totals == {state: list(judged.values()).count(state) for state in STATES}
