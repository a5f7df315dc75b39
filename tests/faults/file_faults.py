"""Faults of the files beside the database: each in turn a pipe, a device, a folder, binary, broken, or gone."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import hostile_files
from tests.faults.redis_faults import in_mid_run
from tests.faults.registry import Apply, Fault, add
from tests.faults.stage import Stage

ORIGINALS = {
    "config.yaml": ".blueplane/config.yaml",
    "doctor.yaml": ".blueplane/doctor.yaml",
    "server.pid": ".blueplane/server.pid",
    "server.log": ".blueplane/server.log",
    "event_buffer.db": ".blueplane/event_buffer.db",
    "hooks.json": ".cursor/hooks.json",
    "spool": ".blueplane/hook-spool.jsonl",
}
"""Each file, from the user's home."""
_SETTINGS = ("config.yaml", "doctor.yaml")
_READERS = {
    "config.yaml": ("examine", "trace", "record", "history", "support", "install", "repair", "notify"),
    "doctor.yaml": ("examine", "trace", "record", "history", "support", "install", "repair", "notify"),
    "server.pid": ("examine", "support", "serve"),
    "server.log": ("examine", "support", "serve"),
    "event_buffer.db": ("examine", "support"),
    "hooks.json": ("examine", "install"),
    "spool": ("examine", "hook", "repair"),
}


def _path(stage: Stage, name: str) -> Path:
    place = ORIGINALS.get(name) or OF_CAPTURE[name][0]
    path = stage.situation.user_home / place
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _put(name: str, kind: str) -> Apply:
    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        hostile_files.put(kind, _path(stage, name))
        yield

    return apply


def _text(name: str, content: bytes) -> Apply:
    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        _path(stage, name).write_bytes(content)
        yield

    return apply


OF_CAPTURE: dict[str, tuple[str, tuple[str, ...]]] = {
    "doctor-notify.json": (".blueplane/doctor-notify.json", ("examine", "told")),
    "settings.json": (".claude/settings.json", ("examine", "support")),
    "transcript": (".claude/projects/-p/5d1a2b3c-0000-4000-8000-000000000001.jsonl", ("examine", "repair")),
    "state.vscdb": (".config/Cursor/User/globalStorage/state.vscdb", ("examine", "evidence")),
    "package.json": (".cursor/extensions/blueplane.blueplane-cursor-telemetry-1.0.0/package.json", ("examine",)),
}
"""What editors, and the doctor's own notifications, keep: the file, from the user's home, and who reads it."""
_UNLIKE = ("fifo", "device", "sparse", "binary", "large")
"""The kinds that a reader of one more file might forget; tests/files/test_reading.py has all."""
for _name, (_file, _commands) in OF_CAPTURE.items():
    for _kind in _UNLIKE:
        add(Fault(f"file-{_name}-is-{_kind}", "files", _put(_name, _kind), _commands))

for _name in ORIGINALS:
    for _kind in hostile_files.HOSTILE:
        if _name in _SETTINGS and _kind == "dangling":
            continue  # a link to a file that is not there is no settings file: nothing is wrong
        _refusals: tuple[int, ...] = ()
        if _name in _SETTINGS:
            _refusals = (2,)
        _fault = Fault(
            f"file-{_name}-is-{_kind}",
            "files",
            _put(_name, _kind),
            _READERS[_name],
            codes=_refusals,
            blinds=frozenset(),
        )
        add(_fault)

BROKEN: dict[str, tuple[str, bytes]] = {
    "yaml-not-closed": ("doctor.yaml", b"scales: {queue-depth: ["),
    "yaml-list": ("doctor.yaml", b"- a\n- b\n"),
    "yaml-aliases": ("doctor.yaml", b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
    "yaml-date": ("config.yaml", b"redis: 2026-13-45\n"),
    "yaml-tag": ("config.yaml", b"redis: !!python/object/apply:os.system [ls]\n"),
    "yaml-deep": ("config.yaml", b"[" * 5_000),
    "yaml-nul": ("config.yaml", b'paths: {database: {telemetry_db: "a\\0b"}}\n'),
    "yaml-long-path": ("config.yaml", b"paths: {database: {telemetry_db: " + b"a" * 5_000 + b"}}\n"),
    "yaml-unknown-user": ("config.yaml", b"paths: {database: {telemetry_db: ~nobody-here/x.db}}\n"),
    "yaml-wrong-types": ("config.yaml", b"redis: [1]\nstreams: 5\npaths: null\nhttp_endpoint: {port: x}\n"),
}
for _name, (_file, _content) in BROKEN.items():
    _commands = ("examine", "trace", "record", "support", "install")
    add(Fault(f"file-{_name}", "files", _text(_file, _content), _commands, codes=(2,)))

WRONG: dict[str, tuple[str, bytes]] = {
    "pid-of-400-digits": ("server.pid", b"9" * 400),
    "pid-negative": ("server.pid", b"-1"),
    "pid-json-list": ("server.pid", b"[1]"),
    "pid-empty": ("server.pid", b""),
    "log-of-one-line": ("server.log", b"x" * 10_000_000),
    "log-of-errors": ("server.log", b"2026-01-01 00:00:00 - a - ERROR - {{{{[[[[((((\n" * 100_000),
    "hooks-not-json": ("hooks.json", b"{"),
    "hooks-deep": ("hooks.json", b"[" * 100_000),
    "hooks-of-numbers": ("hooks.json", b'{"version": 1e400, "hooks": {"stop": [1, null]}}'),
    "buffer-not-sqlite": ("event_buffer.db", b"\xff" * 8_192),
    "spool-of-garbage": ("spool", b"\xff\x00{[\n" * 1_000),
}
for _name, (_file, _content) in WRONG.items():
    _commands = tuple(dict.fromkeys(("examine", "support", *_READERS[_file])))
    add(Fault(f"file-{_name}", "files", _text(_file, _content), _commands))


def _gone(change: Callable[[Stage], object]) -> Apply:
    return in_mid_run(change, "XINFO STREAM")


MID_RUN: dict[str, Callable[[Stage], object]] = {
    "home": lambda stage: shutil.rmtree(stage.home),
    "server-log": lambda stage: _path(stage, "server.log").unlink(missing_ok=True),
    "settings": lambda stage: _path(stage, "config.yaml").unlink(),
}
for _name, _change in MID_RUN.items():
    _blinds = frozenset(("database", "chain", "server", "disk", "capture"))
    add(
        Fault(
            f"file-gone-in-mid-run-{_name}",
            "files",
            _gone(_change),
            ("examine", "record", "support"),
            blinds=_blinds,
            changes=True,
        )
    )


def _kept(name: str, content: bytes | str) -> Apply:
    """What `convert` or `--from-evidence` is given; text names a kind of hostile_files."""

    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        file = stage.situation.folder / f"other-{name}.json"
        if isinstance(content, str):
            hostile_files.put(content, file)
        else:
            file.write_bytes(content)
        stage.inputs[name] = file
        yield

    return apply


INPUTS: dict[str, bytes | str] = {
    "missing": "dangling",
    "fifo": "fifo",
    "device": "device",
    "sparse": "sparse",
    "folder": "folder",
    "binary": "binary",
    "empty": b"",
    "list": b"[]",
    "deep": b"[" * 100_000,
    "numbers": b'{"schema_version": ' + b"9" * 5_000 + b"}",
    "no-object": b"null",
    "surrogates": b'{"schema_version": 2, "status": "\\ud800", "findings": []}',
    "later-version": b'{"schema_version": 99}',
}
for _name, _given in INPUTS.items():
    add(Fault(f"report-{_name}", "files", _kept("report", _given), ("convert",), codes=(2, 3)))
    add(Fault(f"evidence-{_name}", "files", _kept("evidence", _given), ("judge",), codes=(2, 3)))
