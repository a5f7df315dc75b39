"""Pending entries whose message has left the stream."""

from blueplane_doctor.demo.simulator import Pipeline
from tests.custody.walks import ledger


def test_pending_entries_of_trimmed_messages_are_gone_and_counted_once(any_pipeline: Pipeline) -> None:
    """Also after the last page: the newest message may be the one that was deleted."""
    ids = any_pipeline.enqueue_cursor(6)
    any_pipeline.deliver("processors")
    any_pipeline.client.xdel(any_pipeline.queue, ids[1], ids[-1])
    made = ledger(any_pipeline)
    assert (made.payload_gone, made.payload_gone_of_one) == (2, 0)
    assert [(one.kind, one.id) for one in made.breaks] == [("payload_gone", ids[1]), ("payload_gone", ids[-1])]
    assert made.examined == 4


def test_what_only_one_group_held_may_be_of_the_other(pipeline: Pipeline) -> None:
    """Once it is trimmed, nothing tells whose it was."""
    ids = pipeline.enqueue_cursor(1) + pipeline.enqueue_claude(2)
    for group in pipeline.writer_groups:
        pipeline.deliver(group)
    pipeline.acknowledge("claude_processors", ids[1:])
    pipeline.client.xtrim(pipeline.queue, maxlen=0, approximate=False)
    made = ledger(pipeline)
    assert (made.payload_gone, made.payload_gone_of_one) == (3, 2)
