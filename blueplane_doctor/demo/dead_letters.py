"""Dead-letter entries: the three shapes in which the pipeline names a message that it gave up."""

import json
from datetime import datetime
from typing import Literal

from blueplane_doctor.demo.messages import Fields
from blueplane_doctor.pipeline import Layout

Shape = Literal["claude", "cursor", "queue_writer"]
SHAPES: tuple[Shape, ...] = ("claude", "cursor", "queue_writer")


def stream_of(shape: Shape, layout: Layout) -> str:
    """The stream that entries of this shape go to."""
    shared, cursor = layout.dead_letters
    return cursor if shape == "cursor" else shared


def entry_of(shape: Shape, entry_id: str, message: Fields, layout: Layout, at: datetime, error: Exception) -> Fields:
    """The dead-letter entry of one message."""
    if shape == "claude":
        return {"message_id": entry_id, "retry_count": "3", "event": json.dumps(message)}
    if shape == "cursor":
        return message | {
            "original_entry_id": entry_id,
            "moved_to_dlq_at": at.isoformat(),
            "stream": layout.queue,
            "consumer_group": layout.routes[0].group,
        }
    return {
        "original_event_id": message.get("event_id", entry_id),
        "original_data": json.dumps(message),
        "error_type": type(error).__name__,
        "error_message": str(error),
        "retry_count": "3",
        "dlq_queued_at": at.isoformat(),
        "can_retry": "true",
    }
