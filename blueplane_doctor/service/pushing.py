"""The report's metrics pushed to an OpenTelemetry receiver. Imported where that is asked for: it needs extra `otel`."""

import contextlib
import io
import socket
from collections.abc import Iterator
from functools import partial
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client.parser import text_string_to_metric_families
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from blueplane_doctor import __version__
from blueplane_doctor.errors import UsageError
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.metrics import to_prometheus
from blueplane_doctor.sources import Deadline

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# As often as Prometheus usually asks.
_PUSH_SECONDS = 15.0
_ANSWER_SECONDS = 5.0
"""For an answer of the receiver, to the end of its headers."""


@contextlib.contextmanager
def pushing(service: HealthService, endpoint: str, *, every: float = _PUSH_SECONDS) -> Iterator[None]:
    """Push every so many seconds while the block runs. Raises UsageError."""
    provider = _provider(_metrics_url(endpoint), every)
    try:
        _observe(service, provider.get_meter("blueplane-doctor", __version__))
        yield
    finally:
        with contextlib.suppress(Exception):  # a receiver that is away must not spoil a clean end
            provider.shutdown(timeout_millis=3_000)


def _metrics_url(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("--otlp-endpoint: must be a URL that begins with http:// or https://")
    if parts.path.endswith("/v1/metrics"):
        return endpoint
    return endpoint.rstrip("/") + "/v1/metrics"


def _provider(url: str, every: float) -> MeterProvider:
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(endpoint=url, timeout=5, session=session()),
        export_interval_millis=every * 1000,
        export_timeout_millis=5_000,
    )
    resource = Resource.create({"service.name": "blueplane-doctor", "service.version": __version__})
    return MeterProvider([reader], resource=resource, shutdown_on_exit=False)


def _observe(service: HealthService, meter: Meter) -> None:
    for family in _families(service).values():
        if family.type == "gauge":
            callback = partial(_observed, service, family.name)
            meter.create_observable_gauge(family.name, [callback], description=family.documentation)


def _observed(service: HealthService, name: str, options: object) -> list[Observation]:
    family = _families(service).get(name)
    if family is None:
        return []
    observations = []
    for sample in family.samples:
        observations.append(Observation(sample.value, dict(sample.labels)))
    return observations


def _families(service: HealthService) -> dict[str, Any]:
    """The metrics of now by name; parsed once for a snapshot, for every one of them asks for itself."""

    def parse() -> dict[str, Any]:
        return {family.name: family for family in text_string_to_metric_families(to_prometheus(service))}

    return service.current().once("families", parse)


class _InTime(io.RawIOBase):
    """What comes over a socket within a time as a whole; the socket's own limit begins anew with every byte."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._deadline = Deadline(seconds)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Raises TimeoutError when the time is over, and OSError."""
        if self._deadline.passed:
            raise TimeoutError
        self._connection.settimeout(self._deadline.remaining)
        return self._connection.recv_into(buffer)

    def makefile(self, _: str) -> io.BufferedReader:
        """As of a socket, for the library's reader of answers."""
        return io.BufferedReader(self)


class _Answer(HTTPResponse):
    """An answer with a time limit for all that is read of it."""

    def __init__(self, connection: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(_InTime(connection, _ANSWER_SECONDS), *arguments, **options)  # type: ignore[arg-type]


class _Connection(HTTPConnection):
    response_class = _Answer


class _SecureConnection(HTTPSConnection):
    response_class = _Answer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _CodeAlone(HTTPAdapter):
    """Takes of a receiver's answer the code alone, for the rest of it may never end.

    The library reads an answer whole, however long it is, and its older versions follow redirects to other servers.
    """

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        _take_time(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*arguments, **options)
        _take_time(manager)
        return manager

    def send(
        self, request: requests.PreparedRequest, stream: bool = True, *arguments: Any, **options: Any
    ) -> requests.Response:
        answer = super().send(request, True, *arguments, **options)  # True: the body is not read
        answer.close()
        code_alone = requests.Response()
        code_alone.request = request
        code_alone.url = answer.url
        code_alone.status_code = answer.status_code
        code_alone.reason = answer.reason
        return code_alone


def _take_time(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def session() -> requests.Session:
    """A session for the exporter."""
    made = requests.Session()
    for scheme in ("http://", "https://"):
        made.mount(scheme, _CodeAlone())
    return made
