"""The checks of the chain of custody: every edge of their scales, and sentences without empty parts."""

from typing import Any

import pytest

from blueplane_doctor.custody.losses import GroupLoss
from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
from tests.checks.builders import cases, chain, chain_break, history, no_history, run, seen_losses


def losses(claude: int | None, cursor: int | None, cause: str = "the server gives no lag") -> list[GroupLoss]:
    """What both writer groups lost; null is what is not known."""
    named = {"claude_processors": claude, "processors": cursor}
    return [
        GroupLoss(group=name, trimmed_unread=count, cause=cause if count is None else "")
        for name, count in named.items()
    ]


@pytest.mark.parametrize(
    ("sentence", "given", "status"),
    cases(
        [
            ("none", "nothing was trimmed unread", losses(0, 0), "green"),
            ("red-edge", "one message is as bad as a thousand", losses(1, 1), "red"),
            ("many", "19,985 is red", losses(19_985, 19_500), "red"),
            ("another-read-it", "the other writer may have had to write it", losses(0, 1), "unknown"),
            ("no-data", "what no group can tell is unknown", losses(None, None), "unknown"),
            ("half-known-none", "a group that cannot tell keeps it from green", losses(None, 0), "unknown"),
            ("half-known-some", "whose they were cannot be told without the other group", losses(None, 3), "unknown"),
            ("one-writer", "where there is one writer group they were its own", losses(None, 3)[1:], "red"),
            ("idle", "a stream without writer groups has lost nothing to them", [], "green"),
        ]
    ),
)
def test_lost_before_delivery(sentence: str, given: list[GroupLoss], status: str) -> None:
    assert run("lost-before-delivery", chain=chain(losses=given)).status == status, sentence


SAMPLE = "2026-11-28T03:10:00Z"


@pytest.mark.parametrize(
    ("changes", "recorded", "status", "said"),
    [
        pytest.param({}, None, "green", "of earlier losses this server keeps no count", id="nothing tells"),
        pytest.param({}, {}, "green", "and between the samples of the last day", id="samples show none"),
        pytest.param(
            {}, {SAMPLE: 412}, "red", f"At least 412 messages were trimmed unread: the sample of {SAMPLE}", id="samples"
        ),
        pytest.param(
            {"left_stream": 20_485, "left_without_row": 19_985},
            None,
            "unknown",
            "Whether messages were trimmed unread is not known: at most 19,985 were",
            id="rows are missing",
        ),
        pytest.param(
            {"left_stream": 20_485, "left_without_row": 19_985},
            {},
            "green",
            "and between the samples of the last day",
            id="rows are missing, and samples show none",
        ),
    ],
)
def test_what_the_server_forgot(
    changes: dict[str, Any], recorded: dict[str, int] | None, status: str, said: str
) -> None:
    forgotten = [GroupLoss(group="processors", trimmed_unread=0, forgotten=True)]
    samples = no_history() if recorded is None else history(losses=seen_losses(processors=recorded))
    found = run("lost-before-delivery", chain=chain(losses=forgotten, **changes), history=samples)
    assert found.status == status
    assert said in found.summary


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (losses(0, 0), "No message was trimmed before it was read"),
        (losses(1, 1), "1 message was trimmed before claude_processors read it"),
        (losses(19_985, 19_985), "19,985 messages were trimmed before claude_processors read them"),
        (
            losses(19_985, 5),
            "At least 5 and at most 19,985 messages were trimmed before claude_processors read them and were its to "
            "write",
        ),
        (
            losses(0, 3_011),
            "At most 3,011 messages were trimmed before processors read them and were its to write",
        ),
    ],
    ids=["none", "one", "many", "range", "at-most"],
)
def test_lost_before_delivery_names_the_group_that_lost_most(given: list[GroupLoss], said: str) -> None:
    assert run("lost-before-delivery", chain=chain(losses=given)).summary == said


@pytest.mark.parametrize(("count", "said"), [(1, "it, between 1-0 and 9-0"), (5, "them, all between 1-0 and 9-0")])
def test_a_loss_that_is_known_to_the_entry_says_between_which(count: int, said: str) -> None:
    given = [GroupLoss(group="processors", trimmed_unread=count, after_id="1-0", before_id="9-0")]
    assert run("lost-before-delivery", chain=chain(losses=given)).summary.endswith(f"processors read {said}")


def test_an_unknown_loss_gives_its_cause() -> None:
    assert run("lost-before-delivery", chain=chain(losses=losses(None, 0))).cause == "the server gives no lag"


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
            "14 messages have vanished: 14 trimmed while pending (the other writer group is done with them: they may "
            "be its own, and written)",
            id="held-by-one-group",
        ),
        pytest.param(
            broken(gone=3, payload_gone_of_one=1),
            "3 messages have vanished: 3 trimmed while pending (the other writer group is done with 1 of them: it "
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
    assert ("save them before you restart" in found.remedy.text) is saved
    assert ("gone from Redis" in found.remedy.text) is gone
