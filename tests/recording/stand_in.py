"""A stand-in for a Blueplane server: modules and signatures of the real one, with bodies of our own.

What its methods do is told by their arguments, so that a test knows the truth: a row, event or key may be `"fail"`,
and a batch's first row may say how long the write takes by a clock that only it moves.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CURSOR_WRITER = '''
import stand_in_clock


class CursorRawTracesWriter:
    """Swallows its errors: 0 rows is a failure."""

    def _batch_insert(self, rows):
        stand_in_clock.pass_by(rows)
        return 0 if "fail" in rows else len(rows)
'''
CLAUDE_WRITER = '''
import stand_in_clock


class ClaudeRawTracesWriter:
    """Raises."""

    error = RuntimeError("of the writer")

    def write_batch_sync(self, events):
        if not events:
            return []
        stand_in_clock.pass_by(events)
        if "fail" in events:
            raise self.error
        return list(range(len(events)))
'''
OLD_WRITER = '''
class SQLiteBatchWriter:
    """As until November 2025."""

    async def write_batch(self, events):
        if "fail" in events:
            raise RuntimeError
        return [1] * len(events)
'''
QUEUE_WRITER = '''
class MessageQueueWriter:
    """Returns False on failure."""

    def enqueue(self, event, platform, session_id):
        return isinstance(event, dict) and "fail" not in event
'''
UNIFIED = '''
import asyncio


class FileWatcher:
    async def check_for_changes(self):
        return False


class EventQueuer:
    """Falls back to a local buffer."""

    def __init__(self):
        self.buffered = []

    async def queue_event(self, event):
        await asyncio.sleep(0)
        if event == "fail":
            await self._buffer_locally(event)
        elif event == "raise":
            raise ValueError
        elif event == "hang":
            await asyncio.sleep(60)

    async def _buffer_locally(self, event):
        self.buffered.append(event)


class WorkspaceMonitor:
    async def sync_all_data(self):
        return None


class UnifiedCursorMonitor:
    def __init__(self):
        self.workspace_monitors = {}

    async def on_session_start(self, workspace_hash, session_info):
        self.workspace_monitors[workspace_hash] = session_info

    async def on_session_end(self, workspace_hash):
        del self.workspace_monitors[workspace_hash]
'''
DATABASE_MONITOR = """
class CursorDatabaseMonitor:
    def __init__(self):
        self.db_connections = {}

    def _update_health(self, workspace_hash, status, value):
        return None
"""
CLOCK = '''
"""A clock that only the stand-in moves; `instead()` puts it in place of the one that measures."""

now = 0.0


def pass_by(rows):
    global now
    if rows and isinstance(rows[0], float):
        now += rows[0]


def instead():
    from blueplane_doctor.recording import wrapping

    wrapping.perf_counter = lambda: now
'''
MODULES = {
    "processing.cursor.raw_traces_writer": CURSOR_WRITER,
    "processing.claude_code.raw_traces_writer": CLAUDE_WRITER,
    "capture.shared.queue_writer": QUEUE_WRITER,
    "processing.cursor.unified_cursor_monitor": UNIFIED,
    "processing.cursor.database_monitor": DATABASE_MONITOR,
    "processing.database.writer": "class SQLiteBatchWriter:\n    pass\n",
}
PREAMBLE = """
import asyncio, os, sys
sys.path.insert(0, {root!r})
import stand_in_clock
from {package}processing.cursor.raw_traces_writer import CursorRawTracesWriter
from {package}processing.claude_code.raw_traces_writer import ClaudeRawTracesWriter
from {package}processing.cursor.unified_cursor_monitor import *
from {package}processing.cursor.database_monitor import CursorDatabaseMonitor
from {package}processing.database.writer import SQLiteBatchWriter
from {package}capture.shared.queue_writer import MessageQueueWriter
"""


class StandIn:
    """The server's files in a folder, and how to run it under `blueplane-doctor instrument`."""

    def __init__(self, folder: Path, package: str = "src.", modules: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.package = package
        self.add("stand_in_clock", CLOCK)
        for name, text in (MODULES if modules is None else modules).items():
            self.add(package + name, text)

    def add(self, module: str, text: str) -> None:
        """One more module, with the packages above it."""
        path = self.folder.joinpath(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        for parent in path.parents:
            if parent == self.folder:
                break
            (parent / "__init__.py").touch()
        path.write_text(text)

    def script(self, body: str) -> Path:
        """`scripts/start_server.py`, which does this once everything is imported."""
        path = self.folder / "scripts" / "start_server.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(PREAMBLE.format(root=str(self.folder), package=self.package) + body)
        return path

    def run(self, url: str, body: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the server under the launcher to its end."""
        process = self.start(url, body, **variables)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start(self, url: str, body: str, **variables: str) -> subprocess.Popen[str]:
        """Start the server under the launcher."""
        command = [sys.executable, "-m", "blueplane_doctor", "--redis-url", url, "instrument", "--"]
        return subprocess.Popen(
            [*command, sys.executable, str(self.script(body))],
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def literal(value: Any) -> str:
    """A value as it is written in a script."""
    return repr(json.loads(json.dumps(value)))
