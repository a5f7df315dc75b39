"""The generations of Blueplane's names: streams, consumer groups, which group writes what, and where its rows are."""

from typing import NamedTuple

from blueplane_doctor.pipeline import CURSOR_MONITOR_SOURCES
from blueplane_doctor.records.base import Record


class Key(Record):
    """Where a message's row is: columns of a table, and for each the path of the message's value.

    A path is a field name, or `metadata.x`, `payload.x.y` inside its JSON. Of alternatives (`a|b`) the first
    with a value serves; `path!` serves also when it is empty, an empty last alternative stands for empty text.
    """

    table: str
    columns: dict[str, str]


class Route(Record):
    """Which messages a writer group owns, and where their rows are.

    A rule maps paths to allowed values: `*` is any, an empty list means that the field is absent. A message fits
    one of `any_of` (all fit an empty list) and none of `none_of`. The first key whose columns all have a value in
    the message is looked up, in each table that exists.
    """

    name: str
    group: str
    any_of: list[dict[str, list[str]]]
    none_of: list[dict[str, list[str]]] = []
    keys: list[Key]


PLATFORMS = ("cursor", "claude_code")
"""Values of a message's `platform` whose routes are known: by design some of their messages have no row."""
_IS_CLAUDE: list[dict[str, list[str]]] = [
    {"platform": ["claude_code"]},
    {"metadata.source": ["jsonl_monitor", "transcript_monitor", "claude_session_monitor"]},
]
_CURSOR_RULES: list[dict[str, list[str]]] = [
    {"platform": ["cursor"]},
    {"metadata.source": list(CURSOR_MONITOR_SOURCES)},
    {"metadata.workspace_hash": ["*"], "sessionId": []},
]
_CLAUDE_RULES: list[dict[str, list[str]]] = [
    {"platform": ["claude_code"], "metadata.source": ["jsonl_monitor", "transcript_monitor"]},
    {"platform": ["claude_code"], "hook_type": ["JSONLTrace"]},
    {"platform": ["claude_code"], "event_type": ["session_start", "session_end"]},
]
_OLD_TABLE = Key(table="raw_traces", columns={"event_id": "event_id"})
_CURSOR_KEYS = [Key(table="cursor_raw_traces", columns={"event_id": "event_id"}), _OLD_TABLE]
_CLAUDE_KEYS = [
    Key(
        table="claude_raw_traces",
        columns={"external_id": "session_id!|external_session_id!|", "uuid": "payload.entry_data.uuid!"},
    ),
    Key(
        table="claude_raw_traces",
        columns={
            "external_id": "session_id!|external_session_id!|",
            "timestamp": "payload.entry_data.timestamp!|timestamp!|",
        },
    ),
    Key(  # of other branches
        table="claude_raw_traces",
        columns={"session_id": "session_id!|external_session_id!|", "uuid": "payload.entry_data.uuid!"},
    ),
    _OLD_TABLE,
]


def _routes(claude_group: str) -> tuple[Route, ...]:
    return (
        Route(name="cursor", group="processors", any_of=_CURSOR_RULES, none_of=_IS_CLAUDE, keys=_CURSOR_KEYS),
        Route(name="claude", group=claude_group, any_of=_CLAUDE_RULES, keys=_CLAUDE_KEYS),
    )


class Layout(NamedTuple):
    """One generation of the pipeline's names."""

    name: str
    queue: str
    """The stream that messages are added to."""
    dead_letters: tuple[str, ...]
    """The streams of what writers gave up."""
    routes: tuple[Route, ...]


CURRENT = Layout(
    name="current",
    queue="telemetry:message_queue",
    dead_letters=("telemetry:dlq", "telemetry:message_queue:dlq"),
    routes=_routes("claude_processors"),
)
EARLIER = Layout(
    name="earlier",
    queue="telemetry:events",
    dead_letters=("telemetry:dlq", "telemetry:events:dlq"),
    routes=_routes("processors"),
)
LAYOUTS = (CURRENT, EARLIER)
