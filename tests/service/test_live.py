"""The live page's charts and events, without a browser (tests/browser looks at the page itself)."""

import asyncio
import re
import socket

import httpx
import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.metrics import CHARTED
from blueplane_doctor.service.live import HEIGHT, MOST_POINTS, MOST_WATCHERS, SAMPLES, WIDTH, Pages, Recent
from blueplane_doctor.service.snapshot import Freshness, Snapshot
from tests.service.support import Served, serving
from tests.service.test_snapshot import snapshot_of
from tests.waiting import wait_until

DEPTH = "queue.queue_depth"


def at(moment: float, depth: int | None) -> Snapshot:
    """A snapshot of that second, with that queue depth."""
    made = snapshot_of(metrics={"queue": None if depth is None else {"queue_depth": depth}})
    return Snapshot(1, made.report, Freshness(moment, moment + 2.8), made.custody)


def charted(*snapshots: Snapshot) -> tuple[list[str], float | None, float | None]:
    recent = Recent()
    for snapshot in snapshots:
        recent.add(snapshot)
    (chart,) = [chart for chart in recent.charts() if chart.metric == DEPTH]
    return chart.lines, chart.latest, chart.highest


def test_without_a_sample_there_is_nothing_to_draw() -> None:
    assert [chart.metric for chart in Recent().charts()] == [metric.path for metric in CHARTED]
    assert charted() == ([], None, None)


def test_a_line_goes_from_edge_to_edge_and_its_highest_point_to_the_top() -> None:
    lines, latest, highest = charted(at(0, 0), at(10, 8), at(20, 4))
    assert (latest, highest) == (4.0, 8.0)
    first, middle, *_ = lines[0].split()
    assert (first, middle) == (f"0.0,{HEIGHT}", f"{WIDTH / 2},0.0")
    assert lines[0].split()[-1] == f"{WIDTH},{HEIGHT / 2}"


def test_a_line_ends_where_nothing_was_known() -> None:
    lines, latest, _ = charted(at(0, 1), at(1, None), at(2, 3), at(3, None))
    assert len(lines) == 2
    assert latest is None


def test_a_second_sample_of_the_same_look_replaces_the_first() -> None:
    assert charted(at(0, 1), at(5, 2), at(5, 7))[1:] == (7.0, 7.0)


def test_what_is_kept_and_drawn_is_bounded() -> None:
    lines, _, _ = charted(*(at(second, second) for second in range(SAMPLES + 100)))
    assert len(lines[0].split()) <= 2 * MOST_POINTS


@pytest.mark.parametrize("whole", [True, False])
def test_a_snapshot_is_drawn_once_however_many_ask(whole: bool) -> None:
    async def ask_three_times() -> list[bytes]:
        recent = Recent()
        pages = Pages(recent)
        snapshot = at(0, None)
        recent.add(snapshot)
        return [await pages.get(snapshot, whole=whole) for _ in range(3)]

    first, *others = asyncio.run(ask_three_times())
    assert first.rstrip().endswith(b"</html>") == whole
    assert all(other is first for other in others)


@pytest.mark.slow
def test_the_changing_part_is_sent_once(served: Served) -> None:
    def answers() -> tuple[httpx.Response, httpx.Response]:
        first = served.get("/live")
        return first, served.get("/live", headers={"If-None-Match": first.headers["etag"]})

    for _ in range(20):  # a new snapshot may come in between
        first, again = answers()
        if again.status_code == 304:
            break
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


@pytest.mark.parametrize("path", ["/", "/live"])
def test_the_page_shows_the_report(served: Served, path: str) -> None:
    assert re.search("queue", served.get(path).text)


def test_an_event_tells_version_and_status(served: Served) -> None:
    with served.client.stream("GET", "/live/events") as events:
        lines = events.iter_lines()
        first = [next(lines) for _ in range(4)]
    assert first[0] == "retry: 1000"
    assert first[2] == "event: report"
    assert re.fullmatch(r'data: \{"version":\d+,"status":"green"\}', first[3])


@pytest.mark.slow
def test_more_live_pages_than_there_may_be_are_refused_however_fast_they_come(healthy: Pipeline) -> None:
    """All requests are sent before the first answer is read, so that they are worked on at the same time."""
    request = b"GET /live/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving(healthy) as service:
        host, port = service.url.removeprefix("http://").split(":")
        connections = [socket.create_connection((host, int(port)), 10) for _ in range(3 * MOST_WATCHERS)]
        for connection in connections:
            connection.sendall(request)
        codes = [connection.recv(12) for connection in connections]
        for connection in connections:
            connection.close()
        assert codes.count(b"HTTP/1.1 200") == MOST_WATCHERS
        assert codes.count(b"HTTP/1.1 429") == 2 * MOST_WATCHERS

        def answered() -> bool:
            with service.client.stream("GET", "/live/events") as events:
                return events.status_code == 200

        wait_until(answered, "the places of pages that were closed are not free")
