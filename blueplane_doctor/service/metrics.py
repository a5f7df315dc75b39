"""The report's metrics and how fresh they are: for Prometheus, and pushed to an OpenTelemetry receiver."""

import contextlib
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from blueplane_doctor import __version__
from blueplane_doctor.errors import UsageError
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.prometheus import PREFIX, render
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.snapshot import Snapshot

if TYPE_CHECKING:
    from opentelemetry.metrics import Observation

_PUSH_SECONDS = 15.0


def to_prometheus(service: HealthService) -> str:
    """All metrics in Prometheus' text format."""
    snapshot = service.current()
    gauges = snapshot.once("metrics", lambda: render(snapshot.report, View()))
    return gauges + _freshness(service, snapshot)


def _freshness(service: HealthService, snapshot: Snapshot) -> str:
    now = time.time()
    lines = [
        *_gauge("report_age_seconds", "Since the quick look was made.", snapshot.quick.age_ms(now)),
        *_gauge("custody_age_seconds", "Since the stream was walked through.", snapshot.custody.age_ms(now)),
    ]
    name = f"{PREFIX}refreshes_total"
    lines += [f"# HELP {name} Looks that have ended.", f"# TYPE {name} counter"]
    for look, count in sorted(service.refreshes.items()):
        lines.append(f'{name}{{look="{look}"}} {float(count)}')
    return "\n".join(lines) + "\n"


def _gauge(name: str, help_text: str, milliseconds: int) -> list[str]:
    full = PREFIX + name
    return [f"# HELP {full} {help_text}", f"# TYPE {full} gauge", f"{full} {milliseconds / 1000}"]


@contextlib.contextmanager
def pushing(service: HealthService, endpoint: str | None, *, every: float = _PUSH_SECONDS) -> Iterator[None]:
    """Push every so many seconds while the block runs; nothing without an endpoint. Raises UsageError."""
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
    if parts.path.endswith("/v1/metrics"):
        return endpoint
    return endpoint.rstrip("/") + "/v1/metrics"


def _provider(url: str, every: float) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource

        from blueplane_doctor.service.otlp_session import session
    except ImportError as error:
        raise UsageError(f"--otlp-endpoint needs {error.name}", 'pip install "blueplane-doctor[otel]"') from None
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(endpoint=url, timeout=5, session=session()),
        export_interval_millis=every * 1000,
        export_timeout_millis=5_000,
    )
    resource = Resource.create({"service.name": "blueplane-doctor", "service.version": __version__})
    return MeterProvider([reader], resource=resource, shutdown_on_exit=False)


def _observe(service: HealthService, meter: Any) -> None:
    for family in _families(service).values():
        if family.type == "gauge":
            callback = partial(_observed, service, family.name)
            meter.create_observable_gauge(family.name, [callback], description=family.documentation)


def _observed(service: HealthService, name: str, options: object) -> "list[Observation]":
    from opentelemetry.metrics import Observation

    family = _families(service).get(name)
    if family is None:
        return []
    return [Observation(sample.value, dict(sample.labels)) for sample in family.samples]


def _families(service: HealthService) -> dict[str, Any]:
    """The metrics of now by name; parsed once for a snapshot, for every one of them asks for itself."""

    def parse() -> dict[str, Any]:
        return {family.name: family for family in text_string_to_metric_families(to_prometheus(service))}

    return service.current().once("families", parse)
