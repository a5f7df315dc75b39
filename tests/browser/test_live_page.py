"""The live page in a real browser: silent, up to date, undisturbed by its own updates."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.demo import faults
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import Sample, minute_of
from tests.servers import require_server
from tests.service.support import serving
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Visit:
    """The page on show, and all that it said and asked for."""

    def __init__(self, browser: Any, url: str, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.said: list[str] = []
        self.asked: set[str] = set()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.add(request.url))
        self.page.goto(url, wait_until="domcontentloaded")
        self.page.wait_for_selector("#link.on")

    def verdict(self, word: str) -> None:
        """Wait until the page's heading says so."""
        self.page.wait_for_function("word => document.querySelector('h1').innerText.trim() === word", arg=word)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, Pipeline, str]]:
    home = tmp_path_factory.mktemp("watched") / "home"
    with run_server(require_server("valkey-9.1")) as server, Pipeline(server.url, home) as pipeline:
        faults.healthy(pipeline)
        with serving(pipeline) as service:
            service.ready()
            yield server, pipeline, service.url


@pytest.fixture
def visit(browser: Any, watched: tuple[RunningServer, Pipeline, str]) -> Iterator[Any]:
    visits: list[Visit] = []

    def go(**context: Any) -> Visit:
        visits.append(Visit(browser, watched[2], **context))
        return visits[-1]

    yield go
    for one in visits:
        one.context.close()


def test_it_says_nothing_and_asks_only_its_own_service(visit: Any, watched: Any) -> None:
    it = visit()
    it.verdict("Green")
    it.page.wait_for_timeout(2500)
    assert it.said == []
    assert {url for url in it.asked if not url.startswith("data:")} == {
        watched[2] + path for path in ("/", "/live", "/live/events")
    }
    assert it.page.locator("#live-charts polyline").count() >= 4


def test_what_was_recorded_is_drawn_where_there_is_a_history(browser: Any, tmp_path: Path) -> None:
    with run_server(require_server("valkey-9.1")) as server, Pipeline(server.url, tmp_path / "home") as pipeline:
        faults.healthy(pipeline)
        storage, now = HealthMetricsStorage(server.url), minute_of(time.time())
        for hours in range(20):
            storage.write(Sample(now - 3600 * hours - 900 * (hours % 2), {"queue.queue_depth": float(hours)}))
        storage.close()
        with serving(pipeline) as service:
            service.ready()
            it = Visit(browser, service.url)
            it.page.wait_for_selector("#history .trend svg path.trace")
            assert "Queue depth" in it.page.locator("#history").inner_text()
            it.page.locator("#history summary").click()
            moment = it.page.locator(".verdict time").first
            before = moment.inner_text()
            it.page.wait_for_function("old => document.querySelector('.verdict time').innerText !== old", arg=before)
            assert it.page.evaluate("() => document.querySelector('#history details').open")
            assert it.page.locator("#history tbody tr").count() >= 19
            assert it.said == []
            it.context.close()


def test_updates_leave_what_the_reader_does_alone(visit: Any) -> None:
    it = visit()
    page = it.page
    page.evaluate(
        "() => { const it = document.querySelector('#findings h2'); it.mine = 1;"
        " const all = document.querySelectorAll('#live details'); all.forEach((d) => { d.open = true; d.mine = 1; });"
        " window.scrollTo(0, 400); }"
    )
    page.locator("#filter select[name=area]").focus()
    page.wait_for_timeout(500)
    place = "() => Math.round(document.activeElement.getBoundingClientRect().top)"
    on_screen = page.evaluate(place)
    moment = page.locator(".verdict time").first
    before = moment.inner_text()
    page.wait_for_function("old => document.querySelector('.verdict time').innerText !== old", arg=before)
    page.wait_for_timeout(1500)
    kept = page.evaluate(
        "() => [document.querySelector('#findings h2').mine,"
        " [...document.querySelectorAll('#live details')].every((d) => d.open && d.mine === 1),"
        " document.activeElement.name]"
    )
    assert kept == [1, True, "area"]
    assert page.evaluate(place) == on_screen, "what is read moved"


def test_a_filter_outlives_updates(visit: Any) -> None:
    it = visit()
    page = it.page
    page.locator("#filter select[name=area]").select_option("queue")
    shown = "() => [...document.querySelectorAll('#findings [data-status]')].filter((r) => !r.hidden)"
    areas = page.evaluate(f"{shown}.map((r) => r.dataset.area)".replace("() => [", "[", 1))
    assert set(areas) == {"queue"}
    page.wait_for_timeout(2500)
    assert page.evaluate(f"{shown}.map((r) => r.dataset.area)".replace("() => [", "[", 1)) == areas


def test_by_keyboard_alone(visit: Any) -> None:
    it = visit()
    reached = set()
    for _ in range(80):
        it.page.keyboard.press("Tab")
        reached.add(
            it.page.evaluate("() => `${document.activeElement.tagName}.${document.activeElement.className}`.trim()")
        )
    assert {"A.skip", "SUMMARY.", "SELECT."} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readable_in_the_light_and_in_the_dark(visit: Any, scheme: str) -> None:
    it = visit(color_scheme=scheme)
    found = it.page.evaluate(
        "() => ['h1', '#link', '#live-charts figcaption', '#live-charts b', '.sentence'].map((selector) => {"
        " const node = document.querySelector(selector); let under = node;"
        " const seen = (n) => getComputedStyle(n).backgroundColor;"
        " while (under && /rgba\\(0, 0, 0, 0\\)/.test(seen(under))) under = under.parentElement;"
        " return [selector, getComputedStyle(node).color, under ? seen(under) : 'rgb(255, 255, 255)']; })"
    )
    for selector, ink, paper in found:
        assert contrast(ink, paper) >= 4.5, (selector, ink, paper)
    dark = luminance(it.page.evaluate("() => getComputedStyle(document.body).backgroundColor")) < 0.1
    assert dark == (scheme == "dark")


def luminance(colour: str) -> float:
    parts = [int(float(x)) / 255 for x in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_an_outage_shows_and_goes_by_itself(visit: Any, watched: tuple[RunningServer, Pipeline, str]) -> None:
    server = watched[0]
    it = visit()
    it.verdict("Green")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        it.page.wait_for_function("() => ['Red', 'Unknown'].includes(document.querySelector('h1').innerText.trim())")
        it.page.wait_for_function("() => document.querySelector('#announcement').textContent.includes('now')")
    finally:
        os.kill(server.pid, signal.SIGCONT)
    it.verdict("Green")
    assert it.said == []


def test_when_the_service_ends_the_page_says_so(browser: Any, tmp_path: Path) -> None:
    with run_server(require_server("valkey-9.1")) as server, Pipeline(server.url, tmp_path / "home") as pipeline:
        with serving(pipeline) as service:
            it = Visit(browser, service.url)
        it.page.wait_for_selector("#link.off")
        assert "does not answer" in it.page.locator("#link").inner_text()
        it.context.close()
