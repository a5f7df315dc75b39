from blueplane_doctor.model import Cause, Change, Finding, Remedy, Stake, Status
from blueplane_doctor.reports import cause_phrases
from tests.reports.samples import mixed, report_of


def finding(check: str, status: Status = Status.RED, change: Change | None = None) -> Finding:
    return Finding(id=check, status=status, summary="x", change=change)


def test_status_and_since_when_with_the_day_where_it_is_another() -> None:
    report = mixed()
    first, second = report.causes
    assert cause_phrases.standing_of(first, report) == "red, since 09:18 UTC (9 min)"
    assert cause_phrases.standing_of(second, report) == "red, likely, since 2026-03-13 21:20 UTC (12 h 7 min)"
    bounded = first.model_copy(update={"since_bound": "at the latest"})
    assert cause_phrases.standing_of(bounded, report) == "red, since 09:18 UTC at the latest (9 min)"
    report = report.model_copy(update={"since_bound": "at the latest"})
    assert cause_phrases.verdict_in_a_line(report).startswith("RED since 09:18 UTC at the latest (9 min): ")


def test_without_a_time_nothing_is_claimed() -> None:
    assert cause_phrases.standing_of(Cause(summary="x.", status=Status.RED), mixed()) == "red"


def test_what_follows_names_some_and_counts_the_rest() -> None:
    names = [f"check-{number}" for number in range(8)]
    findings = [finding(name) for name in names]
    findings += [finding(f"unread-{number}", Status.SKIPPED) for number in range(24)]
    cause = Cause(summary="x.", explains=[one.id for one in findings])
    words = cause_phrases.follows(cause, findings)
    assert words == f"{', '.join(names[:6])} and 2 more and 24 that could not be judged"


def test_what_follows_says_what_changed() -> None:
    findings = [finding("a", change=Change.SAME), finding("b", change=Change.WORSE)]
    assert cause_phrases.follows(Cause(summary="x.", explains=["a", "b"]), findings) == "a (same), b (worse)"


def test_only_unjudged_findings_follow() -> None:
    findings = [finding("a", Status.SKIPPED)]
    assert cause_phrases.follows(Cause(summary="x.", explains=["a"]), findings) == "1 that could not be judged"


def test_the_next_step_is_words_and_the_first_command() -> None:
    remedy = Remedy(text="Look.", commands=["one", "two"])
    assert cause_phrases.next_step(Cause(summary="x.", next_step=remedy)) == ("Look.", "one")
    assert cause_phrases.next_step(Cause(summary="x.")) == ("", "")


def test_a_next_step_of_many_sentences_is_whole() -> None:
    text = " ".join(f"Then do step {number} of it." for number in range(40))
    assert len(text) > 900
    assert cause_phrases.next_step(Cause(summary="x.", next_step=Remedy(text=text)))[0] == text


def test_a_likely_cause_says_what_would_make_it_certain() -> None:
    text = cause_phrases.summary(Cause(summary="It is locked.", certain=False, confirm="the log"))
    assert text == "It is locked. This is likely. What would make it certain: the log."


def test_findings_on_their_own_are_those_that_no_cause_explains() -> None:
    report = report_of([finding("a"), finding("b")])
    report = report.model_copy(update={"causes": [Cause(summary="x.", explains=["a"])]})
    assert [one.id for one in cause_phrases.on_their_own(report)] == ["b"]


def test_what_is_at_stake_names_only_what_is_known() -> None:
    assert cause_phrases.stake(Cause(summary="x.")) == ""
    assert cause_phrases.stake(Cause(summary="x.", at_stake=Stake(at_risk=1))) == "1 message at risk"
    letters = Stake(at_risk=1, dead_lettered=5)
    words = "1 message at risk, 5 messages among the dead letters"
    assert cause_phrases.stake(Cause(summary="x.", at_stake=letters)) == words
    stake = Stake(at_risk=0, lost=1_180, recoverable=1_000)
    words = "1,180 messages lost (1,000 of them can still be saved)"
    assert cause_phrases.stake(Cause(summary="x.", at_stake=stake)) == words


def test_one_line_says_status_since_when_and_the_first_cause() -> None:
    report = mixed()
    first = "RED since 09:18 UTC (9 min): A producer sends payloads that the writer drops"
    assert cause_phrases.verdict_in_a_line(report) == f"{first}; 1 more cause"
    one = report.model_copy(update={"causes": report.causes[:1]})
    assert cause_phrases.verdict_in_a_line(one) == first


def test_without_a_cause_one_line_is_the_verdict() -> None:
    assert cause_phrases.verdict_in_a_line(report_of([])).startswith("UNKNOWN: ")
