"""What stands at a dotted path below a node that was read. PURE."""

from functools import lru_cache
from typing import Any

from findings.platform.yaml_reader import Map, Seq


def find(node: Any, dotted: str) -> tuple[Any, int | None] | None:
    """(value, line) at a dotted path below a Map or Seq (`spec.rules.0.host`); None when it is not there."""
    way, _, last = dotted.rpartition(".")
    above = value(node, way) if way else node
    if isinstance(above, Map):
        return (above[last], above.lines.get(last)) if last in above else None
    if isinstance(above, Seq) and last.isdigit() and int(last) < len(above):
        return above[int(last)], above.lines[int(last)]
    return None


@lru_cache(maxsize=4096)
def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(dotted.split("."))


def value(node: Any, dotted: str) -> Any:
    """The value at a path, without its line; None when it is not there, or null."""
    if "." not in dotted and isinstance(node, Map):  # as most that is asked for
        return node.get(dotted)
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
