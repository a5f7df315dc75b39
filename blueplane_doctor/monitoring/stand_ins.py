"""Whether what is examined is the pipeline's, where a default stands in for settings that cannot be used."""

from urllib.parse import urlsplit

from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.pipeline import DEFAULT_HTTP_PORT
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources.process_use import Address, server_that_listens_on
from blueplane_doctor.sources.redis_address import is_this_machine
from blueplane_doctor.sources.server_process import ServerProcess


def is_redis_known(examination: Examination, *, is_seen: bool) -> bool:
    """Whether the examined Redis is the pipeline's. `is_seen`: the server's process is connected to it."""
    if is_seen or not examination.settings.is_stand_in("redis_url"):
        return True
    try:
        examination.stream()
    except SourceError:
        return False
    return True


def is_port_known(settings: Settings, server: ServerProcess) -> bool:
    """Whether what is asked over HTTP is the pipeline's server. `server`: the one of the examined home."""
    if not settings.is_stand_in("http_url"):
        return True
    return server.is_running and server_at(settings.http_url) == server.pid


def server_at(http_url: str) -> int | None:
    """The process of this machine's server that answers there: the pid file may be that of an earlier one."""
    parts = urlsplit(http_url)
    host = parts.hostname or "localhost"
    if not is_this_machine(host):
        return None
    return server_that_listens_on(Address(host, parts.port or DEFAULT_HTTP_PORT))
