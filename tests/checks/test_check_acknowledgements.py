"""Messages that are written and not acknowledged: each is named, and nothing else is acknowledged."""

import pytest

from tests.checks.builders import cases, one_writer, run


@pytest.mark.parametrize(
    ("sentence", "count", "status"),
    cases(
        [
            ("not-looked-up", "where rows were not looked up none is known of", None, "green"),
            ("none", "nothing waits for its acknowledgement", 0, "green"),
            ("one", "one makes its batch fail once it is delivered again", 1, "orange"),
        ]
    ),
)
def test_written_not_acknowledged(sentence: str, count: int | None, status: str) -> None:
    found = run("written-not-acknowledged", queue=one_writer(written_not_acknowledged=count, to_acknowledge=["1-1"]))
    assert found.status == status, sentence


def test_what_is_written_is_acknowledged_by_name_a_hundred_at_a_time() -> None:
    ids = [f"1773479901310-{number}" for number in range(250)]
    found = run("written-not-acknowledged", queue=one_writer(written_not_acknowledged=250, to_acknowledge=ids))
    assert (found.status, found.observed) == ("orange", 250)
    assert found.remedy
    trace, *acknowledge = found.remedy.commands
    assert trace.endswith(" trace " + " ".join(ids[:3]))
    words = [command.split(" XACK telemetry:message_queue processors ")[1].split() for command in acknowledge]
    assert [len(some) for some in words] == [100, 100, 50]
    assert [one for some in words for one in some] == ids


def test_more_than_can_be_named_is_said() -> None:
    ids = [f"1773479901310-{number}" for number in range(1_000)]
    found = run("written-not-acknowledged", queue=one_writer(written_not_acknowledged=2_500, to_acknowledge=ids))
    assert found.remedy and "The commands name 1,000 of them" in found.remedy.text


def test_what_has_another_messages_row_is_named_in_no_command_that_acknowledges() -> None:
    held = one_writer(written_not_acknowledged=1, written_by_others=1, others_ids=["1-1"])
    found = run("written-not-acknowledged", queue=held)
    assert (found.status, found.observed) == ("orange", 1)
    assert found.summary == "1 message has a key with which another message is written"
    assert found.remedy is not None
    assert found.remedy.text.startswith("Where another message wrote the row, acknowledge nothing by hand")
    assert [command for command in found.remedy.commands if "XACK" in command] == []
    assert found.remedy.commands[0].endswith(" trace 1-1")


def test_own_rows_beside_those_of_others_are_told_apart() -> None:
    held = one_writer(written_not_acknowledged=5, to_acknowledge=["1-0"] * 3, written_by_others=2, others_ids=["1-1"])
    found = run("written-not-acknowledged", queue=held)
    own = "3 messages are written already and not acknowledged"
    assert found.summary == f"{own}, and 2 messages have a key with which another message is written"
    assert found.remedy is not None
    assert "Acknowledge exactly these" in found.remedy.text and "repair acknowledged" in found.remedy.text
    assert "run the doctor again" not in found.remedy.text, "all three are named"
