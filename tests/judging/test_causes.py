"""How causes and findings are brought together, with causes made for the purpose."""

from collections.abc import Callable

import pytest

from blueplane_doctor.causeapi import CAUSE_MARK, Cause, CauseFunction, CauseSpec, cause
from blueplane_doctor.judging.causes import Explanation, explained
from blueplane_doctor.model import Finding, SinceBound, Status, Waiver
from tests.checks.builders import queue

EARLY = "2026-03-14T09:08:00.000Z"
LATE = "2026-03-14T09:12:00.000Z"


def finding(check: str, status: Status = Status.RED, **more: object) -> Finding:
    return Finding(id=check, status=status, summary="x", **more)  # type: ignore[arg-type]


def spec(name: str, *, since: str | None = None, explains: list[str] | None = None, **wiring: object) -> CauseSpec:
    def function() -> Cause:
        """A cause."""
        return Cause(summary=f"{name}.", since=since, explains=explains or [])

    function.__name__ = f"cause_{name}"
    declare: Callable[[CauseFunction], CauseFunction] = cause(**{"stage": "messages", **wiring})  # type: ignore[arg-type]
    result: CauseSpec = getattr(declare(function), CAUSE_MARK)
    return result


def test_a_finding_stands_under_the_cause_whose_sign_it_is() -> None:
    specs = [spec("a", shown_by=["x"], brings=["y"]), spec("b", shown_by=["y"])]
    explanation = explained([finding("x"), finding("y")], {}, specs)
    assert [(one.id, one.explains) for one in explanation.causes] == [("a", ["x"]), ("b", ["y"])]
    assert [one.cause for one in explanation.findings] == ["a", "b"]


def test_each_finding_stands_under_one_cause() -> None:
    specs = [spec("a", shown_by=["x"], brings=["z"]), spec("b", shown_by=["y"], brings=["z"])]
    causes = explained([finding("x"), finding("y"), finding("z")], {}, specs).causes
    assert sorted(check for one in causes for check in one.explains) == ["x", "y", "z"]


def test_what_nothing_explains_stands_for_itself() -> None:
    explanation = explained([finding("x"), finding("other")], {}, [spec("a", shown_by=["x"])])
    assert [one.cause for one in explanation.findings] == ["a", ""]


def test_without_a_sign_there_is_no_cause() -> None:
    green = finding("x", Status.GREEN)
    assert explained([green, finding("y")], {}, [spec("a", shown_by=["x"], brings=["y"])]).causes == []
    assert explained([finding("y")], {}, [spec("a", shown_by=["x"], brings=["y"])]).causes == []


def test_a_waived_finding_is_no_sign_and_is_not_explained() -> None:
    waived = finding("x", waiver=Waiver(reason="known"))
    explanation = explained([waived], {}, [spec("a", shown_by=["x"])])
    assert explanation.causes == []
    assert explanation.findings[0].cause == ""


def test_what_follows_from_another_cause_is_not_told_for_itself() -> None:
    specs = [spec("root", shown_by=["x"], brings=["y"]), spec("next", shown_by=["y"], brings=["z"], follows=["root"])]
    causes = explained([finding("x"), finding("y"), finding("z")], {}, specs).causes
    assert [(one.id, one.explains, one.leads_to) for one in causes] == [("root", ["x", "y", "z"], ["next"])]


def test_it_follows_only_where_the_other_cause_accounts_for_its_signs() -> None:
    specs = [
        spec("root", shown_by=["x"], brings=["y"]),
        spec("next", shown_by=["y", "w"], follows=["root"]),
    ]
    by_the_root = explained([finding("x"), finding("y"), finding("w", Status.GREEN)], {}, specs).causes
    assert [(one.id, one.leads_to) for one in by_the_root] == [("root", ["next"])]
    by_itself = explained([finding("x"), finding("y"), finding("w")], {}, specs).causes
    assert [(one.id, one.explains) for one in by_itself] == [("next", ["w", "y"]), ("root", ["x"])]


def test_a_sign_of_two_causes_goes_to_the_one_that_has_no_other() -> None:
    specs = [spec("a", shown_by=["x", "y"]), spec("b", shown_by=["x"])]
    explanation = explained([finding("x"), finding("y", Status.YELLOW)], {}, specs)
    assert [(one.id, one.status, one.explains) for one in explanation.causes] == [
        ("b", Status.RED, ["x"]),
        ("a", Status.YELLOW, ["y"]),
    ]


def test_the_only_sign_of_two_causes_stands_under_one_of_them() -> None:
    causes = explained([finding("x")], {}, [spec("a", shown_by=["x"]), spec("b", shown_by=["x"])]).causes
    assert [(one.id, one.status, one.explains) for one in causes] == [("a", Status.RED, ["x"]), ("b", Status.RED, [])]


def test_a_cause_may_name_its_signs_itself() -> None:
    specs = [spec("a", shown_by=["x", "y"], explains=["y"], brings=["z"])]
    assert explained([finding("x")], {}, specs).causes == []
    (one,) = explained([finding("x"), finding("y"), finding("z")], {}, specs).causes
    assert one.explains == ["y", "z"]


def test_what_would_follow_stands_for_itself_without_its_root() -> None:
    specs = [spec("root", shown_by=["x"]), spec("next", shown_by=["y"], follows=["root"])]
    assert [one.id for one in explained([finding("y")], {}, specs).causes] == ["next"]


def test_causes_that_name_one_another_end() -> None:
    specs = [spec("a", shown_by=["x"], follows=["b"]), spec("b", shown_by=["y"], follows=["a"])]
    causes = explained([finding("x"), finding("y")], {}, specs).causes
    assert sorted(check for one in causes for check in one.explains) == ["x", "y"]


def test_worst_first_then_the_deepest() -> None:
    specs = [
        spec("mild", shown_by=["x"], stage="redis"),
        spec("messages", shown_by=["y"]),
        spec("server", shown_by=["z"], stage="server"),
    ]
    causes = explained([finding("x", Status.YELLOW), finding("y"), finding("z")], {}, specs).causes
    assert [one.id for one in causes] == ["server", "messages", "mild"]
    assert [one.status for one in causes] == [Status.RED, Status.RED, Status.YELLOW]


def test_everything_brings_what_was_not_judged_and_no_verdict() -> None:
    findings = [finding("x"), finding("unread", Status.SKIPPED, cause="refused"), finding("y")]
    explanation = explained(findings, {}, [spec("a", shown_by=["x"], brings=["*"])])
    assert explanation.causes[0].explains == ["x", "unread"]
    assert [one.cause for one in explanation.findings] == ["a", "refused", ""]


def test_a_function_may_name_what_it_explains() -> None:
    specs = [spec("a", shown_by=["x", "y"], explains=["x"])]
    assert explained([finding("x"), finding("y")], {}, specs).causes[0].explains == ["x"]


def test_since_is_the_earliest_of_the_worst() -> None:
    specs = [
        spec("a", shown_by=["x"], since="2026-03-14T09:26:53.000Z"),
        spec("b", shown_by=["y"], since="2026-03-14T08:26:53.000Z"),
        spec("mild", shown_by=["z"], since="2026-03-14T01:00:00.000Z"),
    ]
    explanation = explained([finding("x"), finding("y"), finding("z", Status.YELLOW)], {}, specs)
    assert explanation.beginning == ("2026-03-14T08:26:53.000Z", "", "")


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (("at the latest", ""), (EARLY, "", "at the latest")),
        (("at the earliest", ""), (LATE, "", "at the latest")),
        (("at the earliest", "at the earliest"), (EARLY, "", "at the earliest")),
        (("", "at the earliest"), (EARLY, "", "")),
    ],
)
def test_since_is_a_bound_where_nothing_more_is_known(
    bounds: tuple[SinceBound, SinceBound], expected: tuple[str, str, str]
) -> None:
    causes = []
    for since, bound in zip((EARLY, LATE), bounds, strict=True):
        causes.append(Cause(summary="It is bad.", status=Status.RED, since=since, since_bound=bound))
    assert Explanation([], causes).beginning == expected


def test_a_cause_that_breaks_is_a_finding_and_harms_no_other() -> None:
    @cause(stage="redis", shown_by=["x"])
    def cause_broken() -> Cause:
        """It breaks."""
        raise KeyError("private text")

    broken: CauseSpec = getattr(cause_broken, CAUSE_MARK)
    explanation = explained([finding("x")], {}, [broken, spec("a", shown_by=["x"])])
    assert [one.id for one in explanation.causes] == ["a"]
    error = explanation.findings[-1]
    assert (error.id, error.status) == ("cause:broken", Status.ERROR)
    assert "private text" not in error.model_dump_json()


def test_a_function_that_returns_something_else_is_a_finding_and_the_others_run() -> None:
    @cause(stage="messages", shown_by=["x"])
    def cause_wrong() -> Cause:
        """A wrong one."""
        return "it is full"  # type: ignore[return-value]

    specs = [getattr(cause_wrong, CAUSE_MARK), spec("a", shown_by=["x"])]
    explanation = explained([finding("x")], {}, specs)
    assert [one.id for one in explanation.causes] == ["a"]
    assert explanation.findings[-1].id == "cause:wrong"
    assert explanation.findings[-1].cause == "it returned str instead of a Cause"


def test_a_beginning_ahead_of_the_clock_is_none() -> None:
    """A stream ID may be ahead of the clock, and with it the time that it names."""
    records = {"queue": queue(measured_at="2026-03-14T09:26:53Z")}
    specs = [
        spec("ahead", since="2026-03-14T11:26:53Z", shown_by=["x"]),
        spec("now", since="2026-03-14T09:26:54Z", shown_by=["y"]),
    ]
    causes = explained([finding("x"), finding("y")], records, specs).causes
    assert [one.since for one in causes] == [None, "2026-03-14T09:26:54Z"]
