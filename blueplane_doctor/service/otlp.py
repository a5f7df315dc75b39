"""The same metrics as `/metrics`, pushed to an OpenTelemetry receiver over HTTP."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from blueplane_doctor import __version__
from blueplane_doctor.errors import UsageError
from blueplane_doctor.service.health_service import HealthService

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation

PUSH_SECONDS = 15.0


@contextlib.contextmanager
def pushing(service: HealthService, endpoint: str | None, *, every: float = PUSH_SECONDS) -> Iterator[None]:
    """Push while the block runs; nothing without an endpoint. Raises UsageError."""
    if endpoint is None:
        yield
        return
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
    return endpoint if parts.path.endswith("/v1/metrics") else endpoint.rstrip("/") + "/v1/metrics"


def _provider(url: str, every: float) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
    except ImportError as error:
        raise UsageError(f"--otlp-endpoint needs {error.name}", 'pip install "blueplane-doctor[otel]"') from None
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(endpoint=url, timeout=5), export_interval_millis=every * 1000, export_timeout_millis=5_000
    )
    resource = Resource.create({"service.name": "blueplane-doctor", "service.version": __version__})
    return MeterProvider([reader], resource=resource, shutdown_on_exit=False)


def _observe(service: HealthService, meter: Any) -> None:
    """A gauge for each family that the Prometheus format knows; what is not known is not pushed."""
    from blueplane_doctor.service.metrics import text

    for family in _families(text(service)):
        if family.type == "gauge":
            callback = _callback(service, family.name)
            meter.create_observable_gauge(family.name, [callback], description=family.documentation)


def _callback(service: HealthService, name: str) -> "Callable[[CallbackOptions], Iterable[Observation]]":
    from opentelemetry.metrics import Observation

    from blueplane_doctor.service.metrics import text

    def observed(options: "CallbackOptions") -> "Iterable[Observation]":
        snapshot = service.current()
        kept = snapshot.rendered.get("families")
        if kept is None:
            kept = snapshot.rendered["families"] = {family.name: family for family in _families(text(service))}
        family = kept.get(name)
        return [Observation(s.value, dict(s.labels)) for s in family.samples] if family else []

    return observed


def _families(text: str) -> Iterable[Any]:
    from prometheus_client.parser import text_string_to_metric_families

    return text_string_to_metric_families(text)
