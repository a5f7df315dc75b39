"""The private files of repairs: plans, saved messages, journals, results; in `repair` of Blueplane's home.

The folder and everything in it belongs to its user alone (0700, 0600). A repair's files are kept for thirty days.
"""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from blueplane_doctor.documents import json_value
from blueplane_doctor.errors import DocumentError, FileMissing, FileUnreadable, RepairRefused, UsageError
from blueplane_doctor.file_reading import DOCUMENT_BYTES, opened_file, read_bytes
from blueplane_doctor.installing.files import sync_folder
from blueplane_doctor.ownership import stranger_in, stranger_of
from blueplane_doctor.repair.plan import Fields, Item, Plan
from blueplane_doctor.sources.entry_ids import entry_id
from blueplane_hook.files import opened

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
LONGEST_LINE = 400_000_000
"""Bytes of one saved message: a reply of Redis has 64 MB at most, and JSON writes a byte with six characters."""
PRIVATE = 0o600
"""Mode of the files: they hold the content of messages."""
KEPT_SECONDS = 30 * 86_400
"""As long as saved messages are kept: longer than the retention of dead letters, which is a week."""
REFUSED = "refused"
UNDONE = "undone"
"""What a journal says of an item with which something is still to be done, if the plan is applied again."""
_ID = re.compile(r"[0-9a-f]{4}\Z")
_ID_BYTES = 2
_TRIES_FOR_AN_ID = 100


class JournalEntry(NamedTuple):
    """What was done with one item of a plan."""

    number: int
    """The item's place in the plan, from 0."""
    done: str
    """`delivered`, `set aside`, `acknowledged`, `refused`, `undone`, …"""
    copy_id: str = ""
    """The ID of its copy."""
    reason: str = ""


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
        except (FileUnreadable, DocumentError, ValueError) as error:  # ValueError: ValidationError among them
            raise UsageError(f"{path} is no plan that can be read", "make another plan") from error
        # A plan that was copied here would go by the journal and the messages of another one.
        if plan.id != self.folder.name:
            raise UsageError(f"{path} is the plan of another repair", "make another plan")
        return plan

    @property
    def messages(self) -> Path:
        """The saved messages."""
        return self.folder / MESSAGES_FILE

    def save(self, messages: Iterable[tuple[int, Item, Fields]]) -> int:
        """Write messages down whole, with the place of each item in the plan, and sync them; how many.

        The file is complete or not there: another run that finds it need not read anything again.
        """
        count = 0
        with replaced(self.messages) as file:
            for number, item, fields in messages:
                file.write(_line({"item": number, "source": item.source, "id": item.id, "fields": _texts(fields)}))
                count += 1
        return count

    def saved(self) -> "SavedMessages | None":
        """The saved messages; None before anything was saved."""
        if not self.messages.is_file():
            return None
        return SavedMessages(self.messages)

    def journal(self) -> list[JournalEntry]:
        """What was done so far. A line that was cut off by a power cut is passed over: its item is looked up anew."""
        try:
            content = read_bytes(self.folder / JOURNAL_FILE, DOCUMENT_BYTES)
        except FileMissing:
            return []
        entries = []
        for line in content.splitlines():
            if not line.startswith(b"["):
                continue  # a file of others may have millions of lines, and each error takes its time
            entry = _journal_entry(line)
            if entry is not None:
                entries.append(entry)
        return entries

    def done(self) -> dict[int, JournalEntry]:
        """What was done with each item last, by its place in the plan; without what was refused or undone."""
        last: dict[int, JournalEntry] = {}
        for entry in self.journal():
            last[entry.number] = entry
        return {number: entry for number, entry in last.items() if entry.done not in (REFUSED, UNDONE)}

    @contextmanager
    def journaling(self) -> Iterator["Journal"]:
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
        counts = [*value["done"].values(), value.get("rows_not_seen", 0)]
        if not all(isinstance(count, int) for count in counts):
            return None
        return value


class Journal:
    """The journal of one repair, open for adding.

    A line that was written survives the end of this process. It is synced once at the end and not line by line: what a
    power cut takes away is found again by the marks of the copies in the stream.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def add(self, *entries: JournalEntry) -> None:
        """Write down what was done with these items."""
        os.write(self._handle, b"".join(_line(list(entry)) for entry in entries))


class SavedMessages:
    """Messages that were saved; only their places in the file are held in memory."""

    def __init__(self, path: Path) -> None:
        """Raises RepairRefused for a file that was damaged."""
        self._path = path
        self._places: dict[int, int] = {}
        """Where in the file the message of each item begins."""
        with _lines_of(path) as file, _refused_where_damaged():
            place = 0
            while line := _next_line(file):
                self._places[json.loads(line)["item"]] = place
                place += len(line)

    def __len__(self) -> int:
        return len(self._places)

    def fields(self, number: int) -> Fields | None:
        """The fields of an item's message; None where it was not there to be saved. Raises RepairRefused."""
        return self.fields_of([number]).get(number)

    def fields_of(self, numbers: Iterable[int]) -> dict[int, Fields]:
        """The fields of the messages of these items, without those that were not there. Raises RepairRefused."""
        found = {}
        # Opened once for all of them: to make sure of a file takes longer than to read a message.
        with _lines_of(self._path) as file, _refused_where_damaged():
            for number in numbers:
                place = self._places.get(number)
                if place is not None:
                    file.seek(place)
                    found[number] = _bytes(json.loads(_next_line(file))["fields"])
        return found


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
            "see what is there, and whether the disk is full; run again it goes on where it stopped",
        ) from error


@contextmanager
def _lines_of(path: Path) -> Iterator[BufferedReader]:
    """A file of lines, open for reading. Raises FileUnreadable."""
    with opened_file(path) as (handle, _), open(handle, "rb", closefd=False) as file:
        yield file


def _next_line(file: BufferedReader) -> bytes:
    """A line that may hold an object; empty at the end. Raises ValueError for any other, before it is read."""
    if file.peek(1)[:1] not in (b"{", b""):
        raise ValueError
    return file.readline(LONGEST_LINE)


@contextmanager
def _refused_where_damaged() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RepairRefused("the file of saved messages is damaged", "make another plan") from error


def _journal_entry(line: bytes) -> JournalEntry | None:
    """None for a line that was cut off, or that holds something else."""
    try:
        entry = JournalEntry(*json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (entry.done, entry.copy_id, entry.reason)
    if isinstance(entry.number, int) and all(isinstance(text, str) for text in texts):
        return entry
    return None


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file that its owner alone can read, to be written; it takes this place whole and synced when the block ends.

    A link in its place is replaced, not followed: it may lead to anything. Raises RepairRefused and OSError.
    """
    draft = path.with_suffix(".draft")
    handle = open_regular(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    with open(handle, "wb") as file:
        os.fchmod(handle, PRIVATE)
        yield file
        file.flush()
        os.fsync(handle)
    os.replace(draft, path)
    sync_folder(path.parent)


def write_private(path: Path, content: bytes) -> None:
    """Put these bytes in the file's place, as `replaced` does. Raises RepairRefused and OSError."""
    with replaced(path) as file:
        file.write(content)


def open_regular(path: Path, flags: int) -> int:
    """A descriptor of a file of repairs, made where there is none. Raises RepairRefused where it cannot be opened.

    To open a pipe in its place would wait for a reader for ever.
    """
    try:
        return opened(str(path), flags, PRIVATE)
    except OSError as error:
        raise RepairRefused(f"{path} cannot be used: {error.strerror or error}", "see what stands there") from error


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _texts(fields: Fields) -> list[Sequence[str]]:
    # JSON holds no bytes: what is not UTF-8 becomes lone surrogates, which lead back to the same bytes.
    texts = []
    for name, value in fields:
        texts.append([name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")])
    return texts  # type: ignore[return-value]  # a list of two texts is a sequence of texts


def _bytes(texts: list[list[str]]) -> Fields:
    fields = []
    for name, value in texts:
        fields.append((name.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape")))
    return fields
