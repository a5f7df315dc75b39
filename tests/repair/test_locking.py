"""Two repairs at once: one refuses."""

import shutil
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.applying import writing_connection
from blueplane_doctor.repair.locking import locked
from blueplane_doctor.repair.store import Store


def assert_refused(store: Store, writing: Connection, queue: str) -> None:
    with pytest.raises(RepairRefused, match="another repair"), locked(store, writing, queue):
        pass


def test_two_repairs_of_one_home(pipeline: Pipeline) -> None:
    store = Store(pipeline.home)
    with closing(writing_connection(pipeline.redis_url)) as writing:
        with locked(store, writing, pipeline.queue):
            assert_refused(store, writing, pipeline.queue)
        with locked(store, writing, pipeline.queue):
            pass  # the first one has ended


def test_two_repairs_of_one_redis_from_two_homes(pipeline: Pipeline, tmp_path: Path) -> None:
    with closing(writing_connection(pipeline.redis_url)) as writing, ExitStack() as stack:
        stack.enter_context(locked(Store(pipeline.home), writing, pipeline.queue))
        assert_refused(Store(tmp_path), writing, pipeline.queue)


def test_the_key_of_a_repair_that_was_killed_is_taken_over_by_its_own_home_alone(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    store = Store(pipeline.home)
    with closing(writing_connection(pipeline.redis_url)) as writing:
        with locked(store, writing, pipeline.queue) as token:
            pass
        writing.ask_one(*scripts.hold(pipeline.queue, token, 60_000))  # as a killed one leaves it
        assert_refused(Store(tmp_path), writing, pipeline.queue)
        with locked(store, writing, pipeline.queue) as next_token:
            assert next_token == token


def test_a_lock_file_that_was_cut_off_gets_a_token(pipeline: Pipeline) -> None:
    store = Store(pipeline.home)
    store.prepare()
    (store.folder / "lock").write_text("0a")
    with closing(writing_connection(pipeline.redis_url)) as writing:
        with locked(store, writing, pipeline.queue) as token:
            pass
        with locked(store, writing, pipeline.queue) as again:
            assert again == token
    assert len(token.partition("-")[0]) == 24


def test_a_copy_of_a_home_does_not_pass_for_the_home(pipeline: Pipeline, tmp_path: Path) -> None:
    store = Store(pipeline.home)
    with closing(writing_connection(pipeline.redis_url)) as writing, ExitStack() as stack:
        stack.enter_context(locked(store, writing, pipeline.queue))
        copied = Store(tmp_path / "copy")
        shutil.copytree(store.folder, copied.folder)
        assert_refused(copied, writing, pipeline.queue)
