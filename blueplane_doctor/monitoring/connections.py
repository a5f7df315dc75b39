"""Whether Redis and the database answer at all; never fails itself."""

from blueplane_doctor.errors import SourceError
from blueplane_doctor.model import Record
from blueplane_doctor.monitoring.base import Monitor
from blueplane_doctor.sources.database_source import shown


class Reach(Record):
    """One source: reached or not, and what came back instead."""

    address: str
    """Where it was looked for; no user, no password, no private path."""
    reachable: bool
    cause: str = ""
    hint: str = ""


class Connections(Record):
    """Both sources."""

    redis: Reach
    database: Reach


class ConnectionMonitor(Monitor):
    """Tries to reach Redis and to open the database."""

    name = "connections"
    record = Connections
    in_metrics = False

    def collect(self) -> Connections:
        """Always a record."""
        return Connections(redis=self._redis(), database=self._database())

    def _redis(self) -> Reach:
        redis = self.examination.redis
        try:
            redis.ask_one("PING")
        except SourceError as error:
            return Reach(address=redis.address, reachable=False, cause=error.message, hint=error.hint)
        return Reach(address=redis.address, reachable=True)

    def _database(self) -> Reach:
        where = shown(self.examination.settings.database_file)
        try:
            tables = self.examination.trace_tables()
        except SourceError as error:
            return Reach(address=where, reachable=False, cause=error.message, hint=error.hint)
        if not tables:
            return Reach(
                address=where,
                reachable=False,
                cause=f"the database {where} holds none of the tables that traces are written to",
                hint="start the Blueplane server once, or name the right file with --database",
            )
        return Reach(address=where, reachable=True)
