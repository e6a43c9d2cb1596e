"""Facts that people state: which there are, what each may hold, and beside those of a file. PURE."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from findings.platform.units import number
from platform_risk.quantities.sourced import Facts

SCHEMA = Path(__file__).with_name("data") / "platform-risk.schema.json"
_WORDS = {"number": "a number", "integer": "a whole number", "string": "a text", "boolean": "true or false",
          "array": "a list"}  # fmt: skip
# What is no figure of the platform but an instruction to the scan.
_NO_FACTS = ("suppress",)
UNREAD = "no check reads a fact"
PLACEHOLDER = "NAME"  # as checks ask for a fact of whatever it is called
MOST = 1e15  # a larger number is a slip of the pen
NOT_TAKEN = "so it counts as not stated"


@cache
def schema() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return loaded


def problem(name: str, value: Any) -> str:
    """Why a fact cannot be stated so; "" when it can. `name` is its dotted path in platform-risk.yaml."""
    parts = name.split(".")
    leaf = _leaf(schema(), parts) if all(parts) else None
    if leaf is not None and PLACEHOLDER in parts:
        return f"{name} says {PLACEHOLDER} where the name of what it is about belongs."
    group = schema()["properties"].get(name, {})
    if leaf is None and group.get("type") == "object":
        return f"{name} is a mapping, with {', '.join(group.get('properties', ['NAME']))}."
    if leaf is None or parts[0] in _NO_FACTS:
        return f"No check reads a fact {name}: the names are those of platform-risk.yaml, listed in docs/scan.md."
    stated = leaf.get("type", "string")
    kinds = stated if isinstance(stated, list) else [stated]
    if not any(_is(kind, value) for kind in kinds):
        return f"{name} is {' or '.join(_WORDS[str(kind)] for kind in kinds)}."
    return next(_bounds(name, value, leaf), "")


def _leaf(node: Mapping[str, Any], parts: list[str]) -> Mapping[str, Any] | None:
    """The schema of one value; names on the way may have dots of their own (a Terraform address has)."""
    if not parts:
        return None if "properties" in node or isinstance(node.get("additionalProperties"), dict) else node
    for taken in range(1, len(parts) + 1):
        inner = node.get("properties", {}).get(".".join(parts[:taken]))
        if inner is None and isinstance(node.get("additionalProperties"), dict):
            inner = node["additionalProperties"]
        found = _leaf(inner, parts[taken:]) if inner is not None else None
        if found is not None:
            return found
    return None


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list)
    return isinstance(value, str)


def _bounds(name: str, value: Any, leaf: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            yield f"{name} is a finite number."
        if abs(value) > MOST:
            yield f"{name} is at most {MOST:,.0f}."
        if "exclusiveMinimum" in leaf and value <= leaf["exclusiveMinimum"]:
            yield f"{name} is above {leaf['exclusiveMinimum']}."
        if "exclusiveMaximum" in leaf and value >= leaf["exclusiveMaximum"]:
            yield f"{name} is below {leaf['exclusiveMaximum']}."
        if "minimum" in leaf and value < leaf["minimum"]:
            yield f"{name} is at least {leaf['minimum']}."
        if "maximum" in leaf and value > leaf["maximum"]:
            yield f"{name} is at most {leaf['maximum']}."
    if "enum" in leaf and value not in leaf["enum"]:
        yield f"{name} is one of {', '.join(map(str, leaf['enum']))}."
    if "pattern" in leaf and re.fullmatch(leaf["pattern"], str(value)) is None:
        yield f"{name} is a currency of ISO 4217 by its three capitals, as USD."
    if leaf.get("format") == "date" and not _is_day(value):
        yield f"{name} is a day, as 2026-12-24."
    items = leaf.get("items", {})
    if isinstance(value, list) and items.get("format") == "date" and not all(_is_day(each) for each in value):
        yield f"{name} lists days, as 2026-12-24."


def _is_day(value: Any) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def taken(tree: Mapping[str, Any], before: str = "") -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What of a file's facts counts, and (dotted name, what is wrong with it) of the others: a value of a wrong kind is
    none, and a name that nothing reads is a slip of the pen. A number in quotes is one."""
    kept: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{before}{key}"
        if name in _NO_FACTS:
            kept[key] = value
        elif isinstance(value, Mapping):
            kept[key], more = taken(value, f"{name}.")
            wrong += more
        elif _leaf(schema(), name.split(".")) is None and name not in schema()["properties"]:
            wrong.append((name, f"{UNREAD} {name}: docs/scan.md lists those that there are"))
        elif value is not None:
            kept[key] = value if not isinstance(value, str) or not problem(name, value) else _in_quotes(value)
            found = problem(name, kept[key])
            if found:
                del kept[key]
                wrong.append((name, f"{found.rstrip('.')}, {NOT_TAKEN}"))
    return kept, wrong


def _in_quotes(value: str) -> Any:
    plain = number(value)
    return value if plain is None else plain


def leaves(facts: Facts) -> Iterator[tuple[str, Any, int | None]]:
    """(dotted name, value, line) of every fact of a file; lists of plain values are one fact."""

    def walk(node: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any, int | None]]:
        for key, value in node.items():
            name = f"{before}{key}"
            if isinstance(value, Mapping):
                yield from walk(value, f"{name}.")
            elif not isinstance(value, list) or all(not isinstance(each, Mapping | list) for each in value):
                yield name, value, facts.lines.get(name)

    yield from walk({key: value for key, value in facts.tree.items() if key not in _NO_FACTS}, "")


def beside(facts: Facts, stated: Mapping[str, tuple[Any, str]]) -> Facts:
    """The facts of a file with those that people stated (name → value and who said so), which win."""
    if not stated:
        return facts
    return Facts(facts.tree, facts.path, facts.lines, dict(stated))
