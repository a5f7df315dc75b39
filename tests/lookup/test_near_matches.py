"""An ID that no message has: what is true of it, and which messages may be meant."""

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.lookup.near_matches import is_beginning
from tests.lookup.tracing import traced

EVENT = "5f7dcb2e-9b1c-4b5a-8c2f-1f7e52f2ab01"
SIBLING = "5f7dcb2e-9b1c-4b5a-8c2f-000000000000"
UUID = "0c1ef1d2-aaaa-4b5a-8c2f-1f7e52f2ab01"


def test_why_an_id_is_not_found(any_pipeline: Pipeline) -> None:
    first, second, third, last = any_pipeline.enqueue_cursor(4, event_ids=[EVENT, SIBLING, "other-1", "other-2"])
    (line,) = any_pipeline.enqueue_claude(1, uuids=[UUID])
    any_pipeline.drain()
    session = any_pipeline.client.xrange(any_pipeline.queue, first, first)[0][1]["session_id"]
    any_pipeline.client.xtrim(any_pipeline.queue, minid=second, approximate=False)
    any_pipeline.client.xdel(any_pipeline.queue, third)
    largest = "18446744073709551615-18446744073709551615"
    too_large = "99999999999999999999-1"
    wanted = (first, third, largest, too_large, SIBLING[:8], UUID[:13], last.partition("-")[0], session, "nothing")
    traces = traced(any_pipeline, *wanted)
    assert {trace.state for trace in traces} == {"not_found"}
    advice = [trace.advice for trace in traces]
    assert advice[0].startswith("It is older than all")
    assert "it was not trimmed: it was deleted (XDEL)" in advice[1]
    assert advice[2].startswith("It is later than every ID")
    assert advice[3] == advice[8] == "It may have been trimmed, belong to another Redis, or never have been enqueued."
    assert advice[4].endswith(f"1 message in the stream has one that begins like this: {second}")
    assert advice[5].endswith(f"begins like this: {line}")
    assert last in advice[6]
    assert advice[7].startswith("It is the ID of a session: 2 messages in the stream belong to it")


def test_too_few_characters_are_no_beginning() -> None:
    assert is_beginning(b"5f7dcb2e", EVENT.encode())
    assert not is_beginning(b"5f7dcb2", EVENT.encode())
    assert not is_beginning(EVENT.encode(), EVENT.encode())
    assert not is_beginning(b"5f7dcb2e", None)
