"""Target `dead-letters`: by filter, never all of them by default; removed only once their rows are seen."""

from dataclasses import replace

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import ExitCode
from blueplane_doctor.lookup.dead_letters import DeadLetterFilter
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import Action
from tests.helpers import examined
from tests.repair.pipelines import applied, planned, result_of, writers_at_work

ALL = DeadLetterFilter(older_than_ms=0)


def letters(pipeline: Pipeline) -> int:
    return sum(pipeline.client.xlen(stream) for stream in pipeline.layout.dead_letters)


def test_no_filter_means_none(live_pipeline: Pipeline) -> None:
    FAULTS["dead-letter-growth"].apply(live_pipeline)
    for plan in (planned(live_pipeline), planned(live_pipeline, "dead-letters")):
        assert plan.items == ()
        assert any("no filter says which" in refusal.reason for refusal in plan.refusals)


def test_letters_of_all_shapes_are_delivered_and_then_removed(live_pipeline: Pipeline) -> None:
    FAULTS["dead-letter-growth"].apply(live_pipeline)
    plan = planned(live_pipeline, wanted=Wanted(filter=ALL))
    assert len(plan.of(Action.DELIVER)) == 16
    with writers_at_work(live_pipeline):
        outcome = applied(live_pipeline, plan, patience=20)
    assert outcome.exit_code is ExitCode.OK, outcome.text
    assert letters(live_pipeline) == 0
    after = examined(live_pipeline, select="chain,dead-letters")
    chain = after.metrics["chain"]
    assert chain is not None
    assert {state: count for state, count in chain["states"].items() if count} == {"written": 16, "duplicate": 16}


def test_a_letter_stays_where_its_row_is_not_seen(live_pipeline: Pipeline) -> None:
    FAULTS["dead-letter-growth"].apply(live_pipeline)
    plan = planned(live_pipeline, wanted=Wanted(filter=ALL))
    applied(live_pipeline, plan, patience=0)
    assert letters(live_pipeline) == 16
    with writers_at_work(live_pipeline):
        applied(live_pipeline, plan, patience=20)
    assert letters(live_pipeline) == 0


def test_what_is_written_already_is_removed_and_not_delivered(live_pipeline: Pipeline) -> None:
    FAULTS["dead-letter-growth"].apply(live_pipeline)
    entries = live_pipeline.client.xrange(live_pipeline.queue)
    live_pipeline.write(entries[:3])  # type: ignore[arg-type,index]
    plan = planned(live_pipeline, wanted=Wanted(filter=ALL))
    assert (len(plan.of(Action.REMOVE)), len(plan.of(Action.DELIVER))) == (3, 13)
    with writers_at_work(live_pipeline):
        applied(live_pipeline, plan, patience=20)
    assert letters(live_pipeline) == 0
    assert result_of(live_pipeline, plan)["done"] == {"delivered": 13, "removed": 16}


def test_several_letters_of_one_message_are_one_delivery(live_pipeline: Pipeline) -> None:
    (sent,) = live_pipeline.enqueue_claude(1)
    live_pipeline.deliver("claude_processors")
    for _ in range(3):
        live_pipeline.dead_letter(sent, "claude")
    plan = planned(live_pipeline, wanted=Wanted(filter=ALL))
    assert (len(plan.of(Action.DELIVER)), len(plan.of(Action.REMOVE))) == (1, 2)
    with writers_at_work(live_pipeline):
        applied(live_pipeline, plan, patience=20)
    assert letters(live_pipeline) == 0


def test_filters_and_ids_narrow(live_pipeline: Pipeline) -> None:
    FAULTS["dead-letter-growth"].apply(live_pipeline)
    claude = planned(live_pipeline, wanted=Wanted(filter=replace(ALL, platform="claude_code")))
    assert 0 < len(claude.items) < 16
    first = claude.items[0]
    only = planned(live_pipeline, wanted=Wanted(ids=frozenset([first.id])))
    assert {item.id for item in only.items} == {first.id}, "two dead-letter streams may each hold one of this ID"


def test_what_cannot_be_written_is_kept(live_pipeline: Pipeline) -> None:
    (sent,) = live_pipeline.enqueue_cursor(1, payload="text")
    live_pipeline.deliver("processors")
    live_pipeline.dead_letter(sent, "cursor")
    (item,) = planned(live_pipeline, wanted=Wanted(filter=ALL)).items
    assert item.action is Action.KEEP
    assert item.reason == "its writer cannot write it: payload is text instead of an object"


def test_removed_letters_do_not_count_as_dropped(live_pipeline: Pipeline) -> None:
    """Else messages that are lost were told to have had, perhaps, one of those letters."""
    live_pipeline.enqueue_cursor(1, at=live_pipeline.ago(minutes=9))
    live_pipeline.drain()
    live_pipeline.enqueue_cursor(2, at=live_pipeline.ago(minutes=8), payload="text")
    live_pipeline.drain()
    FAULTS["dead-letter-growth"].apply(live_pipeline)
    plan = planned(live_pipeline, wanted=Wanted(filter=ALL))
    with writers_at_work(live_pipeline):
        applied(live_pipeline, plan, patience=20)
    chain = examined(live_pipeline, select="chain").metrics["chain"]
    assert chain is not None
    assert (chain["states"]["lost"], chain["states"]["untraceable"]) == (2, 0)
