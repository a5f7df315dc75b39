"""JSON edited as text: every byte outside of what is added, changed or taken away stays as it is."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")
_FIRST_INDENT = re.compile(r"[\[{][ \t]*\r?\n([ \t]+)\S")
_decode = json.JSONDecoder().raw_decode


@dataclass
class Node:
    """A value in the text: its place, and the values inside it."""

    begin: int
    """Where it begins as a part of its container: with its key, if it has one."""
    start: int
    depth: int
    key: str
    end: int = 0
    kind: str = ""
    """`{`, `[`, or empty for a value without parts."""
    children: list["Node"] = field(default_factory=list)


class JsonText:
    """A JSON document as text. Raises ValueError for one that is not valid, or whose parts lie too deep."""

    def __init__(self, text: str) -> None:
        try:
            json.loads(text.removeprefix("\ufeff"))
            self._set(text)
        except RecursionError:
            raise ValueError("its values are nested too deeply") from None

    def value(self, node: Node) -> Any:
        """The node's value."""
        return json.loads(self.text[node.start : node.end])

    def at(self, *path: str) -> Node | None:
        """The value at that path of keys; of several of one name the last, which is the one that readers take."""
        node = self.root
        for key in path:
            if node.kind != "{":
                return None
            members = [child for child in node.children if child.key == key]
            if not members:
                return None
            node = members[-1]
        return node

    def append(self, container: Node, value: Any, key: str | None = None) -> None:
        """Add an item to an array, or a member to an object, at its end, in the style of what is there."""
        item = self._rendered(value, container)
        if key is not None:
            item = f"{json.dumps(key)}: {item}"
        begin = container.start + 1
        end = container.end - 1
        if container.children:
            last = container.children[-1]
            self._splice(last.end, last.end, "," + self._space_before(last) + item)
        elif not self._multi_line:
            self._splice(begin, end, item)
        elif "\n" in self.text[begin:end]:
            self._splice(begin, begin, self._line(container.depth + 1) + item)
        else:
            self._splice(begin, end, self._line(container.depth + 1) + item + self._line(container.depth))

    def replace(self, node: Node, value: Any, container: Node) -> None:
        """Put another value in this one's place."""
        self._splice(node.start, node.end, self._rendered(value, container))

    def remove(self, container: Node, *nodes: Node) -> None:
        """Take items or members out, with their commas."""
        self.remove_each([(container, nodes)])

    def remove_each(self, removals: Iterable[tuple[Node, Sequence[Node]]]) -> None:
        """Take these items or members out of each container. In the order of the text, and none inside of another."""
        parts = []
        place = 0
        for container, nodes in removals:
            start, end, kept = self._without(container, nodes)
            parts += [self.text[place:start], kept]
            place = end
        # Put together once: each change of the text is read as a whole.
        self._set("".join(parts) + self.text[place:])

    def _without(self, container: Node, nodes: Sequence[Node]) -> tuple[int, int, str]:
        """A place in the text, and what stands there when these nodes are gone."""
        gone = {node.begin for node in nodes}
        children = container.children
        kept = ""
        for index, child in enumerate(children):
            if child.begin in gone:
                continue
            if kept:
                kept += self.text[children[index - 1].end : child.begin]
            kept += self.text[child.begin : child.end]
        if kept:
            return children[0].begin, children[-1].end, kept
        return container.start + 1, container.end - 1, ""

    @property
    def _multi_line(self) -> bool:
        return "\n" in self.text.strip() or self.text.strip() in ("{}", "\ufeff{}")

    @property
    def _indent(self) -> str:
        match = _FIRST_INDENT.search(self.text)
        if match is None:
            return "  "
        return match.group(1)

    def _line(self, depth: int) -> str:
        """A line's end, as the document has them, and the indent of a value at that depth."""
        end = "\n"
        if "\r\n" in self.text:
            end = "\r\n"
        return end + self._indent * depth

    def _space_before(self, node: Node) -> str:
        """As it stands there; a member that shares a line gets a space."""
        before = self.text[: node.begin]
        space = before[len(before.rstrip(" \t\r\n")) :]
        if "\n" in space:
            return space
        return " "

    def _rendered(self, value: Any, container: Node) -> str:
        """On one line where the document, or the container's last value, is on one; else indented."""
        if not self._multi_line or self._ends_with_one_line(container):
            return json.dumps(value, ensure_ascii=False)
        lines = json.dumps(value, ensure_ascii=False, indent=self._indent).split("\n")
        return self._line(container.depth + 1).join(lines)

    def _ends_with_one_line(self, container: Node) -> bool:
        """Whether the container's last value is an object on one line."""
        if not container.children:
            return False
        last = container.children[-1]
        return last.kind == "{" and "\n" not in self.text[last.start : last.end]

    def _splice(self, start: int, end: int, new: str) -> None:
        self._set(self.text[:start] + new + self.text[end:])

    def _set(self, text: str) -> None:
        self.text = text
        begin = 0
        if text.startswith("\ufeff"):  # a byte order mark, which editors on Windows write
            begin = 1
        self.root = self._node(self._skip(begin), depth=0)

    def _skip(self, position: int) -> int:
        """The place after the white space that begins here."""
        match = _SPACE.match(self.text, position)
        if match is None:
            return position
        return match.end()

    def _node(self, begin: int, depth: int, *, keyed: bool = False) -> Node:
        key = ""
        start = begin
        if keyed:
            key, end = _decode(self.text, begin)
            start = self._skip(self._skip(end) + 1)
        node = Node(begin, start, depth, key)
        if self.text[start] not in "{[":
            _, node.end = _decode(self.text, start)
            return node
        node.kind = self.text[start]
        position = self._skip(start + 1)
        while self.text[position] not in "}]":
            child = self._node(position, depth + 1, keyed=node.kind == "{")
            node.children.append(child)
            position = self._skip(child.end)
            if self.text[position] == ",":
                position = self._skip(position + 1)
        node.end = position + 1
        return node
