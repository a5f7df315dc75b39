"""The delivery delay against real servers and real rows."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.delivery_delay import DeliveryDelay
from tests.monitoring.support import collected


def written_later(pipeline: Pipeline, seconds: float) -> None:
    """Every row was written so long after now."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    with closing(sqlite3.connect(pipeline.database)) as connection, connection:
        connection.execute("UPDATE cursor_raw_traces SET ingested_at = ?", (f"{moment:%Y-%m-%d %H:%M:%S}",))


@pytest.mark.server
def test_rows_within_the_second_took_no_time(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(30)
    any_pipeline.drain()
    delivery = collected(DeliveryDelay, any_pipeline)
    (route,) = delivery.routes
    assert (route.messages, route.sampled) == (30, 30)
    assert route.p50_ms == route.p95_ms == route.recent_p95_ms == 0
    assert delivery.resolution_ms == 1000
    assert not delivery.cause


@pytest.mark.server
def test_late_rows_are_measured_to_the_second(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(30, at=datetime.now(UTC) - timedelta(seconds=600))
    any_pipeline.drain()
    written_later(any_pipeline, 0)
    (route,) = collected(DeliveryDelay, any_pipeline).routes
    assert route.p95_ms is not None
    assert 598_000 <= route.p95_ms <= 630_000


@pytest.mark.server
def test_rows_whose_time_is_still_to_come_are_not_measured(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(30)
    any_pipeline.drain()
    written_later(any_pipeline, 7200)
    delivery = collected(DeliveryDelay, any_pipeline)
    (route,) = delivery.routes
    assert (route.messages, route.sampled, delivery.rows_before_messages) == (30, 0, 0)
    assert "still to come" in delivery.cause


@pytest.mark.server
def test_rows_from_before_the_message_are_not_measured(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(30)
    any_pipeline.drain()
    written_later(any_pipeline, -600)
    delivery = collected(DeliveryDelay, any_pipeline)
    (route,) = delivery.routes
    assert (route.messages, route.sampled, route.p95_ms) == (30, 0, None)
    assert delivery.rows_before_messages == 30
    assert delivery.cause == "the rows are older than their messages"


@pytest.mark.server
def test_what_waits_is_no_part_of_it(any_pipeline: Pipeline) -> None:
    any_pipeline.enqueue_cursor(30)
    delivery = collected(DeliveryDelay, any_pipeline)
    assert (delivery.routes, delivery.cause) == ([], "")
