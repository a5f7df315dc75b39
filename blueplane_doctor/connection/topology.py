"""Redis behind Sentinel or in a Cluster: what the URL says.

    redis+sentinel://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]/SERVICE[/DATABASE][?sentinel_password=…]
    redis+cluster://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]

`rediss+…` speaks TLS; `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs` may follow as a query.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

HIDDEN = "***"
SENTINEL, CLUSTER = "sentinel", "cluster"
_PORTS = {SENTINEL: 26379, CLUSTER: 6379}
_QUERY = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname", "sentinel_password")


@dataclass(frozen=True)
class RedisTopology:
    """What such a URL says."""

    kind: str
    """`sentinel` or `cluster`."""
    nodes: tuple[tuple[str, int], ...]
    service: str
    """The name that the sentinels know; empty for a cluster."""
    login: Mapping[str, Any]
    """What the connections to the data are made with."""
    sentinel_login: Mapping[str, Any]

    @property
    def shown(self) -> str:
        """Without user, password and names of hosts: what messages and reports may show."""
        nodes = ",".join(f"{shown_host(host)}:{port}" for host, port in self.nodes)
        return f"{self.service} behind the sentinels {nodes}" if self.kind == SENTINEL else f"the cluster of {nodes}"


def shown_host(host: str) -> str:
    """This machine's name, and `***` for any other: a host's name is private."""
    if host not in ("localhost", "::1") and not host.startswith("127."):
        return HIDDEN
    return f"[{host}]" if ":" in host else host


def without_names(text: str, url: str) -> str:
    """An error's text without the URL's user and hosts, which servers and libraries like to repeat."""
    user, _, hosts = urlsplit(url).netloc.rpartition("@")
    names = {unquote(user.partition(":")[0]), *(_node(node, 1)[0] for node in hosts.split(",") if node)}
    for name in sorted(name for name in names if name and shown_host(name) == HIDDEN):
        text = re.sub(rf"(?i)(?<!\w){re.escape(name)}(?!\w)", HIDDEN, text)
    return text


def topology_of(url: str) -> RedisTopology | None:
    """What the URL says; None for one of an ordinary Redis. Raises ValueError, not quoting what may be secret."""
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    if scheme not in ("redis", "rediss") or kind not in _PORTS:
        return None
    user, _, hosts = parts.netloc.rpartition("@")
    nodes = tuple(_node(text, _PORTS[kind]) for text in hosts.split(",") if text)
    service, _, database = parts.path.strip("/").partition("/")
    query = dict(parse_qsl(parts.query))
    if not nodes or set(query) - set(_QUERY):
        raise ValueError(f"a host must follow, and the query may hold {', '.join(_QUERY)}")
    if kind == CLUSTER and parts.path.strip("/") not in ("", "0"):
        raise ValueError("a cluster has only database 0")
    if kind == SENTINEL and (not service or database and not database.isdigit()):
        raise ValueError("after the hosts must follow /SERVICE or /SERVICE/DATABASE")
    tls: dict[str, Any] = {"ssl": True} if scheme == "rediss" else {}
    tls |= {name: value for name, value in query.items() if name.startswith("ssl_")}
    if "ssl_check_hostname" in tls:
        tls["ssl_check_hostname"] = tls["ssl_check_hostname"].lower() not in ("0", "false", "no")
    name, _, password = user.partition(":")
    login = tls | {k: unquote(v) for k, v in (("username", name), ("password", password)) if v}
    if database:
        login["db"] = int(database)
    sentinel_login = tls | ({"password": query["sentinel_password"]} if "sentinel_password" in query else {})
    return RedisTopology(kind, nodes, unquote(service) if kind == SENTINEL else "", login, sentinel_login)


def _node(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port == 0:
        raise ValueError("each node must be HOST or HOST:PORT")
    return parts.hostname, parts.port or port
