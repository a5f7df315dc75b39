"""A plan of two messages, as it is written down."""

from blueplane_doctor.repair.plan import Condition, Item, Plan, Room

ITEM = Item(target="stuck", action="deliver", source="stream", id="5-0")
PLAN = Plan(
    id="0a1b",
    made_at="2026-01-01T00:00:00Z",
    made_ms=1,
    home="/home",
    address="127.0.0.1:1",
    run_id="r",
    queue="telemetry:message_queue",
    dead_letters="telemetry:message_queue:dlq",
    read_to="9-0",
    items=(ITEM, ITEM),
    room=Room(used=0, limit=10_000),
    before=Condition(status="red", headline="", equation=""),
)
