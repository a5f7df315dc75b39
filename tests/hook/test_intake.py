"""What an editor hands over: in every encoding, with every mark, and beyond every bound."""

import json

import pytest

from blueplane_hook import events, intake


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


NOT_UNDERSTOOD = {
    "empty": b"",
    "cut": b"{",
    "list": b"[]",
    "number": b"7",
    "null": b"null",
    "not UTF-8": b'{"a": "\xff"}',
    "5,000 digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "brackets": b"[" * 100_000,
    "deep": nested(100_000),
    "too deep for the server": nested(985),
    "one level too deep": nested(intake.DEEPEST + 1),
    "mark in the middle": b'{"a"\xef\xbb\xbf: 1}',
}


@pytest.mark.parametrize("kind", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_none(kind: str) -> None:
    assert intake.understood(NOT_UNDERSTOOD[kind]) is None
    assert events.envelope("stop", NOT_UNDERSTOOD[kind], "/nowhere") is None


def test_more_than_can_be_parsed_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "PARSED_LIMIT", 20)
    assert intake.understood(b'{"a": 1}'.ljust(20)) is not None
    assert intake.understood(b'{"a": 1}'.ljust(21)) is None


TEXT = '{"conversation_id": "c", "prompt": "ä"}'


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(TEXT.encode(), id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), id="a byte-order mark"),
        pytest.param(b"\xef\xbb\xbf\xef\xbb\xbf" + TEXT.encode(), id="two"),
        pytest.param(b"\xef\xbb\xbf" * 5 + b" \r\n" + TEXT.encode() + b"\r\n", id="five, and white space"),
        pytest.param(TEXT.encode("utf-16"), id="UTF-16"),
        pytest.param(("\ufeff" + TEXT).encode("utf-16"), id="UTF-16 with two"),
        pytest.param(TEXT.encode("utf-16-be"), id="UTF-16 without"),
        pytest.param(TEXT.encode("utf-32"), id="UTF-32"),
    ],
)
def test_byte_order_marks_and_encodings_are_understood(raw: bytes) -> None:
    body = events.envelope("stop", raw, "/nowhere")
    assert body is not None
    assert json.loads(body)["event"]["payload"]["full_data"]["hook_input"] == json.loads(TEXT)


@pytest.mark.parametrize("raw", [nested(intake.DEEPEST), b'{"a": [' + b"[]," * 5_000 + b"[]]}"], ids=["deep", "wide"])
def test_what_is_deep_or_wide_within_bounds_is_sent(raw: bytes) -> None:
    body = events.envelope("stop", raw, "/nowhere")
    assert body is not None
    assert json.loads(body)["event"]["payload"]["full_data"]["hook_input"] == json.loads(raw)
