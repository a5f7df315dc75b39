"""What was written into a history."""

import time

from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import RETENTION


def recorded(url: str, metric: str = "status.report", until: float | None = None) -> list[tuple[int, float]]:
    """Samples of the seven days before, by default those before now."""
    storage = HealthMetricsStorage(url)
    try:
        end = time.time() if until is None else until
        samples = storage.samples([metric], max(0, end - RETENTION), end)
        return [(sample.time, sample.values[metric]) for sample in samples]
    finally:
        storage.close()
