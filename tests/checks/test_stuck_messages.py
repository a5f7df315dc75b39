from blueplane_doctor.checks.stuck_messages import held_since, stuck_with_living, without_reason

from blueplane_doctor.custody.blockers import ChainBlocker
from blueplane_doctor.monitoring.server_health import LoggedErrors
from tests.checks import builders

ID = "1773479901310-0"  # 09:18:21.310
STUCK = {"pending": 40, "stuck": 40, "stuck_ids": [ID]}


def error(last: str) -> LoggedErrors:
    return LoggedErrors(kind="database is locked", count=1, lately=0, first="2026-03-14T09:00:00.000Z", last=last)


def test_what_a_consumer_holds_that_is_gone_is_not_counted() -> None:
    assert stuck_with_living(builders.writer(stuck=40, orphaned=30, orphaned_gone=10)) == 20


def test_what_waits_behind_another_message_has_a_reason() -> None:
    queue = builders.one_writer(**STUCK)
    assert without_reason(queue, builders.chain()) == 40
    chain = builders.chain(blockers=[ChainBlocker(id=ID, group="processors", reason="same event_id")])
    assert without_reason(queue, chain) == 0
    assert held_since(None, queue, chain).shared


def test_an_error_leaves_what_was_enqueued_before_it() -> None:
    queue = builders.one_writer(**STUCK)
    assert held_since(error("2026-03-14T09:18:00.000Z"), queue, None).messages == 40, "or soon after it"
    assert held_since(error("2026-03-14T09:16:00.000Z"), queue, None).messages == 0


def test_an_id_that_is_later_than_its_delivery_is_no_time() -> None:
    queue = builders.one_writer(**STUCK, longest_unacknowledged_ms=3_600_000)
    assert held_since(error("2026-03-14T09:16:00.000Z"), queue, None).messages == 40
