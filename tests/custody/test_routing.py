"""Who owns a message and where its row would be, as the simulator's writers say it too; values at a path."""

import itertools
import json
from typing import Any

import pytest

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.routing import Router, routes_in_force
from blueplane_doctor.demo import writers
from blueplane_doctor.layouts import CURRENT, EARLIER, Key, Route
from blueplane_doctor.pipeline import CURSOR_MONITOR_SOURCES, TRACE_TABLES
from blueplane_doctor.settings.values import Settings

TODAY = ("cursor_raw_traces", "claude_raw_traces")


def message(fields: dict[str, str]) -> Message:
    return Message((b"1795358495737-0", [part.encode() for pair in fields.items() for part in pair]))


def router(tables: tuple[str, ...] | None = TODAY) -> Router:
    return Router(CURRENT.routes, tables)


def owner(fields: dict[str, str]) -> str | None:
    route = router().route(message(fields))
    return route.name if route else None


PLATFORMS = ("cursor", "claude_code", "Cursor", "", None)
SOURCES = ("unified_monitor", "user_level_listener", "jsonl_monitor", "transcript_monitor", "claude_session_monitor")
SOURCES += ("python_monitor", None)  # type: ignore[assignment]
HOOKS = ("JSONLTrace", "stop", "SessionStart", None)
EVENTS = ("session_start", "session_end", "assistant", None)


def test_every_combination_is_judged_as_the_writers_judge_it() -> None:
    counted: dict[str | None, int] = {}
    for platform, source, hook, event, hashed, session in itertools.product(
        PLATFORMS, SOURCES, HOOKS, EVENTS, (True, False), (True, False)
    ):
        metadata = ({"source": source} if source else {}) | ({"workspace_hash": "ab"} if hashed else {})
        given = {"platform": platform, "hook_type": hook, "event_type": event, "metadata": json.dumps(metadata)}
        given |= {"sessionId": "661360c4"} if session else {}
        fields = {name: value for name, value in given.items() if value is not None}
        found = owner(fields)
        assert found == writers.owner(fields), fields
        counted[found] = counted.get(found, 0) + 1
    assert counted.keys() == {"cursor", "claude", None} and min(counted.values()) > 50


@pytest.mark.parametrize("source", CURSOR_MONITOR_SOURCES)
def test_every_source_of_the_cursor_monitor_is_cursors(source: str) -> None:
    assert owner({"metadata": json.dumps({"source": source})}) == "cursor"


@pytest.mark.parametrize(
    "metadata", ["", "null", "[]", "text", '{"source": ["unified_monitor"]}', '{"source": null}', "[" * 9_000]
)
def test_malformed_metadata_leaves_the_platform_to_decide(metadata: str) -> None:
    assert owner({"platform": "cursor", "metadata": metadata}) == "cursor"
    assert owner({"platform": "claude_code", "metadata": metadata}) is None
    assert owner({"platform": "claude_code", "metadata": metadata, "hook_type": "JSONLTrace"}) == "claude"
    assert owner({"metadata": metadata}) is None


def test_messages_alike_are_judged_once_and_those_unlike_are_not_mixed_up() -> None:
    one = router()
    for number in range(5_000):
        cursor = one.route(message({"platform": "cursor", "metadata": json.dumps({"n": number})}))
        nobody = one.route(message({"platform": "other", "metadata": json.dumps({"n": number})}))
        assert cursor and cursor.name == "cursor" and nobody is None
    metadata = json.dumps({"workspace_hash": "w"})
    for _ in range(2):  # what only a rule looks at, and a field of the kind that is missing, tell messages apart
        with_session = one.route(message({"metadata": metadata, "sessionId": "s"}))
        without = one.route(message({"metadata": metadata}))
        assert with_session is None and without and without.name == "cursor"
    huge = json.dumps({"source": "unified_monitor", "filler": "x" * 10_000})
    route = one.route(message({"metadata": huge}))
    assert route and route.name == "cursor"


def lookups(fields: dict[str, str], tables: tuple[str, ...] | None = TODAY) -> list[tuple[str, dict[str, str]]]:
    found = message(fields)
    route = router(tables).route(found)
    assert route
    return [(k.table, dict(zip(k.columns, k.values, strict=True))) for k in route.lookups(found)]


CLAUDE = {"platform": "claude_code", "hook_type": "JSONLTrace", "session_id": "s", "timestamp": "t"}


def claude(entry: Any = None, **fields: str) -> list[tuple[str, dict[str, str]]]:
    payload = {} if entry is None else {"payload": json.dumps({"entry_data": entry})}
    return lookups(CLAUDE | payload | fields)


@pytest.mark.parametrize(
    ("found", "columns"),
    [
        (claude({"uuid": "u"}), {"external_id": "s", "uuid": "u"}),
        (claude({"uuid": 12345}), {"external_id": "s", "uuid": "12345"}),
        (claude({"uuid": ""}), {"external_id": "s", "uuid": ""}),
        (claude({"timestamp": "e"}), {"external_id": "s", "timestamp": "e"}),
        (claude({"uuid": None, "timestamp": "e"}), {"external_id": "s", "timestamp": "e"}),
        (claude({}), {"external_id": "s", "timestamp": "t"}),
        (claude(None), {"external_id": "s", "timestamp": "t"}),
        (claude(None, payload="text"), {"external_id": "s", "timestamp": "t"}),
        (claude({}, timestamp=""), {"external_id": "s", "timestamp": ""}),
        (claude({"uuid": "u"}, session_id=""), {"external_id": "", "uuid": "u"}),
    ],
)
def test_where_the_row_of_a_claude_message_is(found: list[tuple[str, dict[str, str]]], columns: dict[str, str]) -> None:
    assert found == [("claude_raw_traces", columns)]


def test_without_a_session_id_the_external_one_serves_and_then_none() -> None:
    given = {"platform": "claude_code", "hook_type": "JSONLTrace", "payload": '{"entry_data": {"uuid": "u"}}'}
    assert lookups(given | {"external_session_id": "x"})[0][1]["external_id"] == "x"
    assert lookups(given)[0][1] == {"external_id": "", "uuid": "u"}


def test_where_the_row_of_a_cursor_message_is() -> None:
    given = {"platform": "cursor", "event_id": "e"}
    assert lookups(given) == [("cursor_raw_traces", {"event_id": "e"})]
    assert lookups(given, TRACE_TABLES) == [("cursor_raw_traces", {"event_id": "e"}), ("raw_traces", {"event_id": "e"})]
    assert lookups(given, None) == lookups(given, TRACE_TABLES), "unknown tables leave all of them possible"
    assert lookups({"platform": "cursor"}) == lookups({"platform": "cursor", "event_id": ""}) == []


def test_routes_in_force() -> None:
    settings = Settings()
    assert routes_in_force(CURRENT, TODAY, settings) == CURRENT.routes
    assert routes_in_force(CURRENT, None, settings) == CURRENT.routes
    assert routes_in_force(CURRENT, TRACE_TABLES, settings) == CURRENT.routes
    (only,) = routes_in_force(EARLIER, ("raw_traces",), settings)
    assert (only.group, only.any_of) == ("processors", []), "the one writer of then wrote everything"
    assert Router([only], ("raw_traces",)).route(message({"platform": "claude_code"})) is not None
    renamed = routes_in_force(CURRENT, TODAY, Settings(streams={"group": "ours"}))
    assert [route.group for route in renamed] == ["ours", "claude_processors"]
    own = Route(name="mine", group="g", any_of=[], keys=[Key(table="t", columns={"id": "event_id"})])
    assert routes_in_force(CURRENT, TODAY, Settings(routes=[own])) == (own,)


def message_of(**fields: str | bytes) -> Message:
    flat = [part if isinstance(part, bytes) else part.encode() for pair in fields.items() for part in pair]
    return Message((b"1795358495737-3", flat))


def test_its_id_compares_as_the_server_compares() -> None:
    assert message_of().id == (1_795_358_495_737, 3)
    assert Message((b"99-0", [])).id < Message((b"100-0", [])).id < Message((b"100-11", [])).id


@pytest.mark.parametrize(
    ("value", "text", "text_when_empty_serves"),
    [
        ("u-1", "u-1", "u-1"),
        ("", None, ""),
        (None, None, None),
        (12345, "12345", "12345"),
        (1.5, "1.5", "1.5"),
        (True, "1", "1"),
        (False, "0", "0"),
        (0, "0", "0"),
        ([], None, None),
        ({}, None, None),
        (["u"], None, None),
        ("\ud800", "?", "?"),
        ("ü€🦊", "ü€🦊", "ü€🦊"),
    ],
)
def test_a_value_inside_json_is_text_as_sqlite_would_store_it(
    value: object, text: str | None, text_when_empty_serves: str | None
) -> None:
    found = message_of(payload=json.dumps({"entry_data": {"uuid": value}}))
    path = "payload.entry_data.uuid"
    assert found.value(path) == text
    assert found.value(path, empty_too=True) == text_when_empty_serves


@pytest.mark.parametrize(
    "payload",
    ["", "no json", "null", "[]", "7", '"text"', '{"entry_data": null}', '{"entry_data": "x"}', "{}", "[" * 90_000],
)
def test_a_path_through_what_is_no_object_leads_nowhere(payload: str) -> None:
    assert message_of(payload=payload).value("payload.entry_data.uuid", empty_too=True) is None


def test_a_field_of_its_own() -> None:
    found = message_of(session_id="", event_id="e", junk=b"\xff\xfe")
    assert found.value("event_id") == "e"
    assert found.value("session_id") is None
    assert found.value("session_id", empty_too=True) == ""
    assert found.value("missing", empty_too=True) is None
    assert found.value("junk") == "\ufffd\ufffd"


@pytest.mark.parametrize(
    ("field", "content", "said"),
    [
        ("payload", "{}", ""),
        ("payload", "text", "payload is not JSON"),
        ("payload", "", "payload is not JSON"),
        ("payload", '"text"', "payload is text instead of an object"),
        ("payload", "[1]", "payload is a list instead of an object"),
        ("payload", "null", "payload is null instead of an object"),
        ("payload", "7", "payload is a bare value instead of an object"),
        ("payload", "true", "payload is a bare value instead of an object"),
        ("metadata", "[]", "metadata is a list instead of an object"),
        ("metadata", b"\xff", "metadata is not JSON"),
        ("payload", "[" * 90_000, "payload is not JSON"),
        ("other", "text", ""),
    ],
)
def test_what_is_wrong_with_its_form(field: str, content: str | bytes, said: str) -> None:
    assert message_of(**{field: content}).malformed() == said


@pytest.mark.parametrize(
    ("stamp", "milliseconds"),
    [
        ("2026-03-14T09:26:53Z", 1_773_480_413_000),
        ("2026-03-14T10:26:53.250+01:00", 1_773_480_413_250),
        ("2026-03-14T09:26:53", 1_773_480_413_000),
        ("2026-03-14 09:26:53", 1_773_480_413_000),
        ("soon", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("9" * 100, None),
    ],
)
def test_when_it_happened_by_its_own_word(stamp: str, milliseconds: int | None) -> None:
    assert message_of(timestamp=stamp).event_ms() == milliseconds
