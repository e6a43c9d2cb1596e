"""The figures of a finding again, with other inputs: what a reader changes on its page. PURE."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import InvalidOperation
from typing import Any

from findings.checks.recomputing import FIGURES, CannotError, Terms, is_number

MOST = 1e15  # beyond which an input is a typing error

# Inputs that are themselves a figure of the same finding: they follow what it follows.
_FOLLOWS: Mapping[tuple[str, str], str] = {
    ("alert-delay", "time_to_open_worst"): "time_to_open_worst_seconds",
    ("alert-delay", "time_to_open_best"): "time_to_open_best_seconds",
}


def _largest_share(now: Mapping[str, Any]) -> float | None:
    shares = [value for name, value in now.items() if name.startswith("share_")]
    return max(shares) * 100 / sum(shares) if shares and sum(shares) > 0 else None


# Inputs that follow from other inputs, where those are there: (check, name) → from all of them.
_DERIVED: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Any]] = {
    ("cell-failover", "largest_share"): _largest_share,
}


@dataclass(frozen=True)
class Input:
    """One thing that can be changed, once for all figures that it enters."""

    name: str
    value: float
    unit: str
    stated: float
    source: str = ""
    path: str = ""
    line: int | None = None
    note: str = ""

    @property
    def is_changed(self) -> bool:
        return self.value != self.stated


@dataclass(frozen=True)
class Figure:
    """One figure as it was read, and with other inputs; `value` is what it is now."""

    name: str
    unit: str
    stated: Any
    value: Any
    formula: str
    problem: str = ""

    @property
    def is_changed(self) -> bool:
        return bool(self.value != self.stated)


@dataclass(frozen=True)
class Outcome:
    inputs: tuple[Input, ...]
    figures: tuple[Figure, ...]
    terms: Mapping[str, Terms]  # figure → its inputs as they are now


def outcome(check_id: str, quantities: Any, changes: Mapping[str, float]) -> Outcome:
    """`quantities` as a finding keeps them. Changes of names that nothing can be made of are ignored."""
    followed = {name: figure for (check, name), figure in _FOLLOWS.items() if check == check_id}
    stated = [each for each in quantities if isinstance(each, dict)] if isinstance(quantities, list) else []
    asked: set[str] = set()
    can = [each for each in stated if _reproduces(check_id, each, asked)]
    inputs = [each for each in _inputs(can, changes, followed) if each.name in asked]
    now: dict[str, Any] = {each.name: each.value for each in inputs}
    for (check, name), derive in _DERIVED.items():
        before = {each.name: each.stated for each in inputs}
        if check == check_id and name in now and _same(derive(before), before[name]):
            now[name] = derive(now)
            inputs = [each for each in inputs if each.name != name]
    figures: list[Figure] = []
    terms: dict[str, Terms] = {}
    made: dict[str, Any] = {}
    for each in can:
        known = now | {name: made[figure] for name, figure in followed.items() if figure in made}
        figure = _figure(check_id, each, known)
        terms[figure.name] = _terms(each, known)
        made[figure.name] = figure.value
        figures.append(figure)
    return Outcome(tuple(inputs), tuple(figures), terms)


def _terms(quantity: Mapping[str, Any], now: Mapping[str, Any]) -> Terms:
    found = []
    for each in quantity.get("inputs") or []:
        name, value = str(each.get("name", "")), each.get("value")
        found.append((name, now.get(name, value) if is_number(value) else value, str(each.get("unit", ""))))
    return Terms(tuple(found), str(quantity.get("formula", "")))


def _reproduces(check_id: str, quantity: Mapping[str, Any], asked: set[str]) -> bool:
    """Whether its own inputs give the figure: not where an older version computed it, or an input is not kept. Adds the
    inputs that were asked for: another one only tells where those come from, and changing it changes nothing."""
    compute = FIGURES.get((check_id, str(quantity.get("name"))))
    names = [str(each.get("name")) for each in quantity.get("inputs") or []]
    if compute is None or not names or len(set(names)) < len(names):
        return False
    try:
        terms = _terms(quantity, {})
        is_same = _same(compute(terms), quantity.get("value"))
    except (CannotError, ArithmeticError, InvalidOperation, ValueError, TypeError):
        return False
    if is_same:
        asked |= terms.asked
    return is_same


def _same(one: Any, other: Any) -> bool:
    if is_number(one) and is_number(other):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _inputs(
    quantities: Iterable[Mapping[str, Any]], changes: Mapping[str, float], followed: Mapping[str, str]
) -> list[Input]:
    found: dict[str, Input] = {}
    for quantity in quantities:
        for each in quantity["inputs"]:
            name, value = str(each["name"]), each["value"]
            if name not in found and name not in followed and is_number(value):
                found[name] = Input(
                    name, changes.get(name, value), str(each.get("unit", "")), value, str(each.get("source", "")),
                    str(each.get("path") or ""), each.get("line"), str(each.get("note") or ""),
                )  # fmt: skip
    return list(found.values())


def _figure(check_id: str, quantity: Mapping[str, Any], now: Mapping[str, Any]) -> Figure:
    name, stated = str(quantity["name"]), quantity.get("value")
    value, problem = stated, ""
    try:
        value = FIGURES[check_id, name](_terms(quantity, now))
        if is_number(value) and not math.isfinite(value):
            value, problem = None, "it grows without a bound"
    except CannotError as error:
        value, problem = None, str(error)
    except (ArithmeticError, InvalidOperation, ValueError, TypeError):
        value, problem = None, "these inputs make no figure"
    if _same(value, stated):
        value = stated
    return Figure(name, str(quantity.get("unit", "")), stated, value, str(quantity.get("formula", "")), problem)
