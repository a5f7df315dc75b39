"""Pages of messages judged in the order of the stream: states, keys that are claimed, and when what is read."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from blueplane_doctor.custody.judge import CustodyJudge
from blueplane_doctor.custody.pending_entries import PendingEntriesReader
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceError, SourceUnusable
from blueplane_doctor.examination import Examination
from blueplane_doctor.sources.dead_letters import DeadLetterReader
from blueplane_doctor.sources.trace_tables import RowFinder
from tests.helpers import settings_for


@pytest.fixture
def examine(pipeline: Pipeline) -> Iterator[Callable[[], Examination]]:
    """Begins an examination of the pipeline as it is at that moment."""
    begun: list[Examination] = []

    def begin() -> Examination:
        begun.append(Examination(settings_for(pipeline)))
        return begun[-1]

    yield begin
    for examination in begun:
        examination.close()


def states(judge: CustodyJudge, examination: Examination, start: str = "-", count: int = 1000) -> list[str]:
    """The states of the next messages of the stream."""
    page = examination.redis.ask_one("XRANGE", examination.stream().queue, start, "+", "COUNT", count)
    return list(judge.judge(page).states)


Examine = Callable[[], Examination]


def test_of_messages_with_one_key_the_first_has_the_row_across_pages(pipeline: Pipeline, examine: Examine) -> None:
    pipeline.enqueue_cursor(1, event_ids=["a-key"])
    pipeline.drain()
    (second,) = pipeline.enqueue_cursor(1, event_ids=["a-key"])
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", [second])
    examination = examine()
    judge = examination.new_judge()
    assert states(judge, examination, count=1) == ["written"]
    assert states(judge, examination, start=second) == ["duplicate"]


def test_a_new_judge_knows_nothing_of_what_another_claimed(pipeline: Pipeline, examine: Examine) -> None:
    pipeline.enqueue_cursor(3)
    pipeline.drain()
    examination = examine()
    assert states(examination.new_judge(), examination) == ["written"] * 3
    assert states(examination.new_judge(), examination) == ["written"] * 3


def test_what_was_delivered_after_the_examination_began_still_waits(pipeline: Pipeline, examine: Examine) -> None:
    pipeline.enqueue_cursor(4)
    examination = examine()
    judge = examination.new_judge()
    pipeline.drain()
    assert states(judge, examination) == ["waiting"] * 4


def test_a_database_that_fails_leaves_the_rest_unexamined_and_says_why(
    pipeline: Pipeline, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.enqueue_cursor(2)
    pipeline.drain()
    pipeline.enqueue_cursor(1)
    examination = examine()
    judge = examination.new_judge()
    asked = []

    def fail(self: RowFinder, lookups: object) -> None:
        asked.append(lookups)
        raise SourceUnusable("the disk is gone")

    monkeypatch.setattr(RowFinder, "find", fail)
    assert states(judge, examination) == ["unexamined", "unexamined", "waiting"]
    assert judge.rows_cause == "the disk is gone"
    assert states(judge, examination)[:2] == ["unexamined", "unexamined"]
    assert len(asked) == 1, "it is not asked again"


def test_dead_letters_and_rows_are_read_after_the_pending_entries(
    pipeline: Pipeline, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever acknowledged a message had written its row, or its dead letter, before: read first, they lack it."""
    pipeline.enqueue_cursor(3)
    pipeline.deliver("processors")
    order: list[str] = []

    def noted(owner: type, name: str) -> None:
        original = getattr(owner, name)

        def note(self: object, *arguments: object) -> object:
            order.append(name)
            return original(self, *arguments)

        monkeypatch.setattr(owner, name, note)

    examination = examine()
    judge = examination.new_judge()
    noted(PendingEntriesReader, "receive")
    noted(DeadLetterReader, "catch_up")
    noted(RowFinder, "find")
    states(judge, examination)
    first_of = {name: order.index(name) for name in set(order)}
    last_pending = len(order) - 1 - order[::-1].index("receive")
    assert last_pending < first_of["catch_up"]
    assert first_of["catch_up"] < first_of.get("find", len(order))


def test_without_redis_there_is_no_judge(pipeline: Pipeline) -> None:
    settings = settings_for(pipeline).model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    with closing(Examination(settings)) as examination, pytest.raises(SourceError):
        examination.new_judge()


def test_a_writer_group_that_does_not_exist_leaves_its_messages_waiting(pipeline: Pipeline, examine: Examine) -> None:
    pipeline.enqueue_cursor(2)
    pipeline.drain()
    pipeline.enqueue_cursor(3)
    pipeline.client.xgroup_destroy(pipeline.queue, "processors")
    examination = examine()
    judge = examination.new_judge()
    assert not judge.has_all_writers
    assert states(judge, examination) == ["written_not_delivered"] * 2 + ["waiting"] * 3


def test_what_is_written_and_lies_behind_its_group_is_not_waiting(pipeline: Pipeline, examine: Examine) -> None:
    pipeline.enqueue_cursor(2)
    pipeline.enqueue_claude(2)
    pipeline.drain()
    pipeline.client.xgroup_setid(pipeline.queue, "processors", "0")
    examination = examine()
    judge = examination.new_judge()
    assert states(judge, examination) == ["written_not_delivered"] * 2 + ["written"] * 2
    assert judge.rows.claimed == 4


def test_what_was_delivered_and_written_meanwhile_still_waits_for_this_run(
    pipeline: Pipeline, examine: Examine
) -> None:
    pipeline.enqueue_cursor(2)
    examination = examine()
    judge = examination.new_judge()
    pipeline.drain()  # after the groups' positions were read, and before the rows are
    assert states(judge, examination) == ["waiting"] * 2


@pytest.mark.parametrize("payload", [["a list"], {"storage_level": None}], ids=["malformed", "refused"])
def test_what_no_writer_can_write_has_no_row_though_another_message_of_its_key_has_one(
    pipeline: Pipeline, examine: Examine, payload: object
) -> None:
    pipeline.enqueue_cursor(1, event_ids=["a-key"], at=pipeline.ago(minutes=9))
    pipeline.enqueue_cursor(1, event_ids=["b-key"], at=pipeline.ago(minutes=8))
    pipeline.drain()
    (again,) = pipeline.enqueue_cursor(1, event_ids=["b-key"])
    (poison,) = pipeline.enqueue_cursor(1, event_ids=["a-key"], payload=payload)
    pipeline.deliver("processors")
    examination = examine()
    assert states(examination.new_judge(), examination)[2:] == ["in_flight", "in_flight"]
    pipeline.age_pending("processors", milliseconds=60_000)
    examination = examine()
    assert states(examination.new_judge(), examination)[2:] == ["written_not_acknowledged", "stuck"]
    pipeline.acknowledge("processors", [again, poison])
    examination = examine()
    assert states(examination.new_judge(), examination) == ["written", "written", "duplicate", "lost"]


def test_what_a_later_writer_can_write_keeps_its_row_by_its_time(pipeline: Pipeline, examine: Examine) -> None:
    moment = pipeline.ago(minutes=9)
    pipeline.enqueue_cursor(1, event_ids=["a-key"], at=moment)
    pipeline.drain()
    (again,) = pipeline.enqueue_cursor(1, event_ids=["a-key"], at=moment, payload={"storage_level": None})
    pipeline.deliver("processors")
    pipeline.acknowledge("processors", [again])
    examination = examine()
    assert states(examination.new_judge(), examination) == ["written", "duplicate"]
