"""The server's pid file, process, HTTP answer and event buffer, in all the forms they come in."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from blueplane_doctor.demo import schema
from blueplane_doctor.demo.faults import DEAD_PID
from blueplane_doctor.demo.servers import stand_in_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.server_health import ServerHealth
from blueplane_doctor.sources.server_process import process_state
from tests.helpers import buffer_events
from tests.monitoring.support import collected


def test_a_process_is_known_by_its_command() -> None:
    with stand_in_server() as server:
        assert process_state(server.pid) == "running"
    assert process_state(server.pid) == "not running"
    assert process_state(os.getpid()) == "another program"
    assert process_state(DEAD_PID) == "not running"
    assert process_state(None) == "no pid file"


def test_a_zombie_does_not_run(tmp_path: Path) -> None:
    script = tmp_path / "start_server.py"
    script.write_text("")
    child = subprocess.Popen([sys.executable, "-I", "-S", str(script)])
    try:
        for _ in range(1_000):
            if psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE:
                break
            threading.Event().wait(0.01)
        assert process_state(child.pid) == "not running"
    finally:
        child.wait()


@contextmanager
def http(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server that answers every GET in this way; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def body(content: bytes, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return answer


@pytest.mark.parametrize(
    ("content", "status", "ok", "said"),
    [
        (b'{"status": "ok"}', 200, True, "ok on port"),
        (b'{"status": "starting"}', 200, False, "not ok on port"),
        (b'"ok"', 200, False, "not ok on port"),
        (b"{}", 200, False, "not ok on port"),
        (b"<html>hello</html>", 200, False, "something else answers on port"),
        (b"\xff\xfe\x00\x1b[31m", 200, False, "something else answers on port"),
        (b"[" * 9_000, 200, False, "something else answers on port"),
        (b"", 200, False, "something else answers on port"),
        (b'{"status": "ok"}', 500, False, "HTTP 500 on port"),
        (b"", 404, False, "HTTP 404 on port"),
        (b" " * 2_000_000, 200, False, "something else answers on port"),
    ],
)
def test_the_http_answer_in_words(pipeline: Pipeline, content: bytes, status: int, ok: bool, said: str) -> None:
    with http(body(content, status)) as url:
        record = collected(ServerHealth, pipeline, http_url=url)
    assert record.http_ok is ok
    assert record.http_answer == f"{said} {url.rpartition(':')[2]}"


@pytest.mark.slow
def test_an_answer_that_never_comes_costs_a_second(pipeline: Pipeline) -> None:
    ended = threading.Event()
    with http(lambda request: ended.wait(5) and None) as url:
        try:
            record = collected(ServerHealth, pipeline, http_url=url)
        finally:
            ended.set()
    assert not record.http_ok and record.http_answer.startswith("no answer in 1 s")


def test_an_answer_that_breaks_off_is_none(pipeline: Pipeline) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b'{"status"')

    with http(answer) as url:
        assert not collected(ServerHealth, pipeline, http_url=url).http_ok


def test_garbage_instead_of_http(pipeline: Pipeline) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"\x00\xff no http at all\r\n\r\n")

    with http(answer) as url:
        record = collected(ServerHealth, pipeline, http_url=url)
    assert not record.http_ok
    assert record.http_answer.isprintable()


def test_nobody_listens(pipeline: Pipeline) -> None:
    record = collected(ServerHealth, pipeline, http_url="http://127.0.0.1:1")
    assert (record.http_ok, record.http_answer) == (False, "nobody listens on port 1")


def test_a_proxy_of_the_environment_is_not_asked(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with http(body(b'{"status": "ok"}')) as url:
        assert collected(ServerHealth, pipeline, http_url=url).http_ok


def test_no_buffer_holds_no_events(pipeline: Pipeline) -> None:
    record = collected(ServerHealth, pipeline)
    assert (record.buffered_events, record.buffer_cause) == (0, "")


def test_events_in_the_buffer_are_counted(pipeline: Pipeline) -> None:
    buffer_events(pipeline, 0)
    assert collected(ServerHealth, pipeline).buffered_events == 0
    buffer_events(pipeline, 37)
    assert collected(ServerHealth, pipeline).buffered_events == 37
    assert sorted(p.name for p in pipeline.home.glob("event_buffer*")) == ["event_buffer.db"]


def test_events_that_were_written_later_are_not_counted(pipeline: Pipeline) -> None:
    buffer_events(pipeline, 2)
    with closing(schema.connect(pipeline.home / "event_buffer.db")) as connection:
        insert = "INSERT INTO buffered_events (timestamp, event_data) VALUES ('', ?)"
        texts = [('{"event_id": "written"}',), ('{"event_id": "not"}',), ('{"event_id": 7}',), ("no json",)]
        connection.execute("BEGIN")
        connection.executemany(insert, texts)
        connection.execute("COMMIT")
    pipeline.enqueue_cursor(1, event_ids=["written"])
    assert collected(ServerHealth, pipeline).buffered_events == 6
    pipeline.drain()
    assert collected(ServerHealth, pipeline).buffered_events == 5
    pipeline.database.unlink()
    assert collected(ServerHealth, pipeline).buffered_events == 6


@pytest.mark.parametrize("content", [b"junk that is no database", b""])
def test_a_buffer_that_cannot_be_read_is_unknown_with_its_cause(pipeline: Pipeline, content: bytes) -> None:
    (pipeline.home / "event_buffer.db").write_bytes(content)
    record = collected(ServerHealth, pipeline)
    assert record.buffered_events is None
    assert "the event buffer event_buffer.db" in record.buffer_cause


def test_a_buffer_without_its_table_is_unknown(pipeline: Pipeline) -> None:
    with closing(schema.connect(pipeline.home / "event_buffer.db")) as connection:
        connection.execute("CREATE TABLE other (x)")
    assert "no such table" in collected(ServerHealth, pipeline).buffer_cause


def test_a_buffer_elsewhere_is_read_there(pipeline: Pipeline, tmp_path: Path) -> None:
    buffer_events(pipeline, 5)
    elsewhere = (pipeline.home / "event_buffer.db").rename(tmp_path / "other.db")
    assert collected(ServerHealth, pipeline, event_buffer=elsewhere).buffered_events == 5


def test_the_record_holds_no_text_of_the_log(pipeline: Pipeline) -> None:
    pipeline.log("INFO", "started", at=pipeline.ago(minutes=6))
    pipeline.log("ERROR", "geheim", at=pipeline.ago(minutes=1))
    record = collected(ServerHealth, pipeline)
    assert record.errors_per_minute == 0.2
    assert "geheim" not in json.dumps(record.model_dump())
