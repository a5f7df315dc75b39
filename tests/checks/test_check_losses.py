"""What was trimmed before its writer was given it: every edge of the scale, and sentences without empty parts."""

from typing import Any

import pytest

from blueplane_doctor.custody.losses import GroupLoss
from blueplane_doctor.text.times import readable
from tests.checks.builders import cases, chain, history, losses, no_history, run, seen_losses


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
            {},
            {SAMPLE: 412},
            "red",
            f"At least 412 messages were trimmed unread: the sample of {readable(SAMPLE)}",
            id="samples",
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
        (losses(1, 1), "1 message was trimmed before the group claude_processors read it"),
        (losses(19_985, 19_985), "19,985 messages were trimmed before the group claude_processors read them"),
        (
            losses(19_985, 5),
            "At least 5 and at most 19,985 messages were trimmed before the group claude_processors read them and were "
            "its to write",
        ),
        (
            losses(0, 3_011),
            "At most 3,011 messages were trimmed before the group processors read them and were its to write",
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
