"""Configuration files of applications, as they were read. PURE."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from findings.platform.nodes import find
from findings.platform.yaml_reader import MOST_DEPTH, Map, Seq
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Place, Source, Sourced

if TYPE_CHECKING:
    from findings.platform.model import Resource


@record(frozen=True)
class ConfigFile:
    """A configuration file of an application, or one inside a ConfigMap."""

    path: str
    root: Any
    resource: "Resource | None" = None

    @cached_property
    def keys(self) -> frozenset[str]:
        """Every key at any depth: whoever looks for a name need not walk where it is not."""
        found: set[str] = set()
        _gather(self.root, found, set(), 0)
        return frozenset(found)

    def at(self, dotted: str) -> Sourced[Any] | None:
        found = find(self.root, dotted)
        if found is None or found[0] is None:
            return None
        return Sourced(found[0], Source.FILE, self.place(found[1]))

    def place(self, line: int | None = None) -> Place:
        return Place(self.path, line, self.resource.id if self.resource else "")


def _gather(node: Any, found: set[str], seen: set[int], depth: int) -> None:
    if depth > MOST_DEPTH or id(node) in seen:
        return
    if isinstance(node, Map):
        seen.add(id(node))
        found.update(node)
        for value in node.values():
            if isinstance(value, Map | Seq):
                _gather(value, found, seen, depth + 1)
    elif isinstance(node, Seq):
        seen.add(id(node))
        for value in node:
            if isinstance(value, Map | Seq):
                _gather(value, found, seen, depth + 1)
