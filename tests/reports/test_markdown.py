"""Markdown as a person and a parser read it."""

import pytest
from markdown_it import MarkdownIt

from blueplane_doctor.model import Finding, Remedy, Report, Status
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.markdown import render
from tests.reports.hostile import REPORTS

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def report_with(**values: object) -> Report:
    finding = Finding.model_validate({"status": Status.RED, "summary": "s", "id": "x", **values})
    return REPORTS["mixed"]().model_copy(update={"findings": [finding], "causes": []})


def shown(text: str) -> str:
    """What stays of Markdown once it is read: text and code."""
    tokens = READER.parse(text)
    inner = [child for token in tokens for child in token.children or []]
    return "".join(token.content for token in inner if token.type in ("text", "code_inline"))


def test_the_verdict_is_the_heading() -> None:
    assert render(REPORTS["healthy"](), View()).startswith(
        "## 🟢 Blueplane: GREEN: the pipeline is healthy (checks: 12 green)\n"
    )


def test_what_is_ill_stands_in_the_table_and_what_is_well_is_folded() -> None:
    text = render(REPORTS["mixed"](), View())
    before, _, folded = text.partition("<summary>Green, and not set up</summary>")
    assert "| 🔴 red | `chain-breaks` | 1,234 breaks | 1,234 messages were acknowledged" in before
    assert "`wal-size`" not in before
    assert "`wal-size`" in folded


def test_commands_stand_in_a_fence_that_can_be_copied() -> None:
    text = render(REPORTS["mixed"](), View())
    fences = [token.content for token in READER.parse(text) if token.type == "fence" and token.info == "sh"]
    assert "blueplane-doctor dead-letters --group-by reason\n" in fences


def test_the_same_advice_is_given_once() -> None:
    text = render(REPORTS["mixed"]().model_copy(update={"causes": []}), View())
    assert text.count("Start the Blueplane server") == 1
    assert "`writer-missing`, `queue-depth`: Start" in text


def test_causes_come_first_and_what_follows_is_folded_under_them() -> None:
    text = render(REPORTS["mixed"](), View())
    first = text.index("### 1. 🔴 A producer sends payloads")
    second = text.index("### 2. 🔴 The database was locked")
    own = text.index("### Findings of their own")
    assert (
        first < text.index("**Next:** Mend the producer") < text.index("Explains: <code>chain-breaks</code>") < second
    )
    assert second < text.index("Explains: <code>stuck-consumers, queue-depth</code>") < own
    assert second < text.index("| `queue-depth` |") < own < text.index("| `writer-missing` |")
    assert text.count("| `queue-depth` |") == 1
    assert "Follows from: malformed-payloads" in text
    assert "Cause: malformed-payloads" not in text


def test_the_command_of_a_cause_can_be_copied() -> None:
    fences = [token.content for token in READER.parse(render(REPORTS["mixed"](), View())) if token.type == "fence"]
    assert fences[0] == "blueplane-doctor trace 1773479901310-0\n"


def test_a_waived_finding_tells_why_and_gives_no_advice() -> None:
    text = render(REPORTS["compared"](), View())
    assert "| 🟠 orange, waived | `dead-letters` |" in text
    assert "Waiver: waived by platform until 2026-04-01: Known since the move; ticket OPS-12" in text
    assert "dead-letters --group-by" not in text


def test_changes_and_the_baseline_are_told() -> None:
    text = render(REPORTS["compared"](), View())
    assert "beside the baseline of 2026-03-13 09:00:00 UTC" in text
    assert "| 🔴 red, **new** | `chain-breaks` |" in text


def test_details_are_folded_and_open_when_verbose() -> None:
    assert "<details open>" not in render(REPORTS["mixed"](), View())
    assert "<details>" not in render(REPORTS["mixed"](), View(verbose=True))


@pytest.mark.parametrize(
    "text",
    [
        "a_b *c* `d` ~~e~~ <f> [g](h) ![i](j) \\k &amp; &#64;",
        "ask @octocat about #123, owner/repo#1, GH-7 and !12",
        "see https://evil.example and www.evil.example, mail a@evil.example, pay $5$",
        "`` ` ``@x`",
        "1 | 2 \\| 3",
    ],
)
def test_text_is_read_as_it_was_written(text: str) -> None:
    rendered = render(report_with(summary=text), View())
    assert text in shown(rendered)


@pytest.mark.parametrize("text", ["@octocat", "#123", "https://evil.example", "a@evil.example", "GH-7", "!12"])
def test_what_would_be_a_mention_a_reference_or_a_link_is_code(text: str) -> None:
    assert f"`{text}`" in render(report_with(summary=f"see {text}"), View())


def test_a_fence_in_evidence_does_not_end_its_fence() -> None:
    rendered = render(report_with(evidence={"text": "```\n</details>\n# heading\n````"}), View())
    tokens = READER.parse(rendered)
    [fence] = [token for token in tokens if token.type == "fence"]
    assert "# heading" in fence.content
    assert sum(token.type == "heading_open" for token in tokens) == 1


def test_a_fence_in_a_command_does_not_end_its_fence() -> None:
    remedy = Remedy(text="Look", commands=["echo ```", "``` <script>"])
    tokens = READER.parse(render(report_with(remedy=remedy), View()))
    assert [t.content for t in tokens if t.type == "fence"] == ["echo ```\n``` <script>\n"]
