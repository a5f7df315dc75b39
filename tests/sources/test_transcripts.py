"""Reading transcripts: which files, which lines, from where on."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.sources import Deadline, transcripts
from blueplane_doctor.sources.transcript_files import Listing, TranscriptFile, transcript_files
from blueplane_doctor.sources.transcripts import (
    Progress,
    Reading,
    TranscriptLine,
    why_unfindable,
)

FOREVER = float("inf")
NOTHING_READ = Progress()


def listed(folder: Path) -> Listing:
    return transcript_files(folder, 0, Deadline(60))


def one_file(folder: Path, content: bytes, name: str = "s") -> TranscriptFile:
    (folder / "-home-me-site").mkdir(exist_ok=True)
    (folder / "-home-me-site" / f"{name}.jsonl").write_bytes(content)
    (file,) = (file for file in listed(folder).files if file.path.stem == name)
    return file


def read(
    file: TranscriptFile, begun: Progress = NOTHING_READ, until: float = FOREVER
) -> tuple[list[TranscriptLine], Reading]:
    reading = Reading(file, begun, {})
    return list(reading.lines(until)), reading


def test_only_what_may_leave_a_line_leaves_it(tmp_path: Path) -> None:
    line = {"uuid": "u1", "sessionId": "s", "type": "user", "timestamp": "2026-03-14T09:26:53.589Z", "text": "private"}
    lines, reading = read(one_file(tmp_path, json.dumps(line).encode() + b"\n"))
    assert lines == [TranscriptLine("u1", "s", 1_773_480_413_589, "user", 0, len(json.dumps(line)))]
    assert "private" not in repr(vars(reading))


def test_lines_without_a_uuid_and_unreadable_ones_are_counted(tmp_path: Path) -> None:
    content = (
        b'{"type": "summary"}\n[1]\nnot JSON\n\n{"uuid": {}}\n{"uuid": 7}\r\n{"uuid": "\xff"}\n'
        b'{"uuid": "x", "a": "\\ud800"}\n'
    )
    lines, reading = read(one_file(tmp_path, content))
    assert [line.uuid for line in lines] == ["7", "x"]
    assert (reading.progress.without_uuid, reading.progress.unreadable) == (2, 3)
    assert reading.progress.end == len(content)


def test_a_half_written_line_is_read_once_it_is_whole(tmp_path: Path) -> None:
    file = one_file(tmp_path, b'{"uuid": "1"}\n{"uuid": "2"')
    lines, reading = read(file)
    assert [line.uuid for line in lines] == ["1"] and reading.is_half_written
    file = one_file(tmp_path, b'{"uuid": "1"}\n{"uuid": "2"}\n')
    lines, reading = read(file, reading.progress)
    assert [(line.uuid, line.offset, line.length) for line in lines] == [("2", 14, 13)]
    assert not reading.is_half_written


def test_lines_longer_than_the_limit_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "LONGEST_LINE", 100)
    monkeypatch.setattr(transcripts, "_BLOCK", 16)
    long = json.dumps({"uuid": "long", "text": "x" * 500}).encode()
    content = b'{"uuid": "1"}\n' + long + b'\n{"uuid": "2"}\n' + long
    lines, reading = read(one_file(tmp_path, content))
    assert [(line.uuid, line.offset) for line in lines] == [("1", 0), ("2", 15 + len(long))]
    assert reading.progress.unreadable == 1
    assert reading.is_half_written, "its end may come yet"
    assert reading.progress.end == 29 + len(long)


@pytest.mark.parametrize("block", [1, 2, 7, 64, 1 << 20])
def test_the_size_of_blocks_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(transcripts, "_BLOCK", block)
    texts = [json.dumps({"uuid": str(number), "text": "é" * number}) for number in range(9)]
    content = "\n".join(texts).encode()
    lines, _ = read(one_file(tmp_path, content + b"\n"))
    assert [content[line.offset : line.offset + line.length] for line in lines] == content.split(b"\n")


def test_reading_ends_when_its_time_is_up_and_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcripts, "_BLOCK", 16)
    file = one_file(tmp_path, b'{"uuid": "1"}\n{"uuid": "2"}\n')
    lines, reading = read(file, until=time.thread_time() - 1)
    assert lines == [] and reading.is_partial
    late = Reading(file, NOTHING_READ, {}, Deadline(0))  # on a busy machine, long before the processor time
    assert list(late.lines(FOREVER)) == [] and late.is_partial
    lines, reading = read(file, reading.progress)
    assert [line.uuid for line in lines] == ["1", "2"] and not reading.is_partial


def test_agents_are_known_from_the_results_that_name_them(tmp_path: Path) -> None:
    content = (
        b'{"uuid":"1","timestamp":"2026-03-14T09:26:53.589Z","toolUseResult":{"agentId":"a1"}}\n'
        b'{"uuid":"2","agentId":"a2"}\n{"uuid":"3","toolUseResult":["agentId"]}\n'
    )
    _, reading = read(one_file(tmp_path, content))
    assert reading.agents == {"a1": 1_773_480_413_589}


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    file = one_file(tmp_path, b"{}\n")
    file.path.unlink()
    with pytest.raises(FileUnreadable):
        read(file)


def test_a_file_that_vanishes_while_it_is_read_gives_what_was_read(tmp_path: Path) -> None:
    file = one_file(tmp_path, b'{"uuid": "1"}\n{"uuid": "2"}\n')
    lines = Reading(file, Progress(), {}).lines(FOREVER)
    first = next(lines)
    file.path.unlink()
    assert [first.uuid, *[line.uuid for line in lines]] == ["1", "2"]


@pytest.mark.parametrize(
    ("folder", "workspace", "expected"),
    [
        ("-home-me-site", "/home/me/site", ""),
        ("-home-me-site-v2", "/home/me/site.v2", "a dot"),
        ("-home-me-my-app", "/home/me/my_app", "an underscore"),
        ("-home-me-my-app", "/home/me/my app", "a space"),
        ("-home-me-caf-", "/home/me/café", "a sign that is neither letter nor digit"),
        ("-home-me-site", "/home/me/site/src", None),
        ("-home-me-site", "", None),
    ],
)
def test_why_the_server_does_not_find_a_folder(folder: str, workspace: str, expected: str | None) -> None:
    assert why_unfindable(folder, workspace) == expected


_LINES = st.sampled_from(
    [
        b'{"uuid": "a"}',
        b'{"uuid": "b", "text": "\\n"}',
        b'{"type": "summary"}',
        b"not JSON",
        b"",
        b" ",
        b"[]",
        b"x" * 40,
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(_LINES, max_size=12), cuts=st.lists(st.integers(0, 300), max_size=5), has_end=st.booleans())
def test_what_is_read_in_pieces_is_what_is_read_at_once(
    tmp_path: Path, lines: list[bytes], cuts: list[int], has_end: bool
) -> None:
    content = b"\n".join(lines) + (b"\n" if has_end else b"")
    progress = NOTHING_READ
    found: list[TranscriptLine] = []
    for cut in [*sorted(cuts), len(content)]:
        more, reading = read(one_file(tmp_path, content[:cut]), progress)
        found += more
        progress = reading.progress
    at_once, reading = read(one_file(tmp_path, content))
    assert found == at_once
    assert progress._replace(modified_ns=0) == reading.progress._replace(modified_ns=0), (
        "it was written anew in between"
    )


def test_a_file_that_was_written_anew_is_recognised(tmp_path: Path) -> None:
    _, reading = read(one_file(tmp_path, b'{"uuid": "1"}\n'))
    lines, again = read(one_file(tmp_path, b'{"uuid": "another", "text": ""}\n'), reading.progress)
    assert lines == [] and again.is_rewritten


@pytest.mark.parametrize(
    ("line", "stops"),
    [
        (b"not JSON", False),
        (b"[1]", False),
        (b"", False),
        (b'{"a": "\xff"}', True),
        (b'{"a": ' + b"9" * 5_000 + b"}", True),
        (b"[" * 20_000 + b"]" * 20_000, True),
    ],
)
def test_which_line_stops_the_server(tmp_path: Path, line: bytes, stops: bool) -> None:
    _, reading = read(one_file(tmp_path, b'{"uuid": "u"}\n' + line + b"\n"))
    assert reading.progress.stops_the_server is stops
