"""Claude's transcripts compared with the pipeline: 100 MB with 20,000 lines, the first time and with nothing new.

python -m benchmarks transcripts
"""

import json
import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.measure import figure
from blueplane_doctor.capture.transcripts import Comparison, compare_transcripts
from blueplane_doctor.demo.schema import connect
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.settings.values import Settings

LINES = 20_000
SESSIONS = 40
LINE_BYTES = 5_000
REPETITIONS = 5
_INSERT = (
    "INSERT INTO claude_raw_traces (event_id, external_id, uuid, event_type, platform, timestamp, event_data) "
    "VALUES (?, ?, ?, 'assistant', 'claude_code', ?, x'00')"
)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, run_server(tcp=True) as server:
        os.environ["HOME"] = folder
        home = Path(folder, ".blueplane")
        projects = Path(folder, ".claude", "projects")
        with Pipeline(server.url, home) as pipeline:
            _write_transcripts(pipeline, projects)
            settings = Settings(home=home, redis_url=server.url, claude_projects=projects)

            def compare() -> Comparison:
                with closing(Examination(settings)) as examination:
                    return compare_transcripts(examination)

            compare()  # what is imported and compiled at first belongs to no figure
            figure("100 MB, 20,000 lines: the first time", _least(compare, folder, anew=True), "ms", "at most 600")
            figure("the same, nothing new", _least(compare, folder, anew=False), "ms", "at most 30")
            figure("peak memory of the first time", _peak(compare, folder), "MB", "at most 20")


def _write_transcripts(pipeline: Pipeline, projects: Path) -> None:
    now = pipeline.clock().isoformat()
    with closing(connect(pipeline.database)) as connection:
        connection.execute("BEGIN")
        for number in range(SESSIONS):
            session = pipeline.messages.uuid()
            file = projects / f"-home-me-project{number % 4}" / f"{session}.jsonl"
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("w", encoding="utf-8") as opened:
                for _ in range(LINES // SESSIONS):
                    uuid = pipeline.messages.uuid()
                    opened.write(_line(session, uuid, now) + "\n")
                    connection.execute(_INSERT, (uuid, session, uuid, now))
        connection.execute("COMMIT")


def _line(session: str, uuid: str, now: str) -> str:
    content = [{"type": "text", "text": 'words of a "model"\n' * 230}]
    message = {"role": "assistant", "content": content}
    line = {"cwd": "/home/me/project", "sessionId": session, "type": "assistant", "message": message}
    text = json.dumps({**line, "uuid": uuid, "timestamp": now})
    return text.replace('"role"', f'"filler": "{"x" * (LINE_BYTES - len(text))}", "role"')


def _least(compare: Callable[[], Comparison], folder: str, *, anew: bool) -> float:
    """Processor time in milliseconds, the least of several: what is more is the neighbours'."""
    times = []
    for _ in range(REPETITIONS):
        if anew:
            _forget(folder)
        began = time.process_time()
        comparison = compare()
        times.append(time.process_time() - began)
        assert comparison.total("written") == LINES
    return 1000 * min(times)


def _peak(compare: Callable[[], Comparison], folder: str) -> float:
    _forget(folder)
    tracemalloc.start()
    compare()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def _forget(folder: str) -> None:
    for memory in Path(folder).rglob("transcripts-*.json"):
        memory.unlink()


if __name__ == "__main__":
    main()
