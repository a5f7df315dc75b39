"""Where the parts of the pipeline are, as commands of remedies name them.

Every value is quoted for a POSIX shell, or is a placeholder such as `<home>` where the place is private: a path outside
of the usual folders, another host's name. Only the table on a terminal puts the true values in (`revealed`).
"""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from blueplane_doctor.connection.topology import (
    CLUSTER,
    HIDDEN,
    SENTINEL,
    RedisTopology,
    shown_host,
    topology_of,
)
from blueplane_doctor.errors import SettingsError
from blueplane_doctor.model import Report
from blueplane_doctor.privacy.known_names import GROUPS, MONITORS, STREAMS, TABLES
from blueplane_doctor.privacy.public_text import hidden, place
from blueplane_doctor.records.base import Record
from blueplane_doctor.settings.options import ENV_PREFIX
from blueplane_doctor.settings.values import Settings, load

USUAL_HOME = "~/.blueplane"
PLACEHOLDER = re.compile(r"<[a-z-]+(?:[0-9a-f]{8})?>")
"""What stands for a private place."""
_KNOWN = STREAMS | GROUPS | TABLES | MONITORS
_TLS_FILES = {"ssl_ca_certs": "--cacert", "ssl_certfile": "--cert", "ssl_keyfile": "--key"}
"""Options of a URL that redis-cli takes too, with their names there."""


class Locations(Record):
    """Where everything is. Values are fit to stand in a command as they are; a private part is a placeholder."""

    redis_cli: str
    """`redis-cli` with what it needs to reach the examined Redis; a password is asked for, never written."""
    home: str
    """Blueplane's home: `~/.blueplane` or `<home>`."""
    log: str
    """The server's log."""
    database: str
    """The telemetry database."""
    event_buffer: str
    """The database of events that could not reach Redis."""
    cursor_hooks: str
    """Cursor's hooks.json."""
    server_url: str
    """Where the server answers: `http://127.0.0.1:8787`."""
    doctor: str
    """`blueplane-doctor` with the options that name the examined pipeline; a command follows."""


class Located(NamedTuple):
    """The locations, and what their placeholders stand for."""

    locations: Locations
    true_values: Mapping[str, str]
    """By placeholder. Never a password."""


def locate(settings: Settings) -> Located:
    """Where the parts of the pipeline of these settings are."""
    writer = _Writer()
    home = writer.path(settings.home, "<home>")
    database = f"{home}/telemetry.db"
    if settings.database_file != settings.home / "telemetry.db":
        database = writer.path(settings.database_file, "<database>")
    event_buffer = f"{home}/event_buffer.db"
    if settings.buffer_file != settings.home / "event_buffer.db":
        event_buffer = writer.path(settings.buffer_file, "<event-buffer>")
    locations = Locations(
        redis_cli=writer.redis_cli(settings.redis_url),
        home=home,
        log=f"{home}/server.log",
        database=database,
        event_buffer=event_buffer,
        cursor_hooks=writer.path(settings.cursor_hooks, "<cursor-hooks>"),
        server_url=writer.server_url(settings.http_url),
        doctor=writer.doctor(settings),
    )
    return Located(locations, _named_in_settings(settings) | writer.true_values)


def revealed(report: Report, true_values: Mapping[str, str]) -> Report:
    """The report with the true values in its texts: for the terminal of the person who named them, nobody else."""
    if not true_values:
        return report
    values = report.model_dump()
    for name in ("findings", "causes"):
        values[name] = _revealed(values[name], true_values)
    return Report.model_validate(values)


def _revealed(value: Any, true_values: Mapping[str, str], *, in_command: bool = False) -> Any:
    if isinstance(value, dict):
        shown = {}
        for name, item in value.items():
            shown[name] = _revealed(item, true_values, in_command=name == "commands")
        return shown
    if isinstance(value, list):
        return [_revealed(item, true_values, in_command=in_command) for item in value]
    if not isinstance(value, str):
        return value
    for placeholder, true_value in true_values.items():
        value = value.replace(placeholder, shlex.quote(true_value) if in_command else true_value)
    return value


def _named_in_settings(settings: Settings) -> dict[str, str]:
    """What the fingerprints of names and paths of these settings stand for."""
    streams = settings.streams
    names = [streams.queue, *(streams.dead_letters or ()), streams.group]
    for route in settings.routes or ():
        names.append(route.group)
        for key in route.keys:
            names.append(key.table)
    for target in settings.instrument_targets:
        names.append(target.name)
    private = [name for name in names if name and name not in _KNOWN]
    paths = [settings.home, settings.database_file, settings.buffer_file, settings.cursor_hooks]
    if settings.cursor_data is not None:
        paths.append(settings.cursor_data)
    for path in (*paths, *settings.check_folders, *settings.monitor_folders):
        if place(path) == hidden(str(path)):
            private.append(str(path))
    return {hidden(name): name for name in private}


def _found_without_options(settings: Settings) -> Settings:
    """What a run finds by the environment and by the files of the same home, when nothing else is said."""
    defaults = Settings()
    names = ("http_url", "redis_url", "database")
    if all(getattr(settings, name) == getattr(defaults, name) for name in names):
        return defaults  # the files need not be read once more
    try:
        return load({"home": settings.home}, for_examination=True).settings
    except SettingsError:
        return defaults


class _Writer:
    """Writes the parts of commands, and keeps what each placeholder stands for."""

    def __init__(self) -> None:
        self.true_values: dict[str, str] = {}

    def path(self, path: Path, placeholder: str) -> str:
        """A path of the usual folders as it is, any other as a placeholder."""
        for usual in (USUAL_HOME, "~/.cursor/hooks.json"):
            if path == Path(usual).expanduser():
                return usual
        return self.private(str(path.absolute()), placeholder)

    def private(self, value: str, placeholder: str) -> str:
        """The placeholder for a value."""
        self.true_values[placeholder] = value
        return placeholder

    def host(self, name: str, placeholder: str) -> str:
        """This machine's own name as it is, any other as a placeholder."""
        if shown_host(name) == HIDDEN:
            return self.private(name, placeholder)
        return shlex.quote(name)

    def server_url(self, url: str) -> str:
        """An HTTP URL without user, password and query."""
        parts = urlsplit(url)
        host = self.host(parts.hostname or "127.0.0.1", "<server-host>")
        if ":" in host:
            host = f"[{host}]"
        port = ""
        if parts.port is not None:
            port = f":{parts.port}"
        return f"{parts.scheme}://{host}{port}"

    def doctor(self, settings: Settings) -> str:
        """`blueplane-doctor` with the options that it needs to find the same pipeline."""
        words = ["blueplane-doctor"]
        usual = _found_without_options(settings)
        if settings.http_url != usual.http_url:
            words.insert(0, f"{ENV_PREFIX}HTTP_URL={self.server_url(settings.http_url)}")  # there is no option for it
        if settings.home != Path(USUAL_HOME).expanduser():
            words += ["--home", "<home>"]
        if settings.redis_url != usual.redis_url:
            words += ["--redis-url", self._redis_url(settings.redis_url)]
        if settings.database is not None and settings.database != usual.database:
            words += ["--database", self.path(settings.database, "<database>")]
        return " ".join(words)

    def _redis_url(self, url: str) -> str:
        parts = urlsplit(url)
        if "@" in parts.netloc or parts.query:
            return "<redis-url>"  # never replaced: it may hold a password
        if parts.scheme in ("redis", "rediss") and shown_host(parts.hostname or "localhost") != HIDDEN:
            return shlex.quote(url)
        return self.private(url, "<redis-url>")

    def redis_cli(self, url: str) -> str:
        """`redis-cli` with the address of this Redis, Sentinel or Cluster."""
        topology = topology_of(url)
        parts = urlsplit(url)
        if topology is not None:
            words = self._of_topology(topology, parts)
        elif parts.scheme == "unix":
            query = dict(parse_qsl(parts.query))
            words = ["-s", self._socket(unquote(parts.path)), *_database(query.get("db", ""))]
            words += self._login(query.get("username") or parts.username, query.get("password") or parts.password)
        else:
            words = self._address(parts.hostname or "localhost", parts.port or 6379, "<redis-host>")
            words += _database(parts.path.strip("/"))
            words += self._tls(parts)
            words += self._login(parts.username, parts.password)
        return " ".join(["redis-cli", *words])

    def _of_topology(self, topology: RedisTopology, parts: SplitResult) -> list[str]:
        host, port = topology.nodes[0]
        login = self._login(topology.login.get("username"), topology.login.get("password"))
        tls = self._tls(parts)
        if topology.kind == CLUSTER:
            return ["-c", *self._address(host, port, "<redis-host>"), *tls, *login]
        assert topology.kind == SENTINEL
        # The master of the moment, for after a failover it is another one than when the report was made.
        sentinel = self._address(host, port, "<sentinel-host>")
        if topology.sentinel_login.get("password"):
            sentinel.append("--askpass")
        question = " ".join([*sentinel, *tls, "SENTINEL get-master-addr-by-name", shlex.quote(topology.service)])
        master = f"$(redis-cli {question} | xargs printf -- '-h %s -p %s')"
        return [master, *_database(str(topology.login.get("db", ""))), *tls, *login]

    def _address(self, host: str, port: int, placeholder: str) -> list[str]:
        words = []
        if host not in ("localhost", "127.0.0.1"):
            words += ["-h", self.host(host, placeholder)]
        return [*words, "-p", str(port)]

    def _socket(self, path: str) -> str:
        home = str(Path(USUAL_HOME).expanduser())
        folder, _, name = path.rpartition("/")
        if folder == home and shlex.quote(name) == name:
            return f"{USUAL_HOME}/{name}"
        return self.private(path, "<redis-socket>")

    def _tls(self, parts: SplitResult) -> list[str]:
        if not parts.scheme.startswith("rediss"):
            return []
        words = ["--tls"]
        for name, value in parse_qsl(parts.query):
            if name in _TLS_FILES:
                words += [_TLS_FILES[name], self.private(value, f"<{name.replace('_', '-')}>")]
            elif name == "ssl_cert_reqs" and value.lower() == "none":
                words.append("--insecure")
        return words

    def _login(self, user: str | None, password: str | None) -> list[str]:
        words = []
        if user:
            words += ["--user", self.private(unquote(user), "<redis-user>")]
        if password:
            words.append("--askpass")
        return words


def _database(number: str) -> list[str]:
    if not number.isdigit() or int(number) == 0:
        return []
    return ["-n", number]
