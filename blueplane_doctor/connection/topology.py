"""What a Redis URL says, above all one of Redis behind Sentinel or in a Cluster; and how messages may show it.

    redis+sentinel://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]/SERVICE[/DATABASE][?sentinel_password=…]
    redis+cluster://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]

`rediss+…` uses TLS; `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs` may follow as a query.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

HIDDEN = "***"
_LOOPBACK = re.compile(r"127(?:\.\d{1,3}){3}\Z", re.ASCII)
SENTINEL = "sentinel"
CLUSTER = "cluster"
_DEFAULT_PORTS = {SENTINEL: 26379, CLUSTER: 6379}
_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname", "sentinel_password")

Node = tuple[str, int]
"""Host and port."""
_UNREADABLE = (
    "it cannot be read as a URL: the port has to be a number, and / ? # [ ] % in a user or a password are written "
    "as %2F and so on"
)


class UnusableUrl(ValueError):
    """What is wrong with a URL, in words that quote nothing of it."""


def parts_of(url: str) -> SplitResult:
    """The parts of a URL of one server, of which host and port can be asked for. Raises UnusableUrl."""
    parts = _split(url)
    try:
        _ = (parts.hostname, parts.port)
    except ValueError:
        raise UnusableUrl(_UNREADABLE) from None
    return parts


def _split(url: str) -> SplitResult:
    # The library's own errors quote what they complain of, such as the part of a password behind a `/`.
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UnusableUrl(_UNREADABLE) from None
    if parts.scheme != "unix" and "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise UnusableUrl(_UNREADABLE)  # what looks like host and port before it is the beginning of a password
    return parts


class RedisTopology(NamedTuple):
    """Several servers behind one URL."""

    kind: str
    """`sentinel` or `cluster`."""
    nodes: tuple[Node, ...]
    service: str
    """The name that the sentinels know the master by; empty for a cluster."""
    login: Mapping[str, Any]
    """Options of the connections to the data, as redis-py names them."""
    sentinel_login: Mapping[str, Any]
    """Options of the connections to the sentinels."""

    @property
    def shown(self) -> str:
        """Without user, password and names of hosts: what messages and reports may show."""
        nodes = ",".join(f"{shown_host(host)}:{port}" for host, port in self.nodes)
        if self.kind == SENTINEL:
            return f"the master behind the sentinels {nodes}"
        return f"the cluster of {nodes}"


def address_of(url: str) -> str:
    """A Redis URL as messages and reports may show it: without user, password, host and query."""
    topology = topology_of(url)
    if topology:
        return topology.shown
    parts = parts_of(url)
    if parts.scheme == "unix":
        return "a unix socket"
    address = f"{shown_host(parts.hostname or 'localhost')}:{parts.port or 6379}"
    database = _number_in_path(parts)
    if database in ("", "0"):
        return address
    return f"{address} database {database}"


def database_of(url: str) -> int:
    """The number of the database that a Redis URL names. Raises UnusableUrl."""
    topology = topology_of(url)
    if topology:
        return int(topology.login.get("db") or 0)
    parts = parts_of(url)
    number = dict(parse_qsl(parts.query)).get("db", "")
    if not number and parts.scheme != "unix":
        number = _number_in_path(parts)
    if not _is_number(number):
        return 0
    return int(number)


def _number_in_path(parts: SplitResult) -> str:
    """The number of a database that stands behind host and port; empty where there is none."""
    number = parts.path.strip("/")
    return number if _is_number(number) else ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 7


def shown_host(host: str) -> str:
    """The host when it is this machine, and `***` for any other: a host's name is private."""
    if host not in ("localhost", "::1") and not _LOOPBACK.match(host):
        return HIDDEN
    return f"[{host}]" if ":" in host else host


def check_url(url: str) -> None:
    """Raises UnusableUrl for what is no URL of Redis, not quoting what may be secret."""
    if topology_of(url) is not None:
        return
    parts = parts_of(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise UnusableUrl(
            "the scheme of a Redis URL must be redis, rediss or unix, or one of Sentinel or Cluster (docs/SCALING.md)"
        )
    if parts.scheme == "redis" and not parts.query:
        database = parts.path.strip("/")
        if database and not _is_number(database):
            raise UnusableUrl("what follows the host must be the number of a database")


def topology_of(url: str) -> RedisTopology | None:
    """What the URL says; None for one of a single Redis. Raises UnusableUrl, not quoting what may be secret."""
    parts = _split(url)
    scheme, _, kind = parts.scheme.partition("+")
    if scheme not in ("redis", "rediss") or kind not in _DEFAULT_PORTS:
        return None
    user, _, hosts = parts.netloc.rpartition("@")
    members = []
    for text in hosts.split(","):
        if text:
            members.append(_node(text, _DEFAULT_PORTS[kind]))
    nodes = tuple(members)
    service, _, database = parts.path.strip("/").partition("/")
    query = dict(parse_qsl(parts.query))
    _check_parts(kind, nodes, query, service, database)
    tls = _tls_options(parts, query)
    login = {**tls, **_user_and_password(user)}
    if database:
        login["db"] = int(database)
    sentinel_login = dict(tls)
    if "sentinel_password" in query:
        sentinel_login["password"] = query["sentinel_password"]
    if kind == CLUSTER:
        service = ""
    return RedisTopology(kind, nodes, unquote(service), login, sentinel_login)


def _check_parts(kind: str, nodes: tuple[Node, ...], query: Mapping[str, str], service: str, database: str) -> None:
    if not nodes or set(query) - set(_OPTIONS):
        raise UnusableUrl(f"a host must follow, and the query may hold {', '.join(_OPTIONS)}")
    if kind == CLUSTER and (service not in ("", "0") or database):
        raise UnusableUrl("a cluster has only database 0")
    if kind == SENTINEL and (not service or (database and not _is_number(database))):
        raise UnusableUrl("after the hosts must follow /SERVICE or /SERVICE/DATABASE")


def _tls_options(parts: SplitResult, query: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in query.items():
        if name.startswith("ssl_"):
            options[name] = value
    if "ssl_check_hostname" in options:
        options["ssl_check_hostname"] = options["ssl_check_hostname"].lower() not in ("0", "false", "no")
    if parts.scheme.startswith("rediss"):
        options["ssl"] = True
    return options


def _user_and_password(text: str) -> dict[str, str]:
    name, _, password = text.partition(":")
    login = {}
    if name:
        login["username"] = unquote(name)
    if password:
        login["password"] = unquote(password)
    return login


def _node(text: str, default_port: int) -> Node:
    parts = parts_of(f"//{text}")
    if not parts.hostname or parts.port == 0:
        raise UnusableUrl("each node must be HOST or HOST:PORT")
    return parts.hostname, parts.port or default_port
