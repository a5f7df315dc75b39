"""The probe on a simulated pipeline: it arrives and is timed, or it says how far it came."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceError
from blueplane_doctor.installing.probing import HOPS, MARK, Probe, probe
from tests.helpers import settings_for
from tests.hook.way_in import WayIn, stream_fields, way_in
from tests.simulator import EarlierPipeline


@contextmanager
def receiving(pipeline: Pipeline) -> Iterator[WayIn]:
    """The pipeline's way in: what it accepts is added to the stream."""
    with way_in(lambda body: pipeline.client.xadd(pipeline.queue, stream_fields(body)) and None) as server:
        yield server


@contextmanager
def working(pipeline: Pipeline) -> Iterator[None]:
    """The writers at work, in a thread of their own."""
    stop = threading.Event()

    def work() -> None:
        with type(pipeline)(pipeline.redis_url, pipeline.home) as own:
            while not stop.wait(0.03):
                own.drain(*own.writer_groups)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def probed(pipeline: Pipeline, server: WayIn, limit: float = 10) -> Probe:
    return probe(settings_for(pipeline, http_url=server.url), limit)


def reached(result: Probe) -> list[str]:
    return [hop.name for hop in result.hops if hop.milliseconds is not None]


def test_it_arrives_and_every_hop_is_timed(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(120)
    with receiving(any_pipeline) as server, working(any_pipeline):
        result = probed(any_pipeline, server)
    assert result.arrived, result.cause
    assert reached(result) == list(HOPS)
    times = {hop.name: hop.milliseconds or 0 for hop in result.hops}
    assert times["accepted"] <= times["acknowledged"] < 10_000
    with closing(sqlite3.connect(any_pipeline.database)) as database:
        row = database.execute(result.recognise.replace("*", "event_type, sequence")).fetchall()
    assert row == [(MARK, result.sequence)]
    assert len(server.bodies) == 1


def test_on_the_earlier_layout_it_arrives_too(pipeline: Pipeline) -> None:
    pipeline.client.flushall()
    pipeline.database.unlink()
    earlier = EarlierPipeline(pipeline.redis_url, pipeline.home)
    with earlier, receiving(earlier) as server, working(earlier):
        result = probed(earlier, server)
    assert (result.arrived, result.table, result.queue) == (True, "raw_traces", "telemetry:events"), result.cause


@pytest.mark.slow
def test_without_a_writer_it_says_where_it_stopped(pipeline: Pipeline) -> None:
    with receiving(pipeline) as server:
        result = probed(pipeline, server, 0.3)
    assert (result.arrived, reached(result)) == (False, ["accepted", "in the stream"])
    assert "its writer does not read" in result.cause


@pytest.mark.slow
def test_a_writer_that_cannot_write_is_told_from_one_that_does_not_read(pipeline: Pipeline) -> None:
    def add_and_deliver(body: dict[str, object]) -> None:
        pipeline.client.xadd(pipeline.queue, stream_fields(body))
        pipeline.deliver("processors")

    with way_in(add_and_deliver) as server:
        result = probed(pipeline, server, 0.3)
    assert reached(result) == ["accepted", "in the stream", "delivered"]
    assert "not acknowledged either" in result.cause


@pytest.mark.slow
def test_an_acknowledgement_without_a_row_is_called_what_it_is(pipeline: Pipeline) -> None:
    def lose(body: dict[str, object]) -> None:
        pipeline.client.xadd(pipeline.queue, stream_fields(body))
        pipeline.acknowledge("processors", [entry for entry, _ in pipeline.deliver("processors")])

    with way_in(lose) as server:
        result = probed(pipeline, server, 0.3)
    assert reached(result) == ["accepted", "in the stream", "delivered", "acknowledged"]
    assert "acknowledged all the same" in result.cause


@pytest.mark.slow
def test_a_server_that_accepts_and_enqueues_elsewhere_is_found_out(pipeline: Pipeline) -> None:
    with way_in() as server:
        result = probed(pipeline, server, 0.3)
    assert reached(result) == ["accepted"]
    assert "does the server use this Redis?" in result.cause


@pytest.mark.parametrize(("status", "words"), [(400, "refused the event"), (503, "did not accept the event")])
def test_a_server_that_does_not_accept_is_named(pipeline: Pipeline, status: int, words: str) -> None:
    with way_in() as server:
        server.status = status
        result = probed(pipeline, server, 0.3)
    assert (reached(result), words in result.cause) == ([], True)


def test_without_a_stream_nothing_is_sent(pipeline: Pipeline) -> None:
    pipeline.client.flushall()
    with way_in() as server:
        with pytest.raises(SourceError, match="no stream"):
            probed(pipeline, server, 0.3)
        assert server.bodies == []


def test_among_many_other_messages_it_is_found(pipeline: Pipeline) -> None:
    def crowd(body: dict[str, object]) -> None:
        pipeline.enqueue_cursor(130)
        pipeline.client.xadd(pipeline.queue, stream_fields(body))
        pipeline.enqueue_cursor(130)

    with way_in(crowd) as server, working(pipeline):
        result = probed(pipeline, server)
    assert result.arrived, result.cause


def test_it_never_looks_like_a_hook_of_a_person(pipeline: Pipeline) -> None:
    with receiving(pipeline) as server:
        probed(pipeline, server, 0.1)
    event = server.bodies[0]["event"]
    assert event["hook_type"] == event["event_type"] == MARK
    assert MARK not in names.CURSOR_HOOKS
    assert json.dumps(event["payload"])
