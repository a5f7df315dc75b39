"""The private files of repairs: plans, saved messages, journals, results; in `repair` of Blueplane's home.

The folder and everything in it belongs to its user alone (0700, 0600). A repair's files are kept for thirty days.
"""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from blueplane_doctor.errors import DocumentError, FileMissing, FileUnreadable, RepairRefused, UsageError
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.files.ownership import stranger_in, stranger_of
from blueplane_doctor.files.reading import DOCUMENT_BYTES, read_bytes
from blueplane_doctor.repair.journal import REFUSED, UNDONE, Journal, JournalEntry, entries_in
from blueplane_doctor.repair.plan import Plan
from blueplane_doctor.repair.private_files import open_regular, write_private
from blueplane_doctor.repair.saved_messages import SavedMessages
from blueplane_doctor.sources.entry_ids import entry_id

FOLDER = "repair"
PLAN_FILE = "plan.json"
MESSAGES_FILE = "messages.jsonl"
JOURNAL_FILE = "journal.jsonl"
RESULT_FILE = "result.json"
TAKEN_FILE = "taken-spool.jsonl"
"""Events that a repair took out of the hook's spool, and that it has not seen written."""
LOCK_FILE = "lock"
PLAN_BYTES = 64_000_000
"""Of a plan: some hundred bytes an item, and each holds keys, which may be of any length."""
KEPT_SECONDS = 30 * 86_400
"""As long as saved messages are kept: longer than the retention of dead letters, which is a week."""
_ID = re.compile(r"[0-9a-f]{4}\Z")
_ID_BYTES = 2
_TRIES_FOR_AN_ID = 100


class Store:
    """The folder of all repairs of one home."""

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER

    def prepare(self) -> None:
        """Make the folder where it is missing. Raises RepairRefused where others could read or write in it."""
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            # Through a link, which may be somebody else's, the mode of another folder would be changed.
            if not self.folder.is_symlink():
                os.chmod(self.folder, 0o700)
        except OSError as error:
            raise RepairRefused(
                f"{self.folder} cannot be made: {error.strerror or error}; nothing is changed",
                "repair needs a home that it may write to, for what it saves",
            ) from error
        stranger = stranger_of(self.folder)
        if stranger:
            raise RepairRefused(f"{self.folder} is not used: others decide what stands there", stranger.told())

    def new_id(self) -> str:
        """An ID that no repair of this home has."""
        for _ in range(_TRIES_FOR_AN_ID):
            identity = secrets.token_hex(_ID_BYTES)
            if not (self.folder / identity).exists():
                return identity
        raise RepairRefused(f"{self.folder} is full of plans", "remove those that are not needed any more")

    def ids(self) -> list[str]:
        """The IDs of the plans that are there, the oldest first."""
        if not self.folder.is_dir():
            return []
        found = []
        for entry in self.folder.iterdir():
            if _ID.match(entry.name) and entry.is_dir() and not entry.is_symlink():
                found.append(entry.name)
        return sorted(found, key=lambda name: (self.folder / name).stat().st_mtime)

    def has(self, identity: str) -> bool:
        """Whether there is a plan of this ID."""
        return bool(_ID.match(identity)) and (self.folder / identity / PLAN_FILE).is_file()

    def files(self, identity: str) -> "RepairFiles":
        """The files of one repair. Raises UsageError for a plan that is not there, RepairRefused for others' files."""
        if not self.has(identity):
            raise UsageError(f"there is no plan {identity[:40]}", "see: blueplane-doctor repair --list")
        folder = self.folder / identity
        stranger = stranger_in(folder)
        if stranger:
            raise RepairRefused(f"{folder} is not used: others decide what stands there", stranger.told())
        return RepairFiles(folder)

    def keep(self, plan: Plan) -> "RepairFiles":
        """Write a new plan down. Raises RepairRefused for one that is too large to be read again."""
        content = plan.model_dump_json(indent=1).encode()
        if len(content) > PLAN_BYTES:
            raise RepairRefused(
                f"the plan would have more than {PLAN_BYTES:,} bytes", "narrow it: blueplane-doctor repair WORDS"
            )
        self.prepare()
        self.remove_old()
        files = RepairFiles(self.folder / plan.id)
        files.folder.mkdir(mode=0o700)
        write_private(files.folder / PLAN_FILE, content)
        return files

    def remove_old(self) -> None:
        """Remove the files of repairs that were last touched longer ago than they are kept.

        Those with events that nobody has delivered stay: nothing else holds these.
        """
        for identity in self.ids():
            folder = self.folder / identity
            if (folder / TAKEN_FILE).exists():
                continue
            newest = max(entry.lstat().st_mtime for entry in (folder, *folder.iterdir()))
            if time.time() - newest > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


class RepairFiles:
    """The files of one repair."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plan(self) -> Plan:
        """The plan. Raises UsageError when it cannot be read."""
        path = self.folder / PLAN_FILE
        try:
            plan = Plan.model_validate(json_value(read_bytes(path, PLAN_BYTES)))
            entry_id(plan.read_to.encode())
        except (FileUnreadable, DocumentError, ValueError) as error:  # ValueError: InvalidRecord among them
            raise UsageError(f"{path} is no plan that can be read", "make another plan") from error
        # A plan that was copied here would go by the journal and the messages of another one.
        if plan.id != self.folder.name:
            raise UsageError(f"{path} is the plan of another repair", "make another plan")
        return plan

    @property
    def messages(self) -> Path:
        """The saved messages."""
        return self.folder / MESSAGES_FILE

    def saved(self) -> SavedMessages | None:
        """The saved messages; None before anything was saved."""
        if not self.messages.is_file():
            return None
        return SavedMessages(self.messages)

    def journal(self) -> list[JournalEntry]:
        """What was done so far."""
        try:
            return entries_in(read_bytes(self.folder / JOURNAL_FILE, DOCUMENT_BYTES))
        except FileMissing:
            return []

    def done(self) -> dict[int, JournalEntry]:
        """What was done with each item last, by its place in the plan; without what was refused or undone."""
        last: dict[int, JournalEntry] = {}
        for entry in self.journal():
            last[entry.number] = entry
        applied = {}
        for number, entry in last.items():
            if entry.done not in (REFUSED, UNDONE):
                applied[number] = entry
        return applied

    @contextmanager
    def journaling(self) -> Iterator[Journal]:
        """The journal, to be added to."""
        handle = open_regular(self.folder / JOURNAL_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        journal = Journal(handle)
        try:
            yield journal
        finally:
            with suppress(OSError):
                os.fsync(handle)
            os.close(handle)

    @property
    def is_begun(self) -> bool:
        """Whether a run has done something: it may have ended before its end."""
        return bool(self.journal()) or (self.folder / TAKEN_FILE).exists()

    def write_result(self, result: dict[str, Any]) -> None:
        """Write down how the repair ended."""
        write_private(self.folder / RESULT_FILE, json.dumps(result, indent=1).encode())

    def result(self) -> dict[str, Any] | None:
        """How it ended; None while it has not."""
        try:
            value = json_value(read_bytes(self.folder / RESULT_FILE, DOCUMENT_BYTES))
        except (FileUnreadable, DocumentError):
            return None
        if not isinstance(value, dict) or not isinstance(value.get("done"), dict):
            return None
        counts = [*value["done"].values(), value.get("rows_not_seen", 0), value.get("taken_back", 0)]
        if not all(isinstance(count, int) for count in counts):
            return None
        return value


@contextmanager
def explained_refusals(store: Store) -> Iterator[None]:
    """Turn the system's refusal of a file into RepairRefused: a full disk, or a folder in the place of a file."""
    try:
        yield
    except BrokenPipeError:
        raise  # of stdout, not of a file
    except OSError as error:
        raise RepairRefused(
            f"{error.filename or store.folder}: {error.strerror or error}; the repair stops here",
            "see what is there, and whether the disk is full; then run it again: it goes on where it stopped",
        ) from error
