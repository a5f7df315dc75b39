"""The HTML report in a real browser: silent, readable by everybody, usable without a mouse and without scripts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.model import Report
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.html import render
from tests.reports import samples
from tests.reports.hostile import compared
from tests.reports.test_trend_charts import report_with, series
from tests.servers import absent

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def _everything() -> Report:
    report = samples.mixed()
    chain = report.metrics["chain"] or {}
    return report.model_copy(update={"metrics": report.metrics | {"chain": chain | {"buckets": samples.buckets()}}})


def _with_history() -> Report:
    values = [None if 20 < hour < 30 else hour * hour for hour in range(48)]
    return report_with(series(*values), series(*values, label="A" * 60, unit="ms"), series(None, None))


REPORTS = {
    "healthy": samples.healthy,
    "mixed": _everything,
    "empty": samples.empty,
    "compared": compared,
    "history": _with_history,
}


class Visit:
    """A page on show, with all that it said and all that it asked for."""

    def __init__(self, browser: Any, folder: Path, report: Report, **context: Any) -> None:
        file = folder / "report.html"
        file.write_text(render(report, View()), encoding="utf-8", newline="\n")
        self.context = browser.new_context(**{"reduced_motion": "reduce", "timezone_id": "Asia/Kolkata"} | context)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.url = file.as_uri()
        self.page.goto(self.url)

    def open_all(self) -> None:
        """Unfold everything that can be unfolded."""
        self.page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")

    def focused(self) -> set[str]:
        """What the tab key reaches, as `tag.class#hash`."""
        seen: set[str] = set()
        for _ in range(400):
            self.page.keyboard.press("Tab")
            here = self.page.evaluate(
                "(() => { const it = document.activeElement; return it === document.body ? '' :"
                " `${it.tagName.toLowerCase()}.${it.className}${it.hash ?? ''}`; })()"
            )
            if not here:
                break
            seen.add(here)
        return seen


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Any]:
    visits: list[Visit] = []

    def go(report: Report, **context: Any) -> Visit:
        visits.append(Visit(browser, tmp_path, report, **context))
        return visits[-1]

    yield go
    for one in visits:
        one.context.close()


@pytest.mark.parametrize("name", REPORTS)
def test_it_says_nothing_and_asks_for_nothing(visit: Any, name: str) -> None:
    it = visit(REPORTS[name]())
    it.page.wait_for_timeout(200)
    assert it.said == []
    assert it.asked == [it.url]


def test_hostile_text_runs_nothing(visit: Any) -> None:
    text = "\"'><img src=https://example.invalid/x onerror=alert(1)><script>alert(1)</script>"
    report = samples.mixed()
    finding = report.findings[0].model_copy(
        update={"summary": text, "id": text, "area": text, "evidence": {text: text}}
    )
    it = visit(samples.report_of([finding], report.metrics))
    it.page.wait_for_timeout(200)
    assert (it.said, it.asked) == ([], [it.url])
    assert text in it.page.locator(".summary").inner_text()


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [1200, 360])
def test_axe_finds_nothing(visit: Any, name: str, width: int) -> None:
    it = visit(REPORTS[name](), viewport={"width": width, "height": 900})
    for scheme in ("light", "dark"):
        it.page.emulate_media(color_scheme=scheme)
        it.page.goto(it.url)  # as it is when it is opened in these colours
        it.open_all()
        # Rows beyond the first dozen repeat the first dozen, and axe takes its time.
        it.page.evaluate(
            "document.querySelectorAll('.breaks tbody tr:nth-child(n + 13)').forEach((row) => row.remove())"
        )
        found = _violations(it.page)
        assert found.response["violations"] == [], f"{scheme}: {found.generate_report()}"


def _violations(page: Any) -> Any:
    """What axe finds on the page as it stands. Of what is in order it lists no nodes: that takes most of the time."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        absent("needs axe-playwright-python")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    rules = {"target-size": {"enabled": True}}
    return Axe().run(page, options={"runOnly": tags, "rules": rules, "resultTypes": ["violations"]})


def test_axe_would_find_something(visit: Any) -> None:
    it = visit(samples.empty())
    it.page.evaluate("document.body.append(document.createElement('img'))")
    assert [violation["id"] for violation in _violations(it.page).response["violations"]] == ["image-alt", "region"]


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
def test_the_page_never_scrolls_sideways(visit: Any, name: str, javascript: bool) -> None:
    it = visit(REPORTS[name](), java_script_enabled=javascript)
    for width in (360, 600, 1200):
        it.page.set_viewport_size({"width": width, "height": 800})
        it.page.goto(it.url)  # as it is when it is opened in a window of this width
        it.open_all()
        assert it.page.evaluate("document.documentElement.scrollWidth") <= width, f"{width} pixels"


def test_at_twice_the_size_the_page_does_not_scroll_sideways(visit: Any) -> None:
    it = visit(_everything(), viewport={"width": 640, "height": 450}, device_scale_factor=2)
    it.page.evaluate("document.documentElement.style.fontSize = '200%'")
    it.open_all()
    assert it.page.evaluate("document.documentElement.scrollWidth") <= 640


def test_without_scripts_all_is_there_but_what_needs_them(visit: Any) -> None:
    it = visit(_everything(), java_script_enabled=False)
    assert it.page.locator("#filter").is_hidden()
    assert it.page.locator("button:visible").count() == 0
    assert it.page.locator("h1").inner_text() == "Red"
    assert it.page.locator("#explained").locator("ol").is_hidden()
    it.page.locator("#explained > summary").click()
    it.page.locator("#finding-chain-breaks summary").click()
    assert it.page.locator("#finding-chain-breaks .scale").is_visible()
    assert it.page.locator("#green").locator("table").is_hidden()
    it.page.locator("#green > summary").click()
    assert it.page.locator("#finding-wal-size").is_visible()
    assert "local" not in it.page.locator(".meta").inner_text()


def test_times_have_the_readers_own_beside_them(visit: Any) -> None:
    it = visit(_everything(), locale="en-GB")
    assert "2026-03-14 09:26:53 UTC (14:56:53 local)" in it.page.locator(".meta").inner_text()


def test_a_reader_in_utc_is_told_each_time_once(visit: Any) -> None:
    it = visit(_everything(), timezone_id="UTC")
    assert it.page.locator(".local").count() == 0


def test_the_filter_shows_what_was_asked_for(visit: Any) -> None:
    it = visit(_everything())
    shown = it.page.locator("[data-status]:visible")
    it.page.locator("#filter select[name=status]").select_option("red")
    assert {item.get_attribute("data-status") for item in shown.all()} == {"red"}
    assert it.page.locator("#green").is_hidden()
    assert it.page.locator("#filter output").inner_text() == "Showing 3 of 19 checks"
    it.page.locator("#filter select[name=area]").select_option("consumers")
    assert {item.get_attribute("data-area") for item in shown.all()} == {"consumers"}
    it.page.locator("#filter select[name=status]").select_option("green")
    assert shown.count() == 0
    it.page.locator("#filter select[name=area]").select_option("")
    assert shown.count() == 10, "what is asked for is unfolded"


def test_a_link_shows_a_finding_that_was_folded_or_filtered_away(visit: Any) -> None:
    it = visit(_everything())
    it.page.locator("#filter select[name=status]").select_option("green")
    it.page.locator(".glance a", has_text="Chain breaks").click()
    assert it.page.locator("#finding-chain-breaks").is_visible()
    it.page.goto(it.url + "#finding-wal-size")
    it.page.reload()
    assert it.page.locator("#finding-wal-size").is_visible()


def test_the_keyboard_reaches_everything(visit: Any) -> None:
    it = visit(_everything())
    it.open_all()
    reached = it.focused()
    findings = [finding.id for finding in samples.mixed().findings if finding.status.value != "green"]
    assert {f"a.permalink#finding-{identity}" for identity in findings} <= reached
    assert {"a.skip#findings", "button.copy", "select.", "summary.", "div.box"} <= reached


def test_the_permalink_shows_itself_to_the_keyboard(visit: Any) -> None:
    it = visit(_everything())
    link = it.page.locator("#finding-writer-missing .permalink")
    assert link.evaluate("(it) => getComputedStyle(it).opacity") == "0"
    it.page.locator("#filter select[name=area]").focus()
    it.page.keyboard.press("Tab")
    assert link.evaluate("(it) => it === document.activeElement && getComputedStyle(it).opacity") == "1"


def test_a_command_is_copied_as_it_is(visit: Any) -> None:
    it = visit(_everything(), permissions=["clipboard-read", "clipboard-write"])
    it.open_all()
    button = it.page.locator("#finding-chain-breaks button.copy").first
    button.focus()
    it.page.keyboard.press("Enter")
    it.page.wait_for_function("document.querySelector('#finding-chain-breaks .copy').innerText.startsWith('Copied')")
    assert it.page.evaluate("navigator.clipboard.readText()") == "blueplane-doctor trace --breaks"


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
def test_it_prints_everything_on_white(visit: Any, javascript: bool) -> None:
    it = visit(_everything(), java_script_enabled=javascript, color_scheme="dark")
    it.page.emulate_media(media="print", color_scheme="dark")
    assert it.page.locator("#finding-chain-breaks .scale").is_visible()
    assert it.page.locator("#finding-wal-size").is_visible()
    assert it.page.locator("button:visible").count() == 0
    assert it.page.locator("#filter").is_hidden()
    ink = it.page.locator("h2").first.evaluate("(it) => getComputedStyle(it).color")
    assert ink == "rgb(28, 33, 38)"
    paper = it.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert it.page.pdf().startswith(b"%PDF-")


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (360, 800)])
def test_the_first_screen_says_what_is_wrong_since_when_and_what_next(visit: Any, width: int, height: int) -> None:
    it = visit(_everything(), viewport={"width": width, "height": height})
    first = it.page.locator(".cause-card").first
    for part in (
        *(it.page.locator("h1"), it.page.locator(".sentence"), it.page.locator(".strip svg").first),
        *(first.locator("h3"), first.locator(".standing"), first.locator(".next .command")),
    ):
        box = part.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= height, part
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, part
    assert "since" in it.page.locator(".sentence").inner_text()


def test_a_command_is_broken_between_its_words_alone(visit: Any) -> None:
    report = samples.mixed()
    causes = []
    for cause in report.causes:
        command = "blueplane-doctor repair dead-letters --home /home/somebody/in-a-long-folder/.blueplane"
        next_step = cause.next_step.model_copy(update={"commands": [command]})
        causes.append(cause.model_copy(update={"next_step": next_step}))
    it = visit(report.model_copy(update={"causes": causes}), viewport={"width": 360, "height": 800})
    words = it.page.locator(".command span:visible")
    assert words.count() >= 5
    lines = words.evaluate_all("(words) => words.map((word) => word.getClientRects().length)")
    assert set(lines) == {1}
    card = it.page.locator(".cause-card").first.bounding_box()
    assert card["x"] + card["width"] <= 360, "a long word is scrolled where it stands"


@pytest.mark.parametrize("width", [360, 1100])
def test_no_number_and_no_short_word_is_broken(visit: Any, width: int) -> None:
    it = visit(_everything(), viewport={"width": width, "height": 800})
    it.open_all()
    broken = it.page.evaluate(
        """() => [...document.querySelectorAll('dd, .trend b, td.number, .keys b')].filter((node) => {
             const text = node.textContent.trim();
             if (node.children.length || !/^[\\w.,]{1,9}$/.test(text)) return false;
             const range = document.createRange();
             range.selectNodeContents(node);
             return range.getClientRects().length > 1;
           }).map((node) => node.textContent)"""
    )
    assert broken == []
