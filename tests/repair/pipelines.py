"""Pipelines to repair: a server process that lives, and writers at work while a plan is applied."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from blueplane_doctor.demo.schema import connect
from blueplane_doctor.demo.servers import stand_in_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import MARK, Plan
from blueplane_doctor.repair.planning import make_plan
from blueplane_doctor.repair.running import Outcome, run_plan
from blueplane_doctor.repair.store import Store
from tests.helpers import settings_for

SHORT = 3.0
"""Seconds without another row after which the rest is said to be not written."""


@contextmanager
def living(pipeline: Pipeline) -> Iterator[Pipeline]:
    """An empty pipeline in place of this one, whose server runs by its pid file and by HTTP."""
    pipeline.client.flushall()
    with stand_in_server() as server, Pipeline(pipeline.redis_url, pipeline.home, pid=server.pid) as lives:
        lives.write_pid_file()
        lives.configure(http_port=server.port)
        yield lives


@contextmanager
def writers_at_work(pipeline: Pipeline) -> Iterator[None]:
    """All groups work on in a thread of their own, as the real ones do."""
    stop = threading.Event()

    def work() -> None:
        with Pipeline(pipeline.redis_url, pipeline.home, pid=pipeline.pid) as own:
            while not stop.wait(0.05):
                own.drain()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def planned(pipeline: Pipeline, *targets: str, wanted: Wanted | None = None) -> Plan:
    """A plan for these targets, kept in the home."""
    wanted = wanted or Wanted(frozenset(targets))
    store = store_of(pipeline)
    plan = make_plan(settings_for(pipeline), wanted, store.new_id())
    store.keep(plan)
    return plan


def applied(pipeline: Pipeline, plan: Plan, *, patience: float = SHORT) -> Outcome:
    """Apply a plan while nobody writes beside it."""
    settings = settings_for(pipeline)
    return run_plan(settings, store_of(pipeline), plan.id, pipeline.redis_url, patience=patience)


def repaired(pipeline: Pipeline, *targets: str) -> Outcome:
    """Plan and apply, with writers at work."""
    plan = planned(pipeline, *targets)
    with writers_at_work(pipeline):
        return applied(pipeline, plan, patience=20)


def store_of(pipeline: Pipeline) -> Store:
    """The repairs of its home."""
    return Store(pipeline.home)


def result_of(pipeline: Pipeline, plan: Plan) -> dict[str, object]:
    """What was written down at the end of a repair."""
    result = store_of(pipeline).files(plan.id).result()
    assert result is not None
    return result


def copies(pipeline: Pipeline) -> list[str]:
    """What the copies in the stream are marked with."""
    entries = pipeline.client.xrange(pipeline.queue)
    return [fields[MARK.decode()] for _, fields in entries if MARK.decode() in fields]  # type: ignore[index]


def stick(pipeline: Pipeline) -> None:
    """What its writer holds is held for a minute."""
    pipeline.drain()
    pipeline.age_pending("processors", milliseconds=60_000)


def refuse_strange_events(pipeline: Pipeline) -> None:
    """Make a message fail for a reason that nothing in it tells."""
    with closing(connect(pipeline.database)) as connection:
        connection.execute(
            "CREATE TRIGGER strange BEFORE INSERT ON cursor_raw_traces WHEN NEW.event_type = 'strange' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
