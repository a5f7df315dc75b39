"""What the running server uses: its configuration, Redis and database, beside the ones that are examined."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from blueplane_doctor.connection.topology import address_of, database_of
from blueplane_doctor.examination import Examination, ServerInfo
from blueplane_doctor.files.user_paths import real_file
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.monitoring.stand_ins import is_port_known, is_redis_known, server_at
from blueplane_doctor.pipeline import DEFAULT_REDIS_PORT
from blueplane_doctor.privacy.public_text import hidden, place
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.process_use import Address, ProcessUse, process_use
from blueplane_doctor.sources.redis_address import Comparison, ExaminedRedis, compare, is_this_machine, shown
from blueplane_doctor.sources.redis_host import runs_here
from blueplane_doctor.sources.redis_info import integer
from blueplane_doctor.sources.server_configuration import ServerConfiguration, server_configuration
from blueplane_doctor.sources.server_process import server_process
from blueplane_doctor.sources.unix_sockets import connected_sockets
from blueplane_doctor.text.patterns import pattern

SAME = "the same"
ANOTHER = "another"
UNKNOWN = "unknown"
_CONFIGURATION = "its configuration"
_SOCKET = "a unix socket"
_REDIS_SOCKET = pattern(r"redis|valkey", re.IGNORECASE)
"""How the socket of a Redis is called, as far as that can be told from its name."""
_LOG = "server.log"
_DATABASE = "telemetry.db"


class Used(Record):
    """One thing that the server uses, compared with the one that is examined."""

    compared: str = UNKNOWN
    """`the same`, `another` or `unknown`."""
    name: str = ""
    """The server's, as reports may show it; empty where it is not known."""
    shown_by: str = ""
    """What tells so: `its process`, `its log` or `its configuration`."""
    is_proof: bool = False
    """Whether it is seen in use; else a log or a configuration names it."""
    cause: str = ""
    """Why it is not known."""


class ServerUses(Record):
    """What the running server uses. Its own process tells, as far as the system shows it to this user."""

    pid: int | None = None
    """Its process; null where none is seen."""
    is_running: bool = False
    """Whether the process of server.pid runs, or a server's process listens on the examined port."""
    is_shown: bool = False
    """Whether the system shows this user the connections of that process."""
    redis: Used = Used()
    database: Used = Used()
    examined_redis: str = ""
    """The examined Redis, as reports may show it."""
    redis_port: int | None = None
    """Port of the server's Redis where that is another one on this machine."""
    configuration: str = ""
    """The file that it goes by, in words; empty where that is not known."""
    unused_config: str = ""
    """Why the settings in Blueplane's home, or one of them, cannot be used; empty where they can."""
    is_port_known: bool = True
    """Whether the server that was asked over HTTP is this one: settings that cannot be used may name another port."""
    is_redis_known: bool = True
    """Whether the examined Redis is the pipeline's: settings that cannot be used may name another address."""


class ServerUsesMonitor(Monitor):
    """Looks at the server's process, its log and its configuration, and compares."""

    name = "server_uses"
    record = ServerUses
    in_metrics = False

    def __init__(self, examination: Examination) -> None:
        super().__init__(examination)
        self._process: ProcessUse | None = None
        self._home = examination.settings.home
        """The server's own Blueplane home."""
        self._is_examined_home = True
        self._configuration: ServerConfiguration | None = None

    def collect(self) -> ServerUses:
        """Always a record: the log is read, and the process looked at."""
        settings = self.examination.settings
        server = server_process(settings.home)
        pid = server.pid
        if not server.is_running:
            pid = server_at(settings.http_url)
        self.examination.log()
        record = ServerUses(
            examined_redis=address_of(settings.redis_url),
            unused_config=settings.unused_config,
            is_port_known=is_port_known(settings, server),
        )
        if pid is None:
            return record
        self._process = process_use(pid)
        self._look_for_its_home(self._process)
        self._configuration = server_configuration(self._process, self._home)
        return record.model_copy(update={"pid": pid, "is_running": True, "is_shown": self._process.is_shown})

    def concluded(self, record: Record) -> Record:
        """What is used is compared last: which port the examined Redis says it has, others have asked by then.

        Asking it here would make this record wait for a Redis that hangs.
        """
        if not isinstance(record, ServerUses):
            return record
        if self._process is None:
            return record.model_copy(update={"is_redis_known": is_redis_known(self.examination, is_seen=False)})
        redis, address = self._redis(self._process)
        changes: dict[str, object] = {"redis": redis, "database": self._database(self._process)}
        is_seen = redis.compared == SAME and redis.is_proof
        changes["is_redis_known"] = is_redis_known(self.examination, is_seen=is_seen)
        if self._configuration is not None:
            changes["configuration"] = self._configuration.where
        if address is not None and is_this_machine(address.host):
            changes["redis_port"] = address.port
        return record.model_copy(update=changes)

    def _look_for_its_home(self, process: ProcessUse) -> None:
        """The server keeps its log in its home, and has it open as long as it runs."""
        for file in process.files or ():
            if file.name == _LOG and not _is_same_file(file.parent, self._home):
                self._home = file.parent
                self._is_examined_home = False

    def _redis(self, process: ProcessUse) -> tuple[Used, Address | None]:
        """The Redis that the server uses, and its address where it is another one."""
        examined = self._examined_redis()
        for address in sorted(process.connections or ()):
            if compare(address, examined) is Comparison.SAME:
                other_number = self._other_number(examined, address)
                if other_number is not None:
                    name = f"{shown(address)} database {other_number}"
                    return Used(compared=ANOTHER, name=name, shown_by=_CONFIGURATION), address
                return Used(compared=SAME, name=shown(address), shown_by="its process", is_proof=True), None
        by_socket = self._by_socket(process)
        if by_socket is not None:
            return by_socket, None
        named, shown_by = self._named_redis()
        if named is None:
            return Used(cause=_why_unknown(process)), None
        comparison = compare(named, examined)
        if comparison is Comparison.UNKNOWN:
            return Used(name=shown(named), cause="the examined Redis has no port to compare with"), None
        elsewhere = self._connected_elsewhere(process)
        if comparison is Comparison.SAME and shown_by == _CONFIGURATION and elsewhere is not None:
            # The file was changed since the server started: it is connected, and not there.
            return Used(compared=ANOTHER, name=shown(elsewhere), shown_by="its process"), elsewhere
        if comparison is Comparison.SAME:
            return Used(compared=SAME, name=shown(named), shown_by=shown_by), None
        connected = _connected_to(named, process)
        if connected is not None:
            shown_by = "its process"
        is_proof = connected is not None and comparison is Comparison.ANOTHER
        used = Used(compared=ANOTHER, name=shown(connected or named), shown_by=shown_by, is_proof=is_proof)
        return used, connected or named

    def _other_number(self, examined: ExaminedRedis, connected: Address) -> int | None:
        """The number of the database that the server uses of the examined Redis, where that is another one.

        Only its configuration tells, and only as far as it names the Redis to which the server is connected.
        """
        configuration = self._configuration
        if configuration is None or configuration.redis is None or examined.address is None:
            return None
        if configuration.redis.port != connected.port or compare(configuration.redis, examined) is not Comparison.SAME:
            return None
        if configuration.number == database_of(self.examination.settings.redis_url):
            return None
        return configuration.number

    def _by_socket(self, process: ProcessUse) -> Used | None:
        """What the unix sockets tell to which the process is connected; None where they tell nothing."""
        examined = self._examined_sockets()
        if not examined or not process.is_shown or not process.sees_the_same_files:
            return None
        connected = connected_sockets(process.pid)
        if any(_is_among(path, examined) for path in connected):
            return Used(compared=SAME, name=_SOCKET, shown_by="its process", is_proof=True)
        others = sorted(path for path in connected if _REDIS_SOCKET.search(path.name))
        if others:
            name = f"{_SOCKET} {hidden(str(others[0]))}"
            return Used(compared=ANOTHER, name=name, shown_by="its process")
        return None

    def _examined_sockets(self) -> list[Path]:
        """The unix sockets of the examined Redis, as far as they are known."""
        sockets = []
        parts = urlsplit(self.examination.settings.redis_url)
        if parts.scheme == "unix":
            sockets.append(Path(unquote(parts.path)))
        # Only an answer that is there already: to ask would make this wait for a Redis that hangs.
        configured = self.examination.answers.get("server_config")
        path = configured.get("unixsocket") if isinstance(configured, dict) else None
        if path and os.path.isabs(path):
            sockets.append(Path(path))
        return sockets

    def _connected_elsewhere(self, process: ProcessUse) -> Address | None:
        """Where the server is connected while the examined Redis answers: it would be connected to that one, too."""
        if not isinstance(self.examination.answers.get("server_info"), ServerInfo):
            return None
        return min(process.connections or (), default=None)

    def _named_redis(self) -> tuple[Address | None, str]:
        """The Redis that the log names, else the configuration: it may have been changed since the server started."""
        logged = self.examination.log().redis
        if logged is not None and self._is_examined_home:
            return Address(*logged), "its log"
        if self._configuration is None:
            return None, ""
        return self._configuration.redis, _CONFIGURATION

    def _examined_redis(self) -> ExaminedRedis:
        url = self.examination.settings.redis_url
        address = None
        if "+" in url.partition("://")[0]:
            return ExaminedRedis(None)  # Sentinel and Cluster: the server may rightly use another of the nodes
        if not url.startswith("unix:"):
            parts = urlsplit(url)
            address = Address(parts.hostname or "localhost", parts.port or DEFAULT_REDIS_PORT)
        info = self.examination.answers.get("server_info")
        if not isinstance(info, ServerInfo):
            return ExaminedRedis(address)
        port = integer(info.fields.get("tcp_port")) or None  # 0 where it listens on a file alone
        return ExaminedRedis(address, port, runs_here(info.fields))

    def _database(self, process: ProcessUse) -> Used:
        """The database that the server uses: it opens it for each batch anew, so that its log has to name it too."""
        examined = self.examination.settings.database_file
        files = process.files or ()
        if any(_is_same_file(file, examined) for file in files):
            return Used(compared=SAME, name=_shown(examined), shown_by="its process", is_proof=True)
        for file in files:
            if file.name == _DATABASE:
                return Used(compared=ANOTHER, name=_shown(file), shown_by="its process", is_proof=True)
        # Whatever its settings say, it writes to the database beside its log.
        beside_log = self._home / _DATABASE
        has_log_open = any(file.name == _LOG for file in files)
        logged = self.examination.log().database
        named = beside_log
        is_comparable = process.sees_the_same_files or has_log_open
        if logged is not None and self._is_examined_home and is_comparable:
            named = Path(logged)
        elif not has_log_open:
            return Used(cause="neither an open file nor its log names its database")
        is_proof = has_log_open and _is_same_file(named, beside_log)
        compared = SAME if _is_same_file(named, examined) else ANOTHER
        shown_by = "its process" if is_proof else "its log"
        return Used(compared=compared, name=_shown(named), shown_by=shown_by, is_proof=is_proof)


def _why_unknown(process: ProcessUse) -> str:
    if process.is_shown:
        return f"process {process.pid} has no connection to the examined Redis"
    hidden_from_us = f"the system does not show this user what process {process.pid} uses"
    return f"{hidden_from_us}, and neither its log nor its configuration names a Redis"


def _connected_to(named: Address, process: ProcessUse) -> Address | None:
    """The connection of the process that leads where its log or configuration says; None where none is seen."""
    for address in sorted(process.connections or ()):
        is_same_host = is_this_machine(named.host) in (None, is_this_machine(address.host))
        if address.port == named.port and is_same_host:
            return address
    return None


def _is_among(path: Path, others: list[Path]) -> bool:
    return any(_is_same_file(path, other) for other in others)


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them is not there, or not shown
        return real_file(one) == real_file(other)


def _shown(path: Path) -> str:
    """A database as reports may show it: in full in Blueplane's usual home, else by a fingerprint of its path."""
    name = place(path)
    if name.startswith("~/"):
        return name
    return hidden(str(path))


MONITOR = ServerUsesMonitor
