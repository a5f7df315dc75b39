"""Events that never reached the stream are found: in the spool, among kept inputs, in the buffer."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.trace import Tracer
from blueplane_doctor.sources.spooled_events import spooled_id
from blueplane_doctor.text.times import iso, parse_time
from blueplane_hook.events import envelope
from tests.capture.transcripts import new_uuid, settings_of


def test_an_event_that_is_kept_before_the_stream_is_found(pipeline: Pipeline, tmp_path: Path) -> None:
    home = pipeline.home
    generation, apart, buffered, row, nowhere = (new_uuid() for _ in range(5))
    given = {"conversation_id": "c", "generation_id": generation, "prompt": PRIVATE_TEXT}
    body = envelope("stop", json.dumps(given).encode(), str(home))
    assert body is not None
    hook_id = json.loads(body)["event"]["metadata"]["hook_event_id"]
    (home / "hook-spool.jsonl").write_bytes(b"no JSON " + nowhere.encode() + b"\n" + body + b"\n")
    (home / "hook-spool-1-a.kept").write_bytes(b"\xef\xbb\xbf{" + apart.encode())
    event = {"event_id": buffered, "platform": "cursor", "event_type": "bubble", "payload": {"text": PRIVATE_TEXT}}
    with closing(sqlite3.connect(home / "event_buffer.db")) as connection:
        connection.execute("CREATE TABLE buffered_events (id INTEGER PRIMARY KEY, timestamp, event_data, retry_count)")
        insert = "INSERT INTO buffered_events (event_data) VALUES (?)"
        connection.execute(insert, (json.dumps({**event, "event_id": new_uuid(), "note": buffered}),))
        connection.execute(insert, (json.dumps(event),))
        connection.commit()
    (written,) = pipeline.enqueue_cursor(1)
    pipeline.drain()
    wanted = [generation, hook_id, spooled_id(body), apart, buffered, nowhere, row, written]
    with closing(Examination(settings_of(pipeline, tmp_path))) as examination:
        traces = Tracer(examination).trace(wanted)
    states = [trace.state for trace in traces]
    assert states == [*["spooled"] * 3, "not_understood", "buffered", "not_found", "not_found", "written"]
    assert traces[0].hops[0].text == "stop of cursor waits in the hook's spool"
    assert traces[0].hops[0].at == iso(parse_time(json.loads(body)["event"]["timestamp"]))
    assert traces[4].hops[0].text.endswith("waits in event_buffer.db")
    for trace in traces:
        assert PRIVATE_TEXT not in trace.model_dump_json()
