"""The checks of which groups there are."""

from typing import Any

import pytest

from blueplane_doctor.monitoring.group_health import GroupHealth
from blueplane_doctor.monitoring.queue_health import QueueHealth
from blueplane_doctor.monitoring.server_health import LoggedErrors
from tests.checks.builders import HOUR, NOW, cases, chain, consumer, one_writer, queue, reader, run, server, writer


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
                "no-consumer-all-written",
                "what it was not given is written already: nothing waits for it",
                one_writer(consumers=[], undelivered=90, waiting=0),
                "orange",
            ),
            (
                "no-consumer-made-anew",
                "never given a message, and its messages are written: it was made anew",
                one_writer(consumers=[], last_delivered_id="0-0", waiting=0, written_not_delivered=9),
                "orange",
            ),
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


def test_a_running_server_has_to_be_restarted_and_nogroup_is_named() -> None:
    gone = queue(queue_depth=7, groups=[_absent("claude_processors"), _absent("processors")])
    no_group = LoggedErrors(kind="NOGROUP", count=4_949, lately=4_949, first=NOW, last=NOW)
    finding = run("writer-missing", queue=gone, server=server(errors=[no_group]))
    assert "the server's log says NOGROUP (4,949 lines" in finding.summary
    assert finding.remedy and "so restart it." in finding.remedy.text
    stopped = server(pid_state="not running", http_ok=False, http_answer="nobody listens on port 8787")
    finding = run("writer-missing", queue=gone, server=stopped)
    assert "NOGROUP" not in finding.summary
    assert finding.remedy and finding.remedy.text.endswith("when it starts: start it.")


def test_groups_made_anew_would_be_given_what_is_written() -> None:
    absent = writer(exists=False, consumers=[], written_not_delivered=210, written_up_to="1773479901310-7")
    finding = run("writer-missing", queue=queue(groups=[absent]))
    assert finding.remedy and "210 messages that are written already would be delivered again" in finding.remedy.text


@pytest.mark.parametrize(
    ("idle_ms", "elsewhere", "status", "words"),
    [
        pytest.param(900, 0, "orange", "Two servers or more read at once: consumer-4711 and consumer-5205", id="now"),
        pytest.param(900, 1, "orange", "1 message has no row here, and another server may have written it", id="one"),
        pytest.param(3 * HOUR, 118, "yellow", "118 messages have no row here", id="before"),
        pytest.param(3 * HOUR, 0, "green", "another one did until 3 h ago", id="long over"),
    ],
)
def test_a_second_server(idle_ms: int, elsewhere: int, status: str, words: str) -> None:
    readers = [consumer("consumer-5205", shares_group=True, idle_ms=idle_ms), consumer(shares_group=True)]
    finding = run(
        "second-server",
        queue=one_writer(consumers=readers),
        server=server(pid=4711),
        chain=chain({"untraceable": elsewhere}, written_elsewhere=elsewhere),
    )
    assert finding.status == status
    assert words in finding.summary
    assert run("second-server").status == "green"


def test_a_consumer_that_may_be_somebodys_own_is_told_as_such() -> None:
    other = consumer("consumer-5205", shares_group=True, is_perhaps_a_server=True, idle_ms=900)
    own = consumer(shares_group=True, is_perhaps_a_server=True)
    finding = run("second-server", queue=one_writer(consumers=[other, own]), server=server(pid=4711))
    assert (finding.status, finding.observed) == ("yellow", "perhaps two servers")
    assert "or somebody by hand" in finding.summary


def test_a_group_that_is_not_known_is_named_and_mild() -> None:
    given = queue(groups=[writer("claude_processors"), writer(), reader(), reader("git_processors")])
    finding = run("unknown-groups", queue=given)
    assert finding.status == "yellow"
    assert finding.summary.endswith("does not know: git_processors")
    assert run("unknown-groups", queue=queue()).status == "green"


@pytest.mark.parametrize(
    ("sentence", "readers", "status"),
    cases(
        [
            ("none", "without a reader group nothing is behind", [], "green"),
            ("zero", "a reader that has read all is green", [reader(undelivered=0)], "green"),
            ("below-yellow", "999 are green", [reader(undelivered=990, pending=9)], "green"),
            ("yellow-edge", "1,000 are the first yellow", [reader(undelivered=990, pending=10)], "yellow"),
            ("never-worse", "however many, no trace is lost", [reader(undelivered=90_000)], "yellow"),
            (
                "worst",
                "the one furthest behind counts",
                [reader(undelivered=1), reader("b", undelivered=2_001)],
                "yellow",
            ),
            ("not-counted", "what was not counted is not green", [reader(undelivered=None)], "unknown"),
            ("at-least", "what was counted is enough", [reader(undelivered=None, pending=1_000)], "yellow"),
        ]
    ),
)
def test_reader_lag(sentence: str, readers: list[GroupHealth], status: str) -> None:
    given = queue(groups=[writer("claude_processors"), writer(undelivered=9_000), *readers])
    assert run("reader-lag", queue=given).status == status, sentence


@pytest.mark.parametrize(("depth", "status"), [(1_999, "yellow"), (2_000, "green"), (9_000, "green")])
def test_readers_that_are_behind_as_the_writers_are_make_no_fault_of_their_own(depth: int, status: str) -> None:
    given = queue(queue_depth=depth, groups=[writer(undelivered=depth), reader(undelivered=2_000)])
    assert run("reader-lag", queue=given).status == status


@pytest.mark.parametrize(
    ("idle_ms", "beginning"),
    [(120_000, "A second server read 2 min ago: consumer-4711"), (HOUR, "A second server read until 60 min ago")],
)
def test_a_second_server_that_ended_is_told_as_one(idle_ms: int, beginning: str) -> None:
    ended = consumer("consumer-4711", idle_ms=idle_ms, shares_group=True)
    given = {"queue": one_writer(consumers=[ended]), "server": server(pid=5205), "chain": chain(written_elsewhere=80)}
    finding = run("second-server", **given)
    assert finding.summary.startswith(beginning)
    is_over = idle_ms == HOUR
    assert finding.remedy and ("Nothing has to be ended" in finding.remedy.text) is is_over


def test_a_second_server_that_is_seen_to_have_ended_is_told_so_at_once() -> None:
    readers = [
        consumer("consumer-5205", shares_group=True, idle_ms=120_000, reads_no_more=True),
        consumer(shares_group=True),
    ]
    given = {"queue": one_writer(consumers=readers), "server": server(pid=4711), "chain": chain(written_elsewhere=80)}
    finding = run("second-server", **given)
    assert (finding.status, finding.observed) == ("yellow", "two servers before")
    assert "read at once until 2 min ago" in finding.summary
