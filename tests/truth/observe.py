"""What Redis and SQLite say of a situation, asked directly, not through the doctor: it confirms the claimed truth."""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import redis

from tests.truth import rows
from tests.truth.messages import CLAUDE_LETTERS, CURSOR_LETTERS, QUEUE, WRITER_GROUPS, Message
from tests.truth.situation import Situation
from tests.truth.truth import DatabaseState, Truth

ENTRIES_AT_ONCE = 25
_REFUSALS = {
    "OUTOFMEMORY": "OOM",  # redis-py takes the code off the text and makes a class of it, of some codes
    **{code: code for code in ("OOM", "MISCONF", "READONLY", "NOREPLICAS", "LOADING", "BUSY", "MOVED", "CLUSTERDOWN")},
}


class Observed:
    """Direct look-ups, taken once: the stream's IDs, pending IDs by group, rows, letters."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.client = situation.client
        self.in_stream = set(stream_ids(self.client, QUEUE))
        self.pending = {group: pending_ids(self.client, group) for group in WRITER_GROUPS}
        self.place = {group: _last_delivered(self.client, group) for group in WRITER_GROUPS}
        self.rows_total, self.with_row = self._rows()
        self.with_letter = self._messages_with_letters()

    def _rows(self) -> tuple[int | None, set[str]]:
        with copied(self.situation.database) as copy:
            if copy is None:
                return None, set()
            try:
                with closing(sqlite3.connect(copy)) as connection:
                    messages = self.situation.messages.values()
                    return rows.count(connection), rows.with_rows(connection, messages)
            except sqlite3.DatabaseError:
                return None, set()

    def _messages_with_letters(self) -> set[str]:
        named = set()
        for stream in (CLAUDE_LETTERS, CURSOR_LETTERS):
            for letter_id in stream_ids(self.client, stream):
                named.add(self.situation.letters.get(f"{stream} {letter_id}", ""))
        return named - {""}

    def owned(self) -> list[tuple[Message, str]]:
        """The messages that a writer owes a row, each with its writer group."""
        messages = self.situation.messages.values()
        return [(message, message.group) for message in messages if message.group is not None]

    def state(self, message: Message, group: str) -> str:
        """The one field of Truth that counts this message; `beside` for what none counts."""
        here = message.id in self.in_stream
        is_pending = message.id in self.pending[group]
        if message.id in self.with_row:
            if is_pending:
                return "written_not_acknowledged"
            place = self.place[group]
            again = here and place is not None and _after(message.id, place)
            return "delivered_again" if again else "written"
        if message.id in self.with_letter:
            return "dead_lettered"
        if is_pending:
            return "pending" if here else "payload_gone"
        return self._state_without_row(message, group, here)

    def _state_without_row(self, message: Message, group: str, here: bool) -> str:
        situation = self.situation
        if message.id in situation.written:
            return "rows_gone"
        if message.id in situation.letters.values():
            return "letter_dropped"
        if message.id in situation.acknowledged.get(group, ()):
            return "lost"
        place = self.place[group]
        if here and (place is None or _after(message.id, place)):
            return "waiting"
        if message.id in situation.delivered.get(group, ()):
            return "nobodys" if here else "beside"
        return "passed_by" if here else "cut_unread"


def observe(situation: Situation, wanted: Truth) -> dict[str, Any]:
    """For each claim of `wanted` what is observed."""
    observed = Observed(situation)
    counts: dict[str, int] = {}
    for message, group in observed.owned():
        state = observed.state(message, group)
        inside = message.id in observed.in_stream or state in ("lost", "cut_unread", "payload_gone")
        if inside or state == "dead_lettered":
            counts[state] = counts.get(state, 0) + 1
    found: dict[str, Any] = {}
    for name, claim in wanted.claims().items():
        found[name] = _one(name, claim, counts, observed)
    return found


def _one(name: str, claim: Any, counts: dict[str, int], observed: Observed) -> Any:
    situation = observed.situation
    if name == "trimmed_unread":
        exact = counts.get("cut_unread", 0)
        least, most = claim
        return claim if least <= exact <= most else (exact, exact)
    if name == "rows":
        return observed.rows_total
    if name == "letters_dropped":
        return len(situation.letters) - _letters(situation.client)
    if name == "stream_exists":
        return bool(situation.client.exists(QUEUE))
    if name == "stream_length":
        return situation.client.xlen(QUEUE)
    if name == "groups_missing":
        return tuple(group for group in WRITER_GROUPS if observed.place[group] is None)
    if name == "refusal":
        return refusal(situation)
    if name == "database":
        return database_state(situation.database)
    return counts.get(name, 0)


def refusal(situation: Situation) -> str:
    """The error code with which XADD is refused; "" where it is taken, "no answer" where none comes."""
    with situation.redis.client(timeout=0.5) as client:
        try:
            client.xadd("truth:probe", {"probe": "1"})
        except redis.TimeoutError:
            return "no answer"
        except redis.RedisError as error:
            name = type(error).__name__.upper() + " " + str(error).upper()
            matches = [code for word, code in _REFUSALS.items() if word in name]
            return matches[0] if matches else name
        client.delete("truth:probe")
    return ""


def stream_ids(client: Any, stream: str) -> list[str]:
    """The IDs of a stream's entries; none where the key is no stream or cannot be read now."""
    with contextlib.suppress(redis.RedisError):
        return [entry_id for entry_id, _ in entries(client, stream)]
    return []


def entries(client: Any, stream: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A stream's entries, read in small pages: a large reply could push a nearly full Redis over its limit."""
    start = "-"
    while True:
        page = client.xrange(stream, start, "+", count=ENTRIES_AT_ONCE)
        yield from page
        if len(page) < ENTRIES_AT_ONCE:
            return
        start = f"({page[-1][0]}"


def pending_ids(client: Any, group: str) -> set[str]:
    """The IDs in the group's pending entries list."""
    with contextlib.suppress(redis.RedisError):
        amount = client.xpending(QUEUE, group)["pending"]
        if amount:
            entries = client.xpending_range(QUEUE, group, "-", "+", amount)
            return {entry["message_id"] for entry in entries}
    return set()


def _last_delivered(client: Any, group: str) -> str | None:
    with contextlib.suppress(redis.RedisError):
        for info in client.xinfo_groups(QUEUE):
            if info["name"] == group:
                place: str = info["last-delivered-id"]
                return place
    return None


def _after(entry_id: str, place: str) -> bool:
    return tuple(map(int, entry_id.split("-"))) > tuple(map(int, place.split("-")))


def _letters(client: Any) -> int:
    return len(stream_ids(client, CLAUDE_LETTERS)) + len(stream_ids(client, CURSOR_LETTERS))


@contextlib.contextmanager
def copied(database: Path) -> Any:
    """A copy of the database with all files beside it, so that looking changes nothing; None where it is missing."""
    target = database.resolve()
    if not target.exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal", "-journal"):
            file = target.with_name(target.name + suffix)
            if file.exists():
                shutil.copy(file, Path(folder) / file.name)
        yield Path(folder) / target.name


def database_state(database: Path) -> DatabaseState:
    """What SQLite says of the database."""
    with copied(database) as copy:
        if copy is None:
            return "missing"
        try:
            with closing(sqlite3.connect(copy)) as connection:
                verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
                tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.DatabaseError:
            return "damaged"
    if verdict != "ok":
        return "damaged"
    return "intact" if tables else "no tables"
