"""Which transcripts there are."""

import os
from pathlib import Path

import pytest

from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources import transcript_files as files_module
from blueplane_doctor.sources.transcript_files import DEFAULT_KEPT_DAYS, kept_days, project_folders, transcript_files
from tests.sources.test_transcripts import listed, one_file


def test_files_are_found_with_their_project_session_and_agent(tmp_path: Path) -> None:
    one_file(tmp_path, b"", "s")
    one_file(tmp_path, b"", "agent-a1")
    (tmp_path / "-home-me-alpha" / "s2" / "subagents").mkdir(parents=True)
    (tmp_path / "-home-me-alpha" / "s2" / "subagents" / "agent-a2.jsonl").touch()
    (tmp_path / "-home-me-alpha" / "notes.txt").touch()
    (tmp_path / "-home-me-alpha" / "folder.jsonl").mkdir()
    os.mkfifo(tmp_path / "-home-me-alpha" / "pipe.jsonl")
    (tmp_path / "-home-me-loop").symlink_to("-home-me-loop")
    (tmp_path / "-home-me-zlink").symlink_to("-home-me-site")
    files = listed(tmp_path).files
    assert [(file.project, file.session, file.agent, file.is_nested) for file in files] == [
        (1, "", "a2", True),
        (2, "", "a1", False),
        (2, "s", "", False),
    ]
    assert {file.project_folder for file in files} == {"-home-me-alpha", "-home-me-site"}
    assert [folder.name for folder in project_folders(tmp_path)] == [
        "-home-me-alpha",
        "-home-me-site",
        "-home-me-zlink",
    ]
    assert project_folders(tmp_path / "nothing") == []


def test_of_very_many_files_the_newest_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        file = one_file(tmp_path, b"", f"s{number}")
        os.utime(file.path, (1000 + number, 1000 + number))
    assert not listed(tmp_path).is_partial
    monkeypatch.setattr(files_module, "MOST_FILES", 2)
    assert [file.session for file in listed(tmp_path).files] == ["s2", "s3"]
    assert listed(tmp_path).is_partial


def test_listing_ends_when_the_time_is_up_and_begins_with_the_newest_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("-home-me-a", "-home-me-b", "-home-me-c"):
        (tmp_path / name).mkdir()
        for number in range(4):
            (tmp_path / name / f"s{number}.jsonl").touch()
        os.utime(tmp_path / name, (1000, 1000))
    os.utime(tmp_path / "-home-me-b", (2000, 2000))
    assert len(listed(tmp_path).files) == 12
    monkeypatch.setattr(files_module, "_ENTRIES_BETWEEN_LOOKS", 4)
    monkeypatch.setattr(files_module, "LIST_SECONDS", 0)
    listing = transcript_files(tmp_path, 0, Deadline(60))
    assert listing.is_partial
    assert listing.files == []
    looks = iter([False, True, True])
    monkeypatch.setattr(files_module._Lister, "is_time_up", lambda lister: next(looks))
    files = transcript_files(tmp_path, 0, Deadline(60)).files
    assert {file.project for file in files} == {2}
    assert len(files) == 3


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ('{"cleanupPeriodDays": 90}', 90),
        ('{"cleanupPeriodDays": "90"}', DEFAULT_KEPT_DAYS),
        ('{"cleanupPeriodDays": 0}', DEFAULT_KEPT_DAYS),
        ("[]", DEFAULT_KEPT_DAYS),
        ("broken", DEFAULT_KEPT_DAYS),
        (None, DEFAULT_KEPT_DAYS),
    ],
)
def test_how_long_transcripts_are_kept(tmp_path: Path, text: str | None, days: int) -> None:
    if text is not None:
        (tmp_path / "settings.json").write_text(text)
    assert kept_days(tmp_path / "projects") == days
