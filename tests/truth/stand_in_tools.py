"""A folder for PATH with the tools that remedies name, and no others: real ones where the machine has them.

Where redis-cli, sqlite3, lsof or curl is missing, a small stand-in speaks to the same server, file or process.
A command that would change the machine (systemctl, apt, docker) is not on the PATH, and so does nothing.
"""

import shlex
import shutil
import sys
from pathlib import Path

from tests.preloaded import preloaded_doctor
from tests.truth.examination import REPOSITORY

_ORDINARY = (
    *("awk", "basename", "cat", "chmod", "chown", "cp", "cut", "date", "df", "dirname", "du", "echo", "env", "false"),
    *("find", "grep", "head", "id", "kill", "ln", "ls", "mkdir", "mv", "printf", "ps", "pwd", "readlink", "rm", "sed"),
    *("sh", "sleep", "sort", "ss", "stat", "tail", "test", "tr", "true", "uniq", "wc", "xargs"),
)

_REDIS_CLI = """
import shlex, sys
import redis
arguments = sys.argv[1:]
where = {"host": "127.0.0.1", "port": 6379, "db": 0}
names = {"-h": "host", "-p": "port", "-n": "db", "-s": "unix_socket_path", "-a": "password", "--user": "username"}
while arguments and arguments[0].startswith("-"):
    option = arguments.pop(0)
    if option == "-u":
        where = {"url": arguments.pop(0)}
    elif option in names:
        value = arguments.pop(0)
        where[names[option]] = int(value) if option in ("-p", "-n") else value
if "url" in where:
    client = redis.Redis.from_url(where["url"], decode_responses=True)
else:
    client = redis.Redis(**where, decode_responses=True)
commands = [arguments] if arguments else [shlex.split(line) for line in sys.stdin if line.strip()]
for command in commands:
    try:
        print(client.execute_command(*command))
    except redis.RedisError as error:
        sys.exit(f"(error) {error}")
"""
_SQLITE = """
import sqlite3, sys
arguments = [argument for argument in sys.argv[1:] if argument not in ("-readonly", "-batch", "-json")]
readonly = "-readonly" in sys.argv
name = arguments[0]
uri = name if name.startswith("file:") else f"file:{name}?mode=" + ("ro" if readonly else "rwc")
connection = sqlite3.connect(uri, uri=True, isolation_level=None)
for statement in arguments[1:] or [sys.stdin.read()]:
    for part in statement.split(";"):
        if part.strip() and not part.strip().startswith("."):
            for row in connection.execute(part):
                print("|".join(map(str, row)))
"""
_LSOF = """
import sys
import psutil
wanted = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
for process in psutil.process_iter(["pid", "name"]):
    try:
        for file in process.open_files():
            if file.path in wanted:
                print(process.info["name"], process.info["pid"], file.path)
    except psutil.Error:
        pass
"""
_CURL = """
import sys, urllib.request
for argument in sys.argv[1:]:
    if not argument.startswith("-") and (":" in argument or "." in argument):
        url = argument if "//" in argument else "http://" + argument
        print(urllib.request.urlopen(url, timeout=5).read().decode(errors="replace"))
"""
NO_ADDRESS = 64
"""Exit code of a redis-cli that is told no address."""
STAND_INS = {"redis-cli": _REDIS_CLI, "sqlite3": _SQLITE, "lsof": _LSOF, "curl": _CURL}


def tools(folder: Path, *, stand_ins_only: bool = False) -> Path:
    """Fill a folder with these tools; with `stand_ins_only` those four are stand-ins even where the real ones are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _ORDINARY:
        program = shutil.which(name)
        if program:
            (folder / name).symlink_to(program)
    for name, script in STAND_INS.items():
        program = None if stand_ins_only else shutil.which(name)
        if program:
            (folder / name).symlink_to(program)
        else:
            _executable(folder / name, f"#!{sys.executable}\n{script}")
    _only_with_an_address(folder / "redis-cli")
    doctor = shlex.join(preloaded_doctor())
    _executable(folder / "blueplane-doctor", f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec {doctor} "$@"\n')
    for name in ("python", "python3"):
        (folder / name).symlink_to(sys.executable)
    return folder


def _only_with_an_address(client: Path) -> None:
    """A redis-cli that was told no port, socket or URL would reach a Redis of this machine's user: it is refused."""
    real = client.rename(client.with_name("redis-cli-of-the-situation"))
    _executable(
        client,
        "#!/bin/sh\n"
        f'case " $* " in *" -p "* | *" -s "* | *" -u "*) exec "{real}" "$@" ;; esac\n'
        f'echo "no port, socket or URL is named: another Redis would be reached" >&2; exit {NO_ADDRESS}\n',
    )


def _executable(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)
