"""A connection to the Redis that holds the history: pipelined commands, raw RESP2 replies, our errors."""

from typing import Any

from blueplane_doctor.errors import (
    SettingsError,
    SourceError,
    SourceRefused,
    SourceTimeout,
    SourceUnreachable,
    SourceUnusable,
)
from blueplane_doctor.redis_places import CLUSTER, places_of, without_names
from blueplane_doctor.sources.redis_source import address_of
from blueplane_doctor.sources.wire import Command, Nodes, Refused, open_nodes

ANSWER_SECONDS = 2.0
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
        except TimeoutError as error:
            self.close()
            raise SourceTimeout(
                f"Redis at {self.address} gave no answer in {ANSWER_SECONDS:g} s",
                "see whether it is busy or stopped",
            ) from error
        except OSError as error:
            self.close()
            said = without_names(error.strerror or str(error), self.url)
            raise SourceUnreachable(
                f"Redis at {self.address}, which is to hold the history, cannot be reached: {said}",
                "start it, or name the right one with --history-url",
            ) from error
        except Refused as error:
            self.close()
            raise _refusal(self.url, str(error)) from error
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
                raise _refusal(self.url, str(reply)) from reply

    def close(self) -> None:
        """The next question opens another connection."""
        nodes, self._nodes = self._nodes, None
        if nodes:
            nodes.close()


def _refusal(url: str, said: str) -> SourceError:
    said = without_names(said, url)
    kind = said.partition(" ")[0]
    where = f"Redis at {address_of(url)}, which is to hold the history,"
    if kind in ("NOAUTH", "WRONGPASS") or "invalid password" in said:
        return SourceRefused(f"{where} refused the login: {said}", "--history-url redis://USER:PASSWORD@HOST:PORT")
    if kind == "NOPERM":
        return SourceRefused(f"{where} gives this user no permission: {said}", READING_RIGHTS)
    if kind == "LOADING":
        return SourceUnreachable(f"{where} is still loading its data", "try again in a moment")
    hint = "free memory, or keep the history elsewhere: --history-url" if kind == "OOM" else ""
    return SourceUnusable(f"{where} refused: {said}", hint)


def _open(url: str) -> Nodes:
    try:
        places = places_of(url)
        if places and places.kind == CLUSTER:
            raise ValueError("a history is kept in one Redis, not in a cluster")
        return open_nodes(url, ANSWER_SECONDS)
    except ValueError as error:
        raise SettingsError(f"history_url: {error}", "keep it elsewhere: --history-url redis://HOST:PORT") from error
