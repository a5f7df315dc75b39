"""The checks of the chain of custody: every edge of their scales, and sentences without empty parts."""

from typing import Any

import pytest

from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
from tests.checks.builders import cases, chain, chain_break, losses, run


def broken(lost: int = 0, trimmed: int | None = 0, gone: int = 0, **changes: Any) -> ChainHealth:
    """A chain with that many breaks of each kind."""
    return chain(
        {"lost": lost, "trimmed_unread": trimmed, "payload_gone": gone},
        **{"chain_break_count": lost + (trimmed or 0) + gone, "losses": losses(trimmed, trimmed), **changes},
    )


@pytest.mark.parametrize(
    ("sentence", "given", "status"),
    cases(
        [
            ("none", "every message is accounted for", chain(), "green"),
            ("idle", "an empty stream misses nothing", chain(examined=0), "green"),
            ("orange-edge", "one is the first orange", broken(lost=1), "orange"),
            ("last-orange", "9 is still orange", broken(lost=4, trimmed=3, gone=2), "orange"),
            ("red-edge", "10 is the first red", broken(lost=10), "red"),
            ("few-keys", "most cannot be looked for", chain({"untraceable": 900, "written": 300}), "unknown"),
            ("partial", "a walk that did not end is unknown, never green", chain(partial=True), "unknown"),
            ("no-data", "without the database nobody knows", chain(database_cause="it does not exist"), "unknown"),
            ("partial-and-broken", "what was found counts", broken(lost=12, partial=True), "red"),
            ("no-data-and-broken", "so do trimmed ones", broken(trimmed=12, database_cause="it is gone"), "red"),
        ]
    ),
)
def test_chain_breaks(sentence: str, given: ChainHealth, status: str) -> None:
    assert run("chain-breaks", chain=given).status == status, sentence


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(chain(), "Every one of 1,200 messages is accounted for", id="none"),
        pytest.param(
            chain({"untraceable": 1}, examined=1_201),
            "1,200 messages are accounted for; 1 carries nothing by which its row could be found, and was not judged",
            id="one-without-a-key",
        ),
        pytest.param(chain(examined=1), "The one message in the stream is accounted for", id="a-single-message"),
        pytest.param(chain(examined=0), "The stream holds no messages, and none is missing", id="idle"),
        pytest.param(
            broken(lost=1, breaks=[chain_break()]), "1 message has vanished: 1 neither pending nor written", id="one"
        ),
        pytest.param(
            broken(lost=12, trimmed=3, gone=2),
            "17 messages have vanished: 12 neither pending nor written, 3 trimmed unread, 2 trimmed while pending",
            id="all-kinds",
        ),
        pytest.param(
            broken(gone=14, payload_gone_of_one=14),
            "14 messages have vanished: 14 trimmed while pending (the other writer group has finished with them: they "
            "may be its own, and written)",
            id="held-by-one-group",
        ),
        pytest.param(
            broken(gone=3, payload_gone_of_one=1),
            "3 messages have vanished: 3 trimmed while pending (the other writer group has finished with 1 of them: it "
            "may be its own, and written)",
            id="one-held-by-one-group",
        ),
        pytest.param(
            broken(
                lost=2, breaks=[chain_break(reason="its payload is text"), chain_break(reason="its payload is text")]
            ),
            "2 messages have vanished: 2 neither pending nor written (its payload is text)",
            id="with-a-reason",
        ),
        pytest.param(
            broken(lost=2, breaks=[chain_break(reason="its payload is text"), chain_break(reason="b")]),
            "2 messages have vanished: 2 neither pending nor written (b and other reasons)",
            id="with-reasons",
        ),
        pytest.param(
            broken(trimmed=None, chain_break_count=52, losses=losses(900, 52)),
            "52 messages have vanished: at least 52 trimmed unread",
            id="trimmed-as-a-range",
        ),
    ],
)
def test_chain_breaks_says_what_became_of_them(given: ChainHealth, said: str) -> None:
    assert run("chain-breaks", chain=given).summary == said


def test_an_unfinished_walk_says_how_far_it_came() -> None:
    found = run("chain-breaks", chain=chain(partial=True, examined=4_000))
    assert found.cause == "the time was up after 4,000 messages; give more with --timeout"


def test_chain_breaks_shows_the_first_ten_and_no_payload() -> None:
    found = run("chain-breaks", chain=broken(lost=40, breaks=[chain_break() for _ in range(40)]))
    shown = found.evidence["first breaks"]
    assert len(shown) == 10
    assert shown[0] == "1773479901310-0 generation: acknowledged without a row or a dead letter"


@pytest.mark.parametrize(
    ("states", "saved", "gone"),
    [({"lost": 3}, True, False), ({"trimmed_unread": 5}, False, True), ({"lost": 1, "payload_gone": 2}, True, True)],
)
def test_the_remedy_promises_nothing_of_what_is_gone(states: dict[str, int | None], saved: bool, gone: bool) -> None:
    """What was trimmed is not in the stream any more: nobody should look for it there."""
    found = run("chain-breaks", chain=chain(states=states, chain_break_count=sum(filter(None, states.values()))))
    assert found.remedy
    assert ("Save the lost ones before you restart" in found.remedy.text) is saved
    assert ("can be delivered again" in found.remedy.text) is saved
    assert ("gone from Redis" in found.remedy.text) is gone


def test_the_remedy_names_the_checks_that_say_why_it_was_trimmed() -> None:
    unread = run("chain-breaks", chain=chain({"trimmed_unread": 5}, chain_break_count=5))
    held = run("chain-breaks", chain=chain({"payload_gone": 5}, chain_break_count=5))
    assert unread.remedy and held.remedy
    assert "lost-before-delivery" in unread.remedy.text and "stuck-consumers" not in unread.remedy.text
    assert "stuck-consumers" in held.remedy.text and "lost-before-delivery" not in held.remedy.text


def test_the_remedy_offers_nothing_of_what_no_writer_can_write() -> None:
    found = run("chain-breaks", chain=chain(states={"lost": 3}, chain_break_count=3, unwritable_lost=3))
    assert found.remedy
    assert "again" not in found.remedy.text
    assert "No writer can write 3 of them" in found.remedy.text
    found = run("chain-breaks", chain=chain(states={"lost": 5}, chain_break_count=5, unwritable_lost=3))
    assert found.remedy
    assert "2 of them can be delivered again" in found.remedy.text


def test_of_pruned_rows_it_is_said_why_they_prove_nothing() -> None:
    pruned = chain({"untraceable": 300}, tables_begin_later=300, rows_pruned_unproven=300, chain_status="unknown")
    finding = run("chain-breaks", chain=pruned)
    assert finding.status == "unknown"
    assert finding.cause.startswith("300 messages have no row now: older rows were deleted.")
    assert "tables begin later" not in finding.cause
    both = chain({"untraceable": 301}, tables_begin_later=301, rows_pruned_unproven=300, chain_status="unknown")
    assert "1 message has no row now: the tables begin later" in run("chain-breaks", chain=both).cause
