"""Samples of the history, made from direct look-ups in Redis, as a recorder would have kept them at another time."""

import time

from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import Sample, minute_of
from tests.truth.messages import QUEUE, WRITER_GROUPS
from tests.truth.situation import Situation


def record_sample(s: Situation, ago_s: float | None) -> None:
    """Keep what the stream's counters are now as the sample of a moment that many seconds ago; None: keep nothing."""
    if ago_s is None:
        return
    values = {"queue.entries_added": float(s.client.xinfo_stream(QUEUE)["entries-added"])}
    for info in s.client.xinfo_groups(QUEUE):
        if info["name"] not in WRITER_GROUPS:
            continue
        path = f"queue.groups.{info['name']}"
        position = info["last-delivered-id"]
        values[f"{path}.entries_read"] = float(info["entries-read"] or 0)
        values[f"{path}.undelivered"] = float(len(s.client.xrange(QUEUE, min=f"({position}")))
        values[f"{path}.pending"] = float(info["pending"])
        values[f"{path}.last_delivered"] = float(position.split("-")[0])
    storage = HealthMetricsStorage(s.redis.url)
    storage.write(Sample(minute_of(time.time() - ago_s), values))
    storage.close()
