"""The journal of what was done: whole entries alone, and only where nobody else decides what stands in it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.installing import files
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import JOURNAL_FILE, Entry, Journal

FILE: dict[str, Any] = {"step": "s", "kind": "file", "target": "/a", "before": None}
STRANGER = 65_534


def test_an_entry_replaces_one_for_the_same_target(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record(Entry(**FILE, after="1"))
    journal.record(Entry(**FILE | {"target": "/b"}, after="1"))
    journal.record(Entry(**FILE, after="2"))
    again = Journal(tmp_path)
    assert [(entry.target, entry.after) for entry in again.entries] == [("/a", "2"), ("/b", "1")]
    assert again.find("file", "/a") == Entry(**FILE, after="2")
    assert again.find("folder", "/a") is None


def test_a_journal_goes_with_its_last_entry_and_the_home_that_it_made(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    journal = Journal(home)
    entry = Entry(**FILE, after="1")
    journal.record(entry)
    assert files.mode_of(home / JOURNAL_FILE) == 0o600
    journal.forget(entry)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", '{"version": 99, "entries": []}', '{"version": 1}', "no json"])
def test_a_journal_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / JOURNAL_FILE).write_text(content)
    with pytest.raises(StepError, match="not a journal"):
        Journal(tmp_path)


def test_the_journal_is_readable_json(tmp_path: Path) -> None:
    Journal(tmp_path).record(Entry(**FILE, after="1"))
    assert json.loads((tmp_path / JOURNAL_FILE).read_text())["entries"][-1]["target"] == "/a"


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        pytest.param({}, "step: it is missing", id="empty"),
        pytest.param(5, "must be a map", id="a-number"),
        pytest.param({"step": "hooks", "kind": "folder"}, "target: it is missing", id="no-target"),
        pytest.param(
            {"step": "hooks", "kind": "file", "target": "/a"}, "a file needs before and after", id="no-digests"
        ),
        pytest.param({"step": "database", "kind": "database", "target": "/a"}, "needs inode", id="no-inode"),
        pytest.param({"step": "redis", "kind": "group", "target": "q g"}, "a group needs redis", id="no-redis"),
        pytest.param({"step": "hooks", "kind": "folder", "target": ["/a"]}, "target: ", id="target-of-another-type"),
        pytest.param({"step": "hooks", "kind": "folder", "target": "a"}, "must be a whole path", id="relative"),
        pytest.param({"step": "hooks", "kind": "folder", "target": "/a\0"}, "must be a whole path", id="nul"),
        pytest.param(FILE | {"after": 5}, "after: ", id="digest-of-another-type"),
        pytest.param(FILE | {"after": "x", "more": 1}, "more: ", id="unknown-field"),
        pytest.param(FILE | {"after": "x", "inode": 10**400}, "larger than 2^64", id="400-digits"),
    ],
)
def test_an_entry_that_is_not_whole_is_refused(tmp_path: Path, entry: Any, problem: str) -> None:
    (tmp_path / JOURNAL_FILE).write_text(json.dumps({"version": 1, "entries": [entry]}))
    with pytest.raises(StepError, match="not a journal") as caught:
        Journal(tmp_path)
    assert problem in caught.value.message


@pytest.mark.parametrize("loose", ["home", "journal"])
def test_a_journal_that_others_may_write_to_is_not_followed(tmp_path: Path, loose: str) -> None:
    home = tmp_path / "home"
    Journal(home).record(Entry(**FILE, after="1"))
    place = home if loose == "home" else home / JOURNAL_FILE
    place.chmod(0o777)
    with pytest.raises(StepError, match="is not followed") as caught:
        Journal(home)
    assert f"chmod go-w {place}" in caught.value.hint
    place.chmod(0o700)
    assert Journal(home).entries


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
@pytest.mark.parametrize("foreign", ["home", "journal"])
def test_root_follows_no_journal_of_another_user(tmp_path: Path, foreign: str) -> None:
    home = tmp_path / "home"
    Journal(home).record(Entry(**FILE, after="1"))
    os.chown(home if foreign == "home" else home / JOURNAL_FILE, STRANGER, STRANGER)
    with pytest.raises(StepError, match="is not followed") as caught:
        Journal(home)
    assert "run this as that user" in caught.value.hint


def test_two_redis_have_an_entry_each(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for place in ("redis://a:6379/0", "redis://b:6379/0"):
        journal.record(Entry(step="redis", kind="group", target="q g", redis="***:6379", place=place, token="t"))
    assert len(Journal(tmp_path).entries) == 2
    assert journal.find("group", "q g", "redis://b:6379/0")
    assert journal.find("group", "q g") is None
