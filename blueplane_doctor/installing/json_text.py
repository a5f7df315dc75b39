"""JSON edited as text: every byte outside of what is added, changed or taken away stays as it is."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}]+")
_SPACE = re.compile(r"[ \t\r\n]*")
_FIRST_INDENT = re.compile(r"[\[{][ \t]*\r?\n([ \t]+)\S")


@dataclass
class Node:
    """A value in the text: its place, and the values inside it. `key_start` is the key's place in an object."""

    start: int
    end: int = 0
    kind: str = ""
    """`{`, `[`, or empty for a value without parts."""
    key: str = ""
    key_start: int = 0
    depth: int = 0
    children: list["Node"] = field(default_factory=list)

    def child(self, key: str) -> "Node | None":
        """The member of that name; of several the last, which is the one that readers take."""
        return next((node for node in reversed(self.children) if node.key == key), None)

    @property
    def begin(self) -> int:
        """Where the member begins, with its key if it has one."""
        return self.key_start if self.key_start >= 0 else self.start


class JsonText:
    """A JSON document as text. Raises ValueError for one that is not valid."""

    def __init__(self, text: str) -> None:
        self.text = text
        json.loads(text.removeprefix("\ufeff"))
        self._scan()

    def value(self, node: Node) -> Any:
        """The node's value."""
        return json.loads(self.text[node.start : node.end])

    def at(self, *path: str) -> Node | None:
        """The value at that path of keys."""
        node: Node | None = self.root
        for key in path:
            node = node.child(key) if node and node.kind == "{" else None
        return node

    def append(self, container: Node, value: Any, key: str | None = None) -> None:
        """Add an item to an array, or a member to an object, at its end, in the style of what is there."""
        item = self._rendered(value, container)
        if key is not None:
            item = f"{json.dumps(key)}: {item}"
        if container.children:
            last = container.children[-1]
            self._splice(last.end, last.end, "," + self._space_before(last) + item)
            return
        inside = self.text[container.start + 1 : container.end - 1]
        if not self._multi_line:
            self._splice(container.start + 1, container.end - 1, item)
        elif "\n" in inside:
            self._splice(container.start + 1, container.start + 1, self._line(container.depth + 1) + item)
        else:
            ends = self._line(container.depth + 1) + item, self._line(container.depth)
            self._splice(container.start + 1, container.end - 1, "".join(ends))

    def replace(self, node: Node, value: Any, container: Node) -> None:
        """Put another value in this one's place."""
        self._splice(node.start, node.end, self._rendered(value, container))

    def remove(self, container: Node, node: Node) -> None:
        """Take an item or member out, with its comma."""
        index = container.children.index(node)
        if index:
            self._splice(container.children[index - 1].end, node.end, "")
        elif len(container.children) > 1:
            self._splice(node.begin, container.children[1].begin, "")
        else:
            self._splice(container.start + 1, container.end - 1, "")

    def remove_items(self, path: tuple[str, ...], ours: Callable[[Any], bool]) -> None:
        """Take those items out of the array at that path."""
        while (array := self.at(*path)) and array.kind == "[":
            found = next((item for item in array.children if ours(self.value(item))), None)
            if found is None:
                return
            self.remove(array, found)

    @property
    def _multi_line(self) -> bool:
        return "\n" in self.text.strip() or self.text.strip() in ("{}", "\ufeff{}")

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    @property
    def _indent(self) -> str:
        found = _FIRST_INDENT.search(self.text)
        return found.group(1) if found else "  "

    def _line(self, depth: int) -> str:
        return self._newline + self._indent * depth

    def _space_before(self, node: Node) -> str:
        """The white space before a member, as it stands there; one that shares a line gets a space."""
        found = re.search(r"[ \t\r\n]*\Z", self.text[: node.begin])
        space = found.group() if found else ""
        return space if "\n" in space else " "

    def _rendered(self, value: Any, container: Node) -> str:
        """On one line where the document, or the container's last value, is on one; else indented."""
        last = container.children[-1] if container.children else None
        short = last is not None and last.kind == "{" and "\n" not in self.text[last.start : last.end]
        if not self._multi_line or short:
            return json.dumps(value, ensure_ascii=False)
        lines = json.dumps(value, ensure_ascii=False, indent=self._indent).split("\n")
        return self._line(container.depth + 1).join(lines)

    def _splice(self, start: int, end: int, new: str) -> None:
        self.text = self.text[:start] + new + self.text[end:]
        self._scan()

    def _scan(self) -> None:
        self.root = self._value(self._skip(1 if self.text.startswith("\ufeff") else 0), 0)

    def _skip(self, position: int) -> int:
        found = _SPACE.match(self.text, position)
        return found.end() if found else position

    def _value(self, position: int, depth: int) -> Node:
        first = self.text[position]
        node = Node(position, depth=depth, key_start=-1)
        if first not in "{[":
            found = (_STRING if first == '"' else _SCALAR).match(self.text, position)
            assert found is not None, "json.loads accepted this text"
            node.end = found.end()
            return node
        node.kind = first
        position = self._skip(position + 1)
        while self.text[position] not in "}]":
            child = self._member(position, depth + 1) if first == "{" else self._value(position, depth + 1)
            node.children.append(child)
            position = self._skip(child.end)
            if self.text[position] == ",":
                position = self._skip(position + 1)
        node.end = position + 1
        return node

    def _member(self, position: int, depth: int) -> Node:
        found = _STRING.match(self.text, position)
        assert found is not None, "json.loads accepted this text"
        colon = self._skip(found.end())
        node = self._value(self._skip(colon + 1), depth)
        node.key, node.key_start = json.loads(found.group()), position
        return node
