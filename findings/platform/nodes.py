"""What stands at a dotted path below a node that was read. PURE."""

from functools import lru_cache
from typing import Any

from findings.platform.yaml_reader import Map, Seq


def find(node: Any, dotted: str) -> tuple[Any, int | None] | None:
    """(value, line) at a dotted path below a Map or Seq (`spec.rules.0.host`); None when it is not there."""
    above: Any = None
    last = ""
    for part in _parts(dotted):
        above, last = node, part
        if isinstance(node, Map):
            if part not in node:
                return None
            node = node[part]
        elif isinstance(node, Seq) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        else:
            return None
    return node, above.lines.get(last) if isinstance(above, Map) else above.lines[int(last)]


@lru_cache(maxsize=4096)
def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(dotted.split("."))


def value(node: Any, dotted: str) -> Any:
    """The value at a path, without its line; None when it is not there, or null."""
    for part in _parts(dotted):
        if isinstance(node, Map):
            node = node.get(part)
        elif isinstance(node, Seq) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        else:
            return None
    return node


def items(node: Any, dotted: str = "") -> list[Any]:
    """The list at a path; [] when there is none."""
    found = value(node, dotted) if dotted else node
    return list(found) if isinstance(found, Seq) else []


def mapping(node: Any, dotted: str = "") -> Map:
    """The mapping at a path; an empty one when there is none. For reading: nobody changes what was read."""
    found = value(node, dotted) if dotted else node
    return found if isinstance(found, Map) else _NOTHING


_NOTHING = Map(0)
