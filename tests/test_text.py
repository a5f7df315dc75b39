"""Text that came from outside is harmless: no control characters, bounded, never private."""

import pytest

from blueplane_doctor.text import consumer, identifier, plain, word


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("plain words", "plain words", id="as-it-is"),
        pytest.param("", "", id="empty"),
        pytest.param("a\nb", "a\ufffdb", id="newline"),
        pytest.param("\x1b[31mred", "\ufffd[31mred", id="terminal-escape"),
        pytest.param("a\x9bb", "a\ufffdb", id="8-bit-escape"),
        pytest.param("abc\u202ecba", "abc\ufffdcba", id="right-to-left-override"),
        pytest.param("a\u200bb", "a\ufffdb", id="zero-width"),
        pytest.param("a\x00b", "a\ufffdb", id="nul"),
        pytest.param("\ud800", "\ufffd", id="lone-surrogate"),
        pytest.param("größer 漢字", "größer 漢字", id="letters-of-other-scripts"),
        pytest.param(b"bytes", "bytes", id="bytes"),
        pytest.param(b"\xff\xfe", "\ufffd\ufffd", id="bytes-that-are-no-text"),
        pytest.param("x" * 120, "x" * 120, id="just-short-enough"),
        pytest.param("x" * 121, "x" * 119 + "…", id="too-long"),
        pytest.param(b"x" * 10_000_000, "x" * 119 + "…", id="megabytes"),
    ],
)
def test_plain(given: str | bytes, expected: str) -> None:
    assert plain(given) == expected


def test_plain_with_another_limit() -> None:
    assert plain("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("1773479901310-0", "1773479901310-0"),
        (b"consumer-4711", "consumer-4711"),
        ("5f0c6a52-0d2e-4b5e-9a35-000000000001", "5f0c6a52-0d2e-4b5e-9a35-000000000001"),
        ("what is my password?", "(not an ID, 20 characters)"),
        ("-starts-with-a-dash", "(not an ID, 19 characters)"),
        ("trailing\n", "(not an ID, 9 characters)"),
        ("x" * 129, "(not an ID, 129 characters)"),
        ("", "(not an ID, 0 characters)"),
        (b"\xff", "(not an ID, 1 characters)"),
    ],
)
def test_identifier(given: str | bytes, expected: str) -> None:
    assert identifier(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("JSONLTrace", "JSONLTrace"),
        (b"session_start", "session_start"),
        (None, "none"),
        ("", "none"),
        ("two words", "other"),
        ("x" * 65, "other"),
        ("9lives", "other"),
        ("line\n", "other"),
    ],
)
def test_word(given: str | bytes | None, expected: str) -> None:
    assert word(given) == expected


@pytest.mark.parametrize(
    "name",
    ["consumer-20876", "claude-consumer-20876", "cursor_session_monitor", "transcript_monitor-1"],
)
def test_the_pipeline_s_own_consumers_are_named(name: str) -> None:
    """As the server's own processes are called; see docs/PIPELINE.md."""
    assert consumer(name) == consumer(name.encode()) == name


@pytest.mark.parametrize("name", ["anna", "consumer-anna", "host-17", "", "consumer-\u0663"])
def test_any_other_consumer_is_only_described(name: str) -> None:
    assert consumer(name) == f"(a name of its own, {len(name)} characters)"
