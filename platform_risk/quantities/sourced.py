"""A value with its source, or the reason why there is none; and figures computed from such values. PURE."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from platform_risk.quantities.records import record

T = TypeVar("T")
U = TypeVar("U")


class Source(StrEnum):
    FILE = "file"
    FACTS = "facts"
    PROVIDER_DEFAULT = "provider_default"
    ASSUMPTION = "assumption"


@record(frozen=True, slots=True)
class Place:
    """Where something is stated. `line` counts from 1; `resource` is what it belongs to, as Deployment/shop/api."""

    path: str = ""
    line: int | None = None
    resource: str = ""


NOWHERE = Place()


@record(frozen=True, slots=True)
class Sourced(Generic[T]):
    """A value and where it is stated. `note` cites what a default or an assumption rests on."""

    value: T
    source: Source = Source.FILE
    place: Place = NOWHERE
    note: str = ""

    def map(self, convert: Callable[[T], U]) -> "Sourced[U]":
        return Sourced(convert(self.value), self.source, self.place, self.note)


@record(frozen=True, slots=True)
class Unknown:
    """Nobody stated it. `provide` says how to: the path of a fact, or what to write where. `partial` is what is known
    of a text, with … for each part that is not."""

    reason: str
    provide: str
    place: Place = NOWHERE
    partial: str = ""


@record(frozen=True, slots=True)
class Input:
    """One term of a figure, with its source."""

    name: str
    value: Any
    unit: str
    source: str
    path: str = ""
    line: int | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        shown = {"name": self.name, "value": self.value, "unit": self.unit, "source": self.source}
        if self.path:
            shown |= {"path": self.path, "line": self.line}
        return shown | ({"note": self.note} if self.note else {})


def input_of(name: str, stated: Sourced[Any], unit: str) -> Input:
    place = stated.place
    return Input(name, stated.value, unit, str(stated.source), place.path, place.line, stated.note)


@record(frozen=True, slots=True)
class Quantity:
    """A figure laid open: value, unit, formula and every input. `value` is None for "unbounded" or "never"."""

    name: str
    value: Any
    unit: str
    formula: str
    inputs: tuple[Input, ...] = ()
    assumptions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "formula": self.formula,
            "inputs": [each.as_json() for each in self.inputs],
        }
        return shown | ({"assumptions": list(self.assumptions)} if self.assumptions else {})


_MOST_PARTS = 50  # of a dotted path: each part may be one with those behind it


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file cannot tell: traffic, targets, prices. A tree of plain values, each with the line it stands on."""

    tree: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)  # dotted path → line
    # What people stated beside the file, and wins: dotted path → value and who said so
    said: Mapping[str, tuple[Any, str]] = field(default_factory=dict)

    def get(self, dotted: str) -> Sourced[Any] | None:
        """What is stated at a dotted path; names on the way may have dots of their own (a Terraform address has)."""
        if dotted in self.said:
            value, who = self.said[dotted]
            return Sourced(value, Source.FACTS, NOWHERE, who)
        if not dotted.startswith(tuple(self.tree)):
            return None  # as nearly always: of most things nobody states anything
        parts = dotted.split(".")
        found = _at(self.tree, parts) if len(parts) <= _MOST_PARTS else None
        if found is None:
            return None
        return Sourced(found[0], Source.FACTS, Place(self.path, self.lines.get(dotted)))

    def names(self, group: str) -> list[str]:
        """Of what a group speaks, as databases or services: the keys below it."""
        node = self.tree.get(group)
        found = dict.fromkeys(node if isinstance(node, Mapping) else ())
        for dotted in self.said:
            first, _, rest = dotted.partition(".")
            if first == group and "." in rest:
                found[rest.rpartition(".")[0]] = None
        return list(found)

    def number(self, dotted: str) -> Sourced[float] | None:
        found = self.get(dotted)
        if found is None or isinstance(found.value, bool) or not isinstance(found.value, int | float):
            return None
        return found


def _at(node: Any, parts: list[str]) -> tuple[Any] | None:
    if not parts:
        return (node,)
    if not isinstance(node, Mapping):
        return None
    for taken in range(1, len(parts) + 1):
        key = ".".join(parts[:taken])
        if key in node and (found := _at(node[key], parts[taken:])) is not None:
            return found
    return None
