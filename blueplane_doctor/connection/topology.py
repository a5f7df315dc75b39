"""What a Redis URL says, above all one of Redis behind Sentinel or in a Cluster; and how messages may show it.

    redis+sentinel://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]/SERVICE[/DATABASE][?sentinel_password=…]
    redis+cluster://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]

`rediss+…` uses TLS; `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs` may follow as a query.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

HIDDEN = "***"
SENTINEL = "sentinel"
CLUSTER = "cluster"
_DEFAULT_PORTS = {SENTINEL: 26379, CLUSTER: 6379}
_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname", "sentinel_password")

Node = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True)
class RedisTopology:
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
            return f"{self.service} behind the sentinels {nodes}"
        return f"the cluster of {nodes}"


def address_of(url: str) -> str:
    """A Redis URL as messages and reports may show it: without user, password, host and query."""
    topology = topology_of(url)
    if topology:
        return topology.shown
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return "unix socket " + (parts.path.rsplit("/", 1)[-1] or "?")
    address = f"{shown_host(parts.hostname or 'localhost')}:{parts.port or 6379}"
    database = parts.path.strip("/")
    if database in ("", "0"):
        return address
    return f"{address} database {database}"


def shown_host(host: str) -> str:
    """The host when it is this machine, and `***` for any other: a host's name is private."""
    if host not in ("localhost", "::1") and not host.startswith("127."):
        return HIDDEN
    return f"[{host}]" if ":" in host else host


def without_names(text: str, url: str) -> str:
    """An error's text without the URL's user and hosts, which servers and libraries like to repeat."""
    user, _, hosts = urlsplit(url).netloc.rpartition("@")
    names = {unquote(user.partition(":")[0])}
    names.update(_node(node, 1)[0] for node in hosts.split(",") if node)
    for name in sorted(names):
        if name and shown_host(name) == HIDDEN:
            text = re.sub(rf"(?i)(?<!\w){re.escape(name)}(?!\w)", HIDDEN, text)
    return text


def check_url(url: str) -> None:
    """Raises ValueError for what is no URL of Redis, not quoting what may be secret."""
    parts = urlsplit(url)
    if topology_of(url) is None and parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError(
            "the scheme of a Redis URL must be redis, rediss or unix, or one of Sentinel or Cluster (docs/SCALING.md)"
        )
    if parts.scheme == "redis" and not parts.query:
        database = parts.path.strip("/")
        if database and not database.isdigit():
            raise ValueError("what follows the host must be the number of a database")


def topology_of(url: str) -> RedisTopology | None:
    """What the URL says; None for one of a single Redis. Raises ValueError, not quoting what may be secret."""
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    if scheme not in ("redis", "rediss") or kind not in _DEFAULT_PORTS:
        return None
    user, _, hosts = parts.netloc.rpartition("@")
    nodes = tuple(_node(text, _DEFAULT_PORTS[kind]) for text in hosts.split(",") if text)
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
        raise ValueError(f"a host must follow, and the query may hold {', '.join(_OPTIONS)}")
    if kind == CLUSTER and (service not in ("", "0") or database):
        raise ValueError("a cluster has only database 0")
    if kind == SENTINEL and (not service or (database and not database.isdigit())):
        raise ValueError("after the hosts must follow /SERVICE or /SERVICE/DATABASE")


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
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port == 0:
        raise ValueError("each node must be HOST or HOST:PORT")
    return parts.hostname, parts.port or default_port
