from tests.checks import builders
from tests.checks.builders import causes_of


def test_a_group_that_nobody_knows() -> None:
    strange = builders.reader("git_processors", role="unknown")
    causes = causes_of(queue=builders.queue(groups=[builders.writer(), strange]))
    assert [(one.id, one.certain) for one in causes] == [("unknown-group", False)]


def test_readers_that_are_behind() -> None:
    causes = causes_of(queue=builders.queue(groups=[builders.writer(), builders.reader(undelivered=2_001)]))
    assert [(one.id, one.status) for one in causes] == [("reader-behind", "yellow")]
