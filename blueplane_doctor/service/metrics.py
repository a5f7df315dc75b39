"""The report's metrics and how fresh they are, for Prometheus."""

import time

from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.prometheus import PREFIX, render
from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.service.snapshot import Snapshot


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
