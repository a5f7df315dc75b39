"""What can be taken back is, byte for byte; what cannot is said."""

from contextlib import closing

import redis

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.model import Status
from blueplane_doctor.repair.plan import Action, Plan
from blueplane_doctor.repair.undoing import Undone, undo
from blueplane_doctor.sources.claimed_consumers import read_claims
from tests.helpers import examined, finding, settings_for
from tests.repair.pipelines import applied, planned, store_of, writers_at_work


def undone(pipeline: Pipeline, plan: Plan) -> Undone:
    return undo(settings_for(pipeline), store_of(pipeline), plan, pipeline.redis_url)


def pending(pipeline: Pipeline, group: str) -> list[tuple[object, ...]]:
    rows = pipeline.client.xpending_range(pipeline.queue, group, "-", "+", 1_000)
    return [(row["message_id"], row["consumer"], row["times_delivered"]) for row in rows]


def test_nothing_was_delivered_yet(any_live_pipeline: Pipeline) -> None:
    pipeline = any_live_pipeline
    FAULTS["poison-duplicate"].apply(pipeline)
    entries = pipeline.client.xrange(pipeline.queue)
    before = pending(pipeline, "processors")
    plan = planned(pipeline)
    applied(pipeline, plan, patience=0)
    result = undone(pipeline, plan)
    assert (result.taken_back, dict(result.stays)) == (40, {})
    assert pipeline.client.xrange(pipeline.queue) == entries
    assert pending(pipeline, "processors") == before
    # The copies that were removed are no messages that were trimmed before anybody read them.
    assert finding(examined(pipeline), "lost-before-delivery").status is Status.GREEN


def test_what_was_written_stays(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    with writers_at_work(live_pipeline):
        applied(live_pipeline, plan, patience=20)
    result = undone(live_pipeline, plan)
    assert (result.taken_back, dict(result.stays)) == (0, {"it is written already": 40})


def test_what_was_delivered_and_not_written_stays(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    live_pipeline.deliver("processors", count=5)
    result = undone(live_pipeline, plan)
    assert dict(result.stays) == {"its copy was given to a reader already": 5}
    assert result.taken_back == 35


def test_applied_again_after_it_was_taken_back(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    undone(live_pipeline, plan)
    with writers_at_work(live_pipeline):
        outcome = applied(live_pipeline, plan, patience=20)
    assert "written     39 of 39 expected rows" in outcome.text


def test_a_message_set_aside_is_taken_out_of_the_dead_letters(live_pipeline: Pipeline) -> None:
    live_pipeline.enqueue_cursor(1, at=live_pipeline.ago(minutes=2), payload={"storage_level": None})
    live_pipeline.deliver("processors")
    live_pipeline.age_pending("processors", milliseconds=60_000)
    plan = planned(live_pipeline)
    applied(live_pipeline, plan, patience=0)
    assert live_pipeline.client.xlen(plan.dead_letters) == 1
    titles = [cause.title for cause in examined(live_pipeline).causes]
    assert "Messages were set aside by repair" in titles
    assert not any("gives messages up" in title for title in titles)
    assert undone(live_pipeline, plan).taken_back == 1
    assert live_pipeline.client.xlen(plan.dead_letters) == 0
    chain = examined(live_pipeline, select="chain").metrics["chain"]
    assert chain is not None
    assert chain["states"]["stuck"] == 1


def test_names_of_consumers_are_bytes(live_pipeline: Pipeline) -> None:
    name = b"consumer-\xff\xc3"
    queue = live_pipeline.queue
    ids = live_pipeline.enqueue_cursor(2, at=live_pipeline.ago(minutes=5))
    with closing(redis.Redis.from_url(live_pipeline.redis_url)) as raw:
        raw.xreadgroup("processors", name, {queue: ">"})  # type: ignore[arg-type]
        raw.xclaim(queue, "processors", name, 0, ids, idle=300_000, justid=True)  # type: ignore[arg-type]
        plan = planned(live_pipeline)
        assert len(plan.of(Action.DELIVER)) == 2
        applied(live_pipeline, plan, patience=0)
        assert raw.xpending(queue, "processors")["pending"] == 0  # type: ignore[index]
        assert undone(live_pipeline, plan).taken_back == 2
        entries = raw.xpending_range(queue, "processors", "-", "+", 9)
    assert [entry["consumer"] for entry in entries] == [name, name]  # type: ignore[union-attr]


def test_a_consumer_that_is_gone_does_not_come_to_life_by_an_undo(live_pipeline: Pipeline) -> None:
    """To claim a message for it makes Redis say that it asked a moment ago, as a second server would."""
    FAULTS["orphaned-messages"].apply(live_pipeline, messages=3)
    plan = planned(live_pipeline)
    assert len(plan.of(Action.DELIVER)) == 3
    applied(live_pipeline, plan, patience=0)
    assert undone(live_pipeline, plan).taken_back == 3
    with closing(Examination(settings_for(live_pipeline))) as examination:
        claims = read_claims(examination.redis, live_pipeline.queue)
    claim = claims[b"claude_processors", b"claude-consumer-4999999"]
    assert claim.heard_ms < plan.made_ms < claim.at_ms
    report = examined(live_pipeline)
    assert finding(report, "second-server").status is Status.GREEN
    assert finding(report, "orphaned-messages").status is Status.ORANGE
    again = planned(live_pipeline)
    assert (len(again.of(Action.DELIVER)), again.refusals) == (3, ())
