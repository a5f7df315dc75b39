"""The fingerprint changes with every step of a message, and with nothing else."""

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.service.fingerprint import read_fingerprint
from tests.helpers import settings_for


def test_every_step_of_a_message_changes_it(pipeline: Pipeline) -> None:
    settings = settings_for(pipeline)
    prints = [read_fingerprint(settings), read_fingerprint(settings)]
    assert prints[0] == prints[1] is not None
    ids = pipeline.enqueue_cursor(1)
    prints.append(read_fingerprint(settings))
    entries = pipeline.deliver("processors")
    prints.append(read_fingerprint(settings))
    pipeline.write(entries)
    prints.append(read_fingerprint(settings))
    pipeline.acknowledge("processors", ids)
    prints.append(read_fingerprint(settings))
    pipeline.client.xadd("telemetry:dlq", {"message_id": ids[0]})
    prints.append(read_fingerprint(settings))
    assert len(set(prints)) == len(prints) - 1


def test_there_is_none_where_redis_cannot_be_read(pipeline: Pipeline) -> None:
    assert read_fingerprint(settings_for(pipeline, redis_url="redis://127.0.0.1:1/0")) is None
