"""Whether Redis and the database answer at all; never fails itself."""

import os
from collections.abc import Callable

from blueplane_doctor.connection.base import Command, ReplyError
from blueplane_doctor.errors import (
    SourceElsewhere,
    SourceError,
    SourceInterrupted,
    SourceMissing,
    SourceNotServing,
    SourceUnreachable,
)
from blueplane_doctor.layouts import LAYOUTS
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.pipeline import WRITTEN_TABLES
from blueplane_doctor.privacy.public_text import place
from blueplane_doctor.records.base import Record
from blueplane_doctor.settings.values import Settings

_FILES_OF_BLUEPLANE = ("config.yaml", "redis.yaml", "config", "server.pid", "server.log", "hooks", "hook-spool.jsonl")
"""What Blueplane and its hooks leave in their home, besides the databases."""
_REFUSES_PING_ALONE = ("MISCONF", "NOPERM")
"""A refusal of PING that says nothing of other commands.

After a failed save PING is refused like a write, so that load balancers take notice; everything read is answered. A
user may lack the permission for PING, and no other.
"""


class Reach(Record):
    """One source: reached or not, and what came back instead."""

    address: str
    """The address that was tried; no user, no password, no private path."""
    reachable: bool
    cause: str = ""
    hint: str = ""
    refusal: str = ""
    """Where it answers and serves no command, or not this one: the first word of its answer, such as `LOADING`."""
    interrupted: bool = False
    """Whether a crash left it in the middle of a write, which the next writer undoes."""


class Connections(Record):
    """Both sources."""

    redis: Reach
    database: Reach
    home: str = "~/.blueplane"
    """Blueplane's home, as it may be shown."""
    blueplane_found: bool = True
    """False where nothing of Blueplane is there: no file of its in the home, no database, no stream in Redis."""


class ConnectionMonitor(Monitor):
    """Tries to reach Redis and to open the database."""

    name = "connections"
    record = Connections
    in_metrics = False

    def collect(self) -> Connections:
        """Always a record."""
        examination = self.examination
        return Connections(
            redis=_reach(examination.redis.address, self._ask_redis),
            database=_reach(place(examination.settings.database_file), self._find_tables),
            home=place(examination.settings.home),
            blueplane_found=self._left_files() or self._has_stream(),
        )

    def _ask_redis(self) -> None:
        """PING answers also on a node of a cluster that does not hold the queue: so ask for the queue as well."""
        redis = self.examination.redis
        queue = self.examination.settings.streams.queue or LAYOUTS[0].queue
        commands: list[Command] = [("PING",), ("XLEN", queue)]
        ping, length = redis.ask(*commands)
        if not (isinstance(ping, ReplyError) and str(ping).startswith(_REFUSES_PING_ALONE)):
            redis.checked(ping, commands[0])
        if not isinstance(length, ReplyError):
            return
        try:
            redis.checked(length, commands[1])
        except (SourceElsewhere, SourceNotServing):
            raise
        except SourceError:
            pass  # another type, a missing permission: whoever needs the queue tells of it

    def concluded(self, record: Record) -> Record:
        """A database in which any reader of the run met damage cannot be relied on."""
        damage = self.examination.database.damage
        if damage is None or not isinstance(record, Connections):
            return record
        address = record.database.address
        return record.model_copy(
            update={"database": Reach(address=address, reachable=False, cause=damage.message, hint=damage.hint)}
        )

    def _left_files(self) -> bool:
        settings = self.examination.settings
        files = [settings.home / name for name in _FILES_OF_BLUEPLANE]
        # os.path: a folder that may not be looked into raises nothing there.
        return any(os.path.exists(file) for file in (settings.database_file, settings.buffer_file, *files))

    def _has_stream(self) -> bool:
        """Whether the queue stream may be there.

        It is not where it is missing, nor where nobody answers at the usual address. Who names another address knows
        of a Redis there: that it cannot be reached is the finding then.
        """
        try:
            self.examination.stream()
        except SourceElsewhere:
            return True
        except SourceMissing:
            return False
        except SourceUnreachable:
            usual = str(Settings.model_fields["redis_url"].default)
            return self.examination.settings.redis_url != usual
        except SourceError:
            return True  # it answers and refuses, or is slow
        return True

    def _find_tables(self) -> None:
        if not self.examination.trace_tables():
            raise SourceMissing(
                f"the database {place(self.examination.settings.database_file)} holds none of the tables that traces "
                "are written to",
                "start the Blueplane server (restart it where it runs: it makes the tables at its start), or name the "
                "right file with --database",
            )
        missing = self._missing_tables()
        if missing:
            raise SourceMissing(
                f"the database {place(self.examination.settings.database_file)} has no table {' and '.join(missing)}: "
                "what belongs there cannot be written",
                "see whether the table was renamed; the server makes missing tables at its start: restart it",
            )

    def _missing_tables(self) -> list[str]:
        """Tables that today's server writes to, where one of them is there and another is not."""
        there = set(self.examination.trace_tables())
        expected = set(WRITTEN_TABLES)
        routes = self.examination.settings.routes
        if routes is not None:
            named: set[str] = set()
            for route in routes:
                named.update(key.table for key in route.keys)
            expected &= named
        if there.isdisjoint(WRITTEN_TABLES):
            return []  # of the earlier pipeline, which has one table for all
        return sorted(expected - there)


def _reach(address: str, attempt: Callable[[], object]) -> Reach:
    try:
        attempt()
    except (SourceElsewhere, SourceNotServing) as error:
        return Reach(address=address, reachable=False, cause=error.message, hint=error.hint, refusal=error.code)
    except SourceError as error:
        interrupted = isinstance(error, SourceInterrupted)
        return Reach(address=address, reachable=False, cause=error.message, hint=error.hint, interrupted=interrupted)
    return Reach(address=address, reachable=True)


MONITOR = ConnectionMonitor
