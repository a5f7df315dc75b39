"""Edits of JSON as text: the value is right, and every byte outside of the edit is where it was."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueplane_doctor.installing.json_text import JsonText

NEW = {"command": "x"}


def appended(text: str, *path: str, key: str | None = None) -> str:
    document = JsonText(text)
    container = document.at(*path)
    assert container is not None
    document.append(container, NEW, key)
    return document.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"h": []}', '{"h": [{"command": "x"}]}'),
        ('{"h":[1,2]} \n', '{"h":[1,2, {"command": "x"}]} \n'),
        ('{\n  "h": []\n}\n', '{\n  "h": [\n    {\n      "command": "x"\n    }\n  ]\n}\n'),
        ('{\n  "h": [\n  ]\n}', '{\n  "h": [\n    {\n      "command": "x"\n    }\n  ]\n}'),
        (
            '{\r\n\t"h": [\r\n\t\t{"a": 1}\r\n\t]\r\n}',
            '{\r\n\t"h": [\r\n\t\t{"a": 1},\r\n\t\t{"command": "x"}\r\n\t]\r\n}',
        ),
        (
            '{\n    "h": [\n        {\n            "a": 1\n        }\n    ]\n}\n',
            '{\n    "h": [\n        {\n            "a": 1\n        },\n        {\n            "command": "x"\n'
            "        }\n    ]\n}\n",
        ),
        ('\ufeff{"h": ["]}", "\\""]}', '\ufeff{"h": ["]}", "\\"", {"command": "x"}]}'),
    ],
    ids=["line", "tight", "empty", "empty over lines", "tabs and CRLF", "four spaces", "mark and brackets in text"],
)
def test_an_item_is_added_in_the_style_of_the_document(before: str, after: str) -> None:
    assert appended(before, "h") == after


def test_members_are_added_at_the_end() -> None:
    assert appended('{"a": 1}', key="k ü") == '{"a": 1, "k \\u00fc": {"command": "x"}}'
    assert appended("{}\n", key="k") == '{\n  "k": {\n    "command": "x"\n  }\n}\n'


def test_of_two_members_of_one_name_the_last_is_meant() -> None:
    assert json.loads(appended('{"h": [1], "h": [2]}', "h")) == {"h": [2, NEW]}


@pytest.mark.parametrize("broken", ["", " ", "[" * 100_000, "{", "[1,]", "// c\n{}", "{'a': 1}", '{"a": 1} x', "\x00"])
def test_what_is_not_json_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        JsonText(broken)


def test_items_are_taken_out_of_several_containers_at_once() -> None:
    document = JsonText('{"a": [1, 2], "b": [ 3 ],\n "c": [4, 5 , 6]}')
    removals = []
    for member, gone in zip(document.root.children, [slice(0, 1), slice(0, 1), slice(1, 3)], strict=True):
        removals.append((member, member.children[gone]))
    document.remove_each(removals)
    assert document.text == '{"a": [2], "b": [],\n "c": [4]}'


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_styles = st.sampled_from([None, 1, 2, 4, "\t"])


@pytest.mark.slow
@given(st.dictionaries(st.text(), _values, max_size=3), st.lists(_values, max_size=3), _styles, st.booleans())
def test_adding_and_taking_away_keeps_all_other_bytes(
    around: dict[str, Any], items: list[Any], indent: int | str | None, windows: bool
) -> None:
    value = around | {"hooks": items}
    text = json.dumps(value, indent=indent)
    text = text.replace("\n", "\r\n") if windows else text
    document = JsonText(text)
    array = document.at("hooks")
    assert array is not None
    document.append(array, {"command": "\u0000mine"})
    assert json.loads(document.text) == value | {"hooks": [*items, {"command": "\u0000mine"}]}
    assert document.text.startswith(text[: array.children[-1].end if array.children else array.start + 1])
    assert document.text.endswith(text[array.end - 1 :])
    array = document.at("hooks")
    assert array is not None
    document.remove(array, array.children[-1])
    assert json.loads(document.text) == value
    if items:
        assert document.text == text
