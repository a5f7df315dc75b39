"""The verdict on a run: never better than what was judged."""

import pytest

from blueplane_doctor.model import Finding, Status
from blueplane_doctor.verdict import VITAL, headline_of, status_of, unjudged

S = Status


def finding(check_id: str, status: Status, cause: str = "") -> Finding:
    return Finding(id=check_id, area="queue", status=status, summary="…", cause=cause)


def run(*others: Finding, **vital: Status) -> list[Finding]:
    """A run in which all that is vital is green, but for what is given by name."""
    statuses = dict.fromkeys(VITAL, S.GREEN) | {name.replace("_", "-"): status for name, status in vital.items()}
    return [*(finding(name, status, "nobody answers") for name, status in statuses.items()), *others]


@pytest.mark.parametrize(
    ("findings", "status", "words"),
    [
        pytest.param(run(), S.GREEN, "the pipeline is healthy", id="all green"),
        pytest.param(run(finding("x", S.YELLOW)), S.YELLOW, "the pipeline is healthy, with warnings", id="warnings"),
        pytest.param(run(finding("x", S.ORANGE)), S.ORANGE, "the pipeline is degraded", id="degraded"),
        pytest.param(run(finding("x", S.RED)), S.RED, "the pipeline is unhealthy", id="red"),
        pytest.param(run(finding("x", S.UNKNOWN)), S.GREEN, "the pipeline is healthy", id="a small thing is unknown"),
        pytest.param(
            run(chain_breaks=S.UNKNOWN),
            S.UNKNOWN,
            "whether the pipeline is healthy is not known: chain-breaks could not be judged (nobody answers)",
            id="a vital thing is unknown",
        ),
        pytest.param(
            run(finding("x", S.RED), queue_depth=S.UNKNOWN), S.RED, "the pipeline is unhealthy", id="a fault was found"
        ),
        pytest.param(
            run(finding("x", S.YELLOW), queue_depth=S.SKIPPED),
            S.UNKNOWN,
            "whether the pipeline is healthy is not known: queue-depth could not be judged (nobody answers)",
            id="a warning does not stand for what is vital",
        ),
    ],
)
def test_status_and_headline(findings: list[Finding], status: Status, words: str) -> None:
    assert status_of(findings) is status
    assert headline_of(findings) == words


def test_only_the_first_line_of_a_cause_is_in_the_headline() -> None:
    findings = [finding("queue-depth", S.ERROR, "it broke\nTraceback …")]
    assert headline_of(findings).endswith("(it broke)")
    assert [one.id for one in unjudged(findings)] == ["queue-depth"]


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ([finding("a", S.RED)], "1 of 6 checks ran, and is red"),
        ([finding("a", S.GREEN), finding("b", S.GREEN)], "2 of 7 checks ran, and all are green"),
        ([finding("a", S.GREEN), finding("b", S.ORANGE)], "2 of 7 checks ran, and the worst is orange"),
        ([finding("queue-depth", S.UNKNOWN)], "1 of 6 checks ran, and could not be judged"),
    ],
)
def test_a_selection_says_how_much_of_all_it_is(findings: list[Finding], words: str) -> None:
    assert headline_of(findings, left_out=5) == words


def test_where_there_is_no_pipeline_that_is_the_headline() -> None:
    assert headline_of(run(queue_depth=S.UNKNOWN), nothing_found="there is no pipeline") == "there is no pipeline"
