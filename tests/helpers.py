"""Small words that many tests use."""

import json
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from blueplane_doctor.demo import schema
from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.judging.diagnose import diagnose
from blueplane_doctor.model import Finding, Report
from blueplane_doctor.notifying.state import read_state, write_state
from blueplane_doctor.settings.values import Settings, load


def settings_for(pipeline: Pipeline, **flags: object) -> Settings:
    """Settings that examine this pipeline."""
    return load({"home": pipeline.home, "redis_url": pipeline.redis_url, **flags}).settings


def examined(pipeline: Pipeline, **flags: object) -> Report:
    """The report on this pipeline."""
    return diagnose(settings_for(pipeline, **flags))


def finding(report: Report, check_id: str) -> Finding:
    """The finding of one check."""
    return next(f for f in report.findings if f.id == check_id)


def buffer_events(pipeline: Pipeline, count: int) -> None:
    """Leave events in event_buffer.db, as when Redis could not be reached."""
    text = json.dumps({"platform": "cursor", "payload": {"text": PRIVATE_TEXT}})
    with closing(schema.connect(pipeline.home / "event_buffer.db")) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS buffered_events (id INTEGER PRIMARY KEY AUTOINCREMENT, "
            "timestamp TEXT NOT NULL, event_data TEXT NOT NULL, retry_count INTEGER NOT NULL DEFAULT 0)"
        )
        insert = "INSERT INTO buffered_events (timestamp, event_data) VALUES (?, ?)"
        connection.execute("BEGIN")
        connection.executemany(insert, [(pipeline.clock().isoformat(), text)] * count)
        connection.execute("COMMIT")


def enqueue_raw(pipeline: Pipeline, fields: Mapping[Any, Any], at: datetime | None = None) -> list[str]:
    """Add one message of exactly these fields."""
    return pipeline.add([(at or pipeline.clock(), fields)], faked=at is not None)


def age_state(home: Path, seconds: float) -> None:
    """As if what the notifier remembers were so much older: the next sample is of another minute."""
    state = read_state(home)
    assert state is not None
    watch = state.watch.model_copy(update={"last_sample": state.watch.last_sample - seconds})
    write_state(home, state.model_copy(update={"watch": watch}))
