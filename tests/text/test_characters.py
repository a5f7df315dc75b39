"""No character of a text from outside controls a terminal or a CI runner."""

import io
import subprocess

import pytest

from blueplane_doctor.text.characters import PlainStream, document, lines, plain
from tests.parameters import one_quick
from tests.preloaded import preloaded_doctor


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
        pytest.param("a\u2028::error::b\u2029", "a\ufffd::error::b\ufffd", id="separators-of-lines"),
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
    ("written", "shown"),
    [
        ("as it is, größer\n", "as it is, größer\n"),
        ("a\tb\n", "a\tb\n"),
        ("\x1b]52;c;aHVudGVyMg==\x07\n", "\ufffd]52;c;aHVudGVyMg==\ufffd\n"),
        ("a\rb\x9b2J\n", "a\ufffdb\ufffd2J\n"),
        ("abc\u202ecba\n", "abc\ufffdcba\n"),
        ("::error::x\n", ": :error::x\n"),
        ("one\n  ::set-output name=a::b\n", "one\n  : :set-output name=a::b\n"),
        ("##[error]x ##vso[task.setvariable]y\n", "# #[error]x # #vso[task.setvariable]y\n"),
        ("a::b::c\n", "a::b::c\n"),
    ],
)
def test_no_line_is_a_command_of_a_terminal_or_of_a_ci_runner(written: str, shown: str) -> None:
    assert lines(written) == shown


@pytest.mark.parametrize(
    "pieces",
    [
        ["::error::x\n"],
        ["a\n", "::error::x\n"],
        ["a\n::error", "::x\n"],
        [" ", "", "::error::x\n"],
        ["a\n :", ":error::x\n"],
    ],
)
def test_a_stream_is_plain_in_whatever_pieces_it_is_written(pieces: list[str]) -> None:
    under = io.StringIO()
    stream = PlainStream(under)
    for piece in pieces:
        assert stream.write(piece) == len(piece)
    assert under.getvalue() == "".join(pieces).replace("::error", ": :error")


def test_what_stands_behind_the_begin_of_a_line_is_no_command() -> None:
    under = io.StringIO()
    stream = PlainStream(under)
    stream.write("std")
    stream.write("::string\n")
    stream.write("::x\x1b[2J")
    assert under.getvalue() == "std::string\n: :x\ufffd[2J"
    assert stream.isatty() is False


HOSTILE = "\x1b]52;c;aHVudGVyMg==\x07\r\n::error::hunter2"


@pytest.mark.parametrize(
    "words",
    one_quick(
        [
            [HOSTILE],
            [f"--{HOSTILE}"],
            ["--format", HOSTILE],
            ["--output", f"/dev/null/{HOSTILE}.json"],
            ["--select", HOSTILE],
            ["--home", f"/dev/null/{HOSTILE}", "--settings", f"/dev/null/{HOSTILE}"],
            ["--redis-url", HOSTILE],
            ["--timeout", HOSTILE],
            ["convert", f"/dev/null/{HOSTILE}"],
            ["dlq", "list", "--newer-than", HOSTILE],
            ["history", HOSTILE, "--redis-url", "redis://127.0.0.1:1"],
        ]
    ),
)
def test_no_word_of_the_command_line_becomes_a_command(words: list[str]) -> None:
    done = subprocess.run([*preloaded_doctor(), *words], capture_output=True, timeout=60)
    said = done.stderr.decode()
    assert said
    assert "\x1b" not in said
    assert "\r" not in said
    assert not [line for line in said.splitlines() if line.lstrip().startswith("::")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\n  ::error::b ::c\n", "a\n  : :error::b ::c\n"),
        ("a\r::b\r\n", "a\\u000d::b\r\n"),
        ("x##[error] ##vso[task] ## [a]", "x# #[error] # #vso[task] ## [a]"),
        ("\x1b[31mred\x1b[0m\tgrößer", "\x1b[31mred\x1b[0m\tgrößer"),
        ('{"a": "\x9b\u202e\u2028\U000e0041"}', '{"a": "\\u009b\\u202e\\u2028\\udb40\\udc41"}'),
    ],
)
def test_a_document_holds_no_commands_and_nothing_unseen(written: str, shown: str) -> None:
    assert document(written) == shown


def test_in_markup_the_signs_of_commands_are_references() -> None:
    assert document("<p>\n::x ##[y]</p>", is_markup=True) == "<p>\n:&#58;x #&#35;[y]</p>"
