"""What HCL expressions refer to: resources, data and modules by their address. PURE."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tree_sitter import Node


def text_of(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


class References(Mapping[str, tuple[str, ...]]):
    """Of those attributes that refer to anything, each looked through when it is first asked for, as few are."""

    def __init__(self, attributes: Mapping[str, tuple[Any, int]]) -> None:
        self._attributes = attributes
        self._known: dict[str, tuple[str, ...]] = {}

    def __getitem__(self, name: str) -> tuple[str, ...]:
        if name not in self._known:
            self._known[name] = references(self._attributes[name][0])
        if not self._known[name]:
            raise KeyError(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._attributes if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def references(expression: Any) -> tuple[str, ...]:
    """What an expression refers to besides variables and locals: aws_rds_cluster.main, module.db."""
    if not isinstance(expression, Node) or not _may_refer(expression.text or b""):
        return ()
    found: dict[str, None] = {}
    pending = [expression]
    while pending:
        node = pending.pop()
        children = node.named_children
        for number, child in enumerate(children):
            if child.type == "variable_expr" and number + 1 < len(children) and children[number + 1].type == "get_attr":
                root = text_of(child)
                names = [
                    text_of(each).strip(". ") for each in children[number + 1 : number + 3] if each.type == "get_attr"
                ]
                if root not in _NO_REFERENCE:
                    found[".".join([root, *(names if root == "data" else names[:1])])] = None
        pending += reversed(children)
    return tuple(found)


_NO_REFERENCE = frozenset(("var", "local", "each", "count", "path", "terraform", "self"))
_BEFORE_DOT = re.compile(rb"(?<![\w-])([A-Za-z_][\w-]*+)\s*+\.")


def _may_refer(text: bytes) -> bool:
    """Whether any word before a dot is something that can be referred to; texts in quotes count, to be on the safe
    side. Most expressions have none, and are spared the walk."""
    if b"." not in text:
        return False
    if not text.isascii():
        return True
    return any(each.decode() not in _NO_REFERENCE for each in _BEFORE_DOT.findall(text))
