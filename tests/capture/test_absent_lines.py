"""The time of a line without a row: its own, else that of its file."""

from pathlib import Path

from blueplane_doctor.capture.absent_lines import OpenLine
from blueplane_doctor.capture.line_traces import LineKey
from blueplane_doctor.capture.transcript_memory import FileMemory
from blueplane_doctor.sources.transcripts import TranscriptLine
from tests.sources.test_transcripts import one_file


def test_a_line_without_a_time_is_as_old_as_its_file(tmp_path: Path) -> None:
    file = one_file(tmp_path, b"")._replace(modified_ns=7_000_000)
    line = TranscriptLine("u", "s", None, "user", 0, 10)
    assert OpenLine(file, FileMemory(), line, LineKey("s", "u")).event_ms == 7
    assert OpenLine(file, FileMemory(), line._replace(event_ms=5), LineKey("s", "u")).event_ms == 5
