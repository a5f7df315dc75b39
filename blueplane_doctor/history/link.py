"""A connection to the Redis that holds the history: pipelined commands, raw RESP2 replies, our errors."""

from typing import Any

from blueplane_doctor.connection.base import Command, ReplyError
from blueplane_doctor.connection.topology import CLUSTER, topology_of
from blueplane_doctor.errors import SettingsError, SourceError
from blueplane_doctor.sources.redis_source import ANSWER_LIMIT_SECONDS, address_of, failure
from blueplane_doctor.sources.wire import Nodes, open_nodes

READING_RIGHTS = (
    "Let this user read the history: ACL SETUSER <user> %R~blueplane:health:* +exists +hgetall +xrange, "
    "with TimeSeries +exists +ts.queryindex +ts.range; docs/HISTORY.md lists those of `record`"
)


class Link:
    """One connection, opened when it is first needed and again after it broke."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.address = address_of(url)
        self._nodes: Nodes | None = None

    def ask(self, *commands: Command) -> list[Any]:
        """Replies in order, a refused command's as its exception. Raises SourceError when nobody answers."""
        if not commands:
            return []
        try:
            self._nodes = self._nodes or _open(self.url)
            ((wire, _),) = self._nodes.wires(commands)
            wire.send(commands)
            return [wire.receive() for _ in commands]
        except (OSError, ReplyError) as error:
            self.close()
            raise self._ours(error) from error
        except BaseException:
            self.close()  # what is still under way must not answer the next question
            raise

    def ask_one(self, *command: str | bytes | int) -> Any:
        """One command's reply. Raises SourceError, also when it is refused."""
        (reply,) = self.ask(command)
        self.check(reply)
        return reply

    def check(self, *replies: Any) -> None:
        """Raises SourceError for the first reply that is an error."""
        for reply in replies:
            if isinstance(reply, Exception):
                raise self._ours(reply) from reply

    def close(self) -> None:
        """The next question opens another connection."""
        nodes, self._nodes = self._nodes, None
        if nodes:
            nodes.close()

    def _ours(self, error: Exception) -> SourceError:
        where = f"Redis at {self.address}, which is to hold the history,"
        return failure(error, self.url, where, option="--history-url", rights=READING_RIGHTS)


def _open(url: str) -> Nodes:
    try:
        places = topology_of(url)
        if places and places.kind == CLUSTER:
            raise ValueError("a history is kept in one Redis, not in a cluster")
        return open_nodes(url, ANSWER_LIMIT_SECONDS)
    except ValueError as error:
        raise SettingsError(f"history_url: {error}", "keep it elsewhere: --history-url redis://HOST:PORT") from error
