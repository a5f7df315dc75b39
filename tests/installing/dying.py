"""Installs and uninstalls in processes that die at the n-th call that changes the disk, for every n; run as a program.

    python -m tests.installing.dying FOLDER REDIS_URL

A death is `os._exit`: nothing is cleaned up, as when the process is killed. What is sent to Redis counts as a change of
the disk: it is its disk. Prints how many deaths it saw.
"""

import io
import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import redis

from blueplane_doctor.installing import plan
from blueplane_doctor.installing.database_step import DatabaseStep
from blueplane_doctor.installing.hooks_step import HooksStep
from blueplane_doctor.installing.journal import Journal
from blueplane_doctor.installing.plan import Site, Step, Talk
from blueplane_doctor.installing.redis_step import RedisStep
from blueplane_doctor.installing.services_step import ServicesStep
from blueplane_doctor.layouts import CURRENT
from blueplane_doctor.settings.values import load

CALLS = ("mkdir", "open", "write", "fsync", "fchmod", "replace", "link", "unlink", "rmdir")
DIED, UNCOUNTED = 99, 98
HOOKS = b'{\r\n\t"version": 1,\r\n\t"hooks": {"stop": [{"command": "mine"}]}\r\n}'
TALK = Talk(lambda text: None, lambda question: True)

Files = dict[str, bytes]


def files(home: Path) -> Files:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def folders(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_dir()}


STEPS: list[Step] = [RedisStep(), DatabaseStep(), HooksStep(), ServicesStep()]
GROUPS = {b"processors", b"claude_processors"}


def install(home: Path) -> bool:
    return plan.install(STEPS, _site(home), TALK)


def uninstall(home: Path) -> bool:
    return plan.uninstall(STEPS, _site(home), TALK)


def _site(home: Path) -> Site:
    os.environ["HOME"] = str(home)
    return Site(load().settings, user_home=home, platform="linux", claude=True)


def groups() -> set[bytes] | None:
    """The groups of the queue stream; None where there is no key at all."""
    with redis.Redis.from_url(os.environ["BLUEPLANE_DOCTOR_REDIS_URL"]) as client:
        return {group["name"] for group in client.xinfo_groups(CURRENT.queue)} if client.keys() else None


def fresh(home: Path) -> None:
    with redis.Redis.from_url(os.environ["BLUEPLANE_DOCTOR_REDIS_URL"]) as client:
        client.flushall()
    shutil.rmtree(home, ignore_errors=True)
    (home / ".cursor").mkdir(parents=True)
    (home / ".cursor" / "hooks.json").write_bytes(HOOKS)


def dies(work: Callable[[Path], bool], home: Path, moment: int) -> bool:
    """Do the work in a child that dies at that call; whether it came to that."""
    child = os.fork()
    if not child:
        _die_at(moment)
        os._exit(0 if work(home) else 1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, DIED), f"call {moment}: the work failed with {code}"
    return code == DIED


def _die_at(moment: int) -> None:
    left = [moment]

    def deadly(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **more: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                os._exit(DIED)
            return real(*arguments, **more)

        return call

    def uncounted(file: object, mode: str = "r", *arguments: object, **more: object) -> object:
        """Python's own files write where no call here is counted; so nothing but os may write."""
        if set(mode) & set("wax+"):
            os._exit(UNCOUNTED)
        return real_open(file, mode, *arguments, **more)  # type: ignore[call-overload]

    real_open, io.open = io.open, uncounted  # type: ignore[assignment]
    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))
    socket.socket.sendall = deadly(socket.socket.sendall)  # type: ignore[method-assign,assignment]


def main(folder: Path) -> None:
    home = folder / "hö me"
    fresh(home)
    before, before_folders = files(home), folders(home)
    assert install(home)
    after = files(home)
    assert groups() == GROUPS
    uninstall(home)
    assert files(home) == before and folders(home) == before_folders and groups() is None

    deaths = _during_install(home, before, before_folders, after) + _during_uninstall(home, before, after)
    sys.stdout.write(f"{deaths}\n")


def _during_install(home: Path, before: Files, before_folders: set[str], after: Files) -> int:
    moment = 0
    while True:
        fresh(home)
        if not dies(install, home, moment):
            return moment
        whole(home, before, after, f"call {moment}")
        if moment % 2:
            assert install(home), f"call {moment}: a second run did not finish the first"
            assert _lasting(files(home)) == _lasting(after), f"call {moment}"
            assert groups() == GROUPS
        assert uninstall(home)
        assert files(home) == before, f"call {moment}: {set(files(home)) ^ set(before)}"
        assert groups() is None, f"call {moment}: the stream stayed, with {groups()}"
        assert folders(home) - before_folders <= {".blueplane"}, f"call {moment}: {folders(home)}"
        moment += 1


def _during_uninstall(home: Path, before: Files, after: Files) -> int:
    moment = 0
    while True:
        fresh(home)
        assert install(home)
        if not dies(uninstall, home, moment):
            return moment
        whole(home, before, after, f"call {moment}")
        assert uninstall(home)
        assert files(home) == before, f"call {moment}: {set(files(home)) ^ set(before)}"
        assert groups() is None, f"call {moment}: the stream stayed, with {groups()}"
        moment += 1


def whole(home: Path, before: Files, after: Files, when: str) -> None:
    """Every file that somebody reads is as before or as after."""
    for name, content in files(home).items():
        if _is_ours_alone(name):
            continue
        assert content in (before.get(name), after.get(name)), f"{when}: {name} is between"
    assert set(before) <= set(files(home)), f"{when}: {set(before) - set(files(home))} is gone"
    Journal(home / ".blueplane")
    _whole_database(home / ".blueplane" / "telemetry.db")


def _whole_database(path: Path) -> None:
    if path.exists():
        with closing(sqlite3.connect(f"file:{quote(str(path))}?immutable=1", uri=True)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        assert {"cursor_raw_traces", "claude_raw_traces", "cursor_sessions"} <= tables


def _is_ours_alone(name: str) -> bool:
    """The journal has its own form; a temporary file is read by nobody; a database is not the same bytes twice."""
    return name.endswith((".blueplane-new", "doctor-install.json")) or "new-database" in name or name.endswith(".db")


def _lasting(found: Files) -> Files:
    return {name: content for name, content in found.items() if not _is_ours_alone(name)}


if __name__ == "__main__":
    os.environ["BLUEPLANE_DOCTOR_REDIS_URL"] = sys.argv[2]
    main(Path(sys.argv[1]))
