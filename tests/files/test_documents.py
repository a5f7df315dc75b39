"""JSON and YAML of others: what is too deep, too large a number, an alias or no value is one kind of error."""

import resource
import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from blueplane_doctor.errors import DocumentError
from blueplane_doctor.files.documents import MOST_DEPTH, depth_of_json, json_value, yaml_value
from blueplane_doctor.text.plain_numbers import LARGEST_NUMBER

DIGITS = "9" * 400


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, -3, null, true]}', {"a": [1, 2.5, -3, None, True]}),
        (b'"\xc3\xa4"', "ä"),
        (str(LARGEST_NUMBER), LARGEST_NUMBER),
        ('"\\ud83d\\ude00"', "😀"),
        ('"[[[[{{{{ \\" ]"', '[[[[{{{{ " ]'),
        ("[" * MOST_DEPTH + "]" * MOST_DEPTH, None),
    ],
)
def test_json_is_read(text: str | bytes, value: Any) -> None:
    read = json_value(text)
    assert value is None or read == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON: Expecting value (line 1, column 1)"),
        ("[1,\n2", "not JSON: Expecting ',' delimiter (line 2, column 2)"),
        (b"\xff\xfe", "not JSON: it is no text"),
        ("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1), "nested more than 50 deep"),
        ('{"a":' * 100_000, "nested more than 50 deep"),
        (f"[{DIGITS}]", "larger than 2^64"),
        (f"-{DIGITS}", "larger than 2^64"),
        ("9" * 5_000, "larger than 2^64"),
        (str(LARGEST_NUMBER + 1), "larger than 2^64"),
        (f"{DIGITS}.5", "larger than 2^64"),
        ("1e400", "larger than 2^64"),
        ("NaN", "NaN is not a number"),
        ("-Infinity", "-Infinity is not a number"),
        ('{"a": ["\\ud800"]}', "half of a surrogate pair"),
        ('{"\\udfff": 1}', "half of a surrogate pair"),
    ],
)
def test_what_is_no_usable_json(text: str | bytes, told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        json_value(text)
    assert told in caught.value.message


def test_depth_is_counted_outside_of_texts() -> None:
    assert depth_of_json('{"a": [[1], "]]]", {"b": "\\"[["}]}') == 3
    assert depth_of_json('"never ended [[[') == 0
    assert depth_of_json("[{}, {}, [{}]]") == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: {b: [1, x, 2026-05-01]}", {"a": {"b": [1, "x", date(2026, 5, 1)]}}),
        ("", None),
        ("a: '&no *alias'", {"a": "&no *alias"}),
    ],
)
def test_yaml_is_read(text: str, value: Any) -> None:
    assert yaml_value(text) == value


@pytest.mark.parametrize(
    ("text", "told", "line"),
    [
        ("a: [1\nb", "not valid YAML", 3),
        ("a: 1\nb: &x 1\n", "anchors and aliases", 2),
        ("a: *x", "anchors and aliases", 1),
        ("[" * 51 + "]" * 51, "nested more than 50 deep", 1),
        ("[" * 100_000, "nested more than 50 deep", 1),
        ("expires: 2026-13-45", "looks like a date or a number is none", 0),
        ("at: 2026-01-01 25:61:00", "looks like a date or a number is none", 0),
        (f"a: {DIGITS}", "larger than 2^64", 0),
        ("a: " + "9" * 5_000, "looks like a date or a number is none", 0),
        ("!!python/object/apply:os.system ['true']", "not valid YAML", 1),
        ("a: !!int ''", "looks like a date or a number is none", 0),
        ("a: !!float '-'", "looks like a date or a number is none", 0),
        ("a: !!bool x", "looks like a date or a number is none", 0),
        ("a: !!timestamp x", "looks like a date or a number is none", 0),
        ("a: 1\nb: " + "1:" * 100_000 + "1", "larger than 2^64", 2),
    ],
)
def test_what_is_no_usable_yaml(text: str, told: str, line: int) -> None:
    with pytest.raises(DocumentError) as caught:
        yaml_value(text)
    assert told in caught.value.message
    assert caught.value.line == line


def aliases() -> str:
    """Each line is ten of the line before: 10^9 values in a few hundred bytes."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 10):
        lines.append(f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]")
    return "\n".join(lines)


def test_aliases_take_no_memory() -> None:
    assert len(aliases()) < 1_000
    program = (
        "import sys\nfrom blueplane_doctor.files.documents import yaml_value\n"
        "from blueplane_doctor.errors import DocumentError\n"
        "try:\n    str(yaml_value(sys.stdin.read()))\nexcept DocumentError as error:\n    print(error.message)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        input=aliases(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (500_000_000, 500_000_000)),
    )
    assert "anchors and aliases" in ended.stdout, ended.stderr
