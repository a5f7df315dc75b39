"""The checks of which groups there are."""

from typing import Any

import pytest

from blueplane_doctor.monitoring.queue_health import QueueHealth
from tests.checks.builders import cases, one_writer, queue, reader, run, writer


def _absent(name: str) -> Any:
    return writer(name, exists=False, consumers=[])


@pytest.mark.parametrize(
    ("sentence", "given", "status"),
    cases(
        [
            ("all-there", "both writers have a consumer", queue(), "green"),
            ("idle", "writers without work are green", queue(stream_length=0), "green"),
            (
                "group-missing-nothing-waits",
                "a group that does not exist, and no message",
                queue(groups=[_absent("claude_processors"), writer()]),
                "orange",
            ),
            (
                "group-missing-messages-wait",
                "a group that does not exist, and a message",
                queue(queue_depth=1, groups=[_absent("claude_processors"), writer()]),
                "red",
            ),
            ("no-consumer-nothing-waits", "a group nobody reads, idle", one_writer(consumers=[]), "orange"),
            (
                "no-consumer-never-given-anything",
                "Redis before 7.2 does not list a consumer before its first message",
                one_writer(consumers=[], last_delivered_id="0-0"),
                "unknown",
            ),
            (
                "no-consumer-first-message-waits",
                "the first message of all waits",
                one_writer(consumers=[], last_delivered_id="0-0", undelivered=1),
                "red",
            ),
            ("no-consumer-undelivered", "a message waits", one_writer(consumers=[], undelivered=1), "red"),
            ("no-consumer-pending", "a message is held by nobody", one_writer(consumers=[], pending=1), "red"),
            (
                "no-consumer-uncounted",
                "how many wait is not known, and none is known to",
                one_writer(consumers=[], undelivered=None),
                "orange",
            ),
        ]
    ),
)
def test_writer_missing(sentence: str, given: QueueHealth, status: str) -> None:
    assert run("writer-missing", queue=given).status == status, sentence


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(queue(), "Every writer group exists and has a consumer", id="all-there"),
        pytest.param(
            queue(queue_depth=7, groups=[_absent("claude_processors"), writer("processors", consumers=[])]),
            "The group claude_processors does not exist and the group processors has no consumer while messages wait",
            id="both",
        ),
        pytest.param(
            one_writer(consumers=[]), "The group processors has no consumer; no message waits", id="nothing-waits"
        ),
    ],
)
def test_writer_missing_names_the_groups(given: QueueHealth, said: str) -> None:
    assert run("writer-missing", queue=given).summary == said


def test_a_group_that_is_not_known_is_named_and_mild() -> None:
    given = queue(groups=[writer("claude_processors"), writer(), reader(), reader("git_processors")])
    finding = run("unknown-groups", queue=given)
    assert finding.status == "yellow"
    assert finding.summary.endswith("does not know: git_processors")
    assert run("unknown-groups", queue=queue()).status == "green"
