"""Figures of a finding in words: laid open with their inputs, and again with inputs that a reader changes. PURE."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from findings import charts
from findings.charts import Chart
from findings.checks import what_if
from findings.checks.what_if import MOST
from findings.checks.words import singular
from platform_risk.quantities.pricing import UNIT_WORDS, PriceUnit

# What an address says of a changed input: set-api_max_pods=80.
PREFIX = "set-"
_PRICES = frozenset(PriceUnit)
_SMALL, _SMALLEST = 0.01, 0.0001  # below which four decimals tell too little, and below which nothing is told
# Inputs that are a share of something whole. Others in percent are weights, or how much an autoscaler may add.
_SHARES = ("slo", "slo_target", "cell_error", "breaker_threshold")


@dataclass(frozen=True)
class Term:
    """One input of a figure, in words."""

    name: str
    value: str
    source: str


@dataclass(frozen=True)
class Figure:
    """One figure with its arithmetic laid open."""

    name: str
    value: str
    formula: str
    terms: list[Term]
    assumptions: list[str]


_SOURCES = {"file": "", "facts": "stated in the facts", "provider_default": "default", "assumption": "assumed"}


def laid_open(quantities: Any) -> list[Figure]:
    """Every figure of a finding, as it keeps them."""
    stated = quantities if isinstance(quantities, list) else []
    return [
        Figure(
            name=str(each.get("name", "")),
            value=_amount(each.get("value"), str(each.get("unit", ""))),
            formula=str(each.get("formula", "")),
            terms=[_term(one) for one in each.get("inputs") or [] if isinstance(one, dict)],
            assumptions=[str(one) for one in each.get("assumptions") or []],
        )
        for each in stated
        if isinstance(each, dict)
    ]


def _term(stated: dict[str, Any]) -> Term:
    place = f"{stated['path']}:{stated['line']}" if stated.get("path") and stated.get("line") else stated.get("path")
    parts = (place, _SOURCES.get(str(stated.get("source")), ""), stated.get("note"))
    return Term(
        name=str(stated.get("name", "")),
        value=_amount(stated.get("value"), str(stated.get("unit", ""))),
        source=", ".join(str(part) for part in parts if part),
    )


def _unit(unit: str) -> str:
    """USD per_gb_month → USD per GB stored and month."""
    currency, _, kind = unit.partition(" ")
    return f"{currency} {UNIT_WORDS[PriceUnit(kind)]}" if kind in _PRICES else unit


def _amount(value: Any, unit: str) -> str:
    unit = _unit(unit)
    if unit == "0 or 1":
        return "yes" if value else "no"
    if value is None:
        return "without a bound"
    if isinstance(value, list):
        steps = [
            " → ".join(_number(one) for one in each) if isinstance(each, list) else _number(each) for each in value
        ]
        return ", ".join(steps) + (f" ({unit})" if unit else "")
    return f"{_number(value)} {singular(unit) if value == 1 else unit}".strip()


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if 0 < abs(value) < _SMALLEST:
        return f"less than {_SMALLEST}"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) >= _SMALL else f"{value:.3g}"
    return f"{int(value):,}"


@dataclass(frozen=True)
class Field:
    """One input that can be changed."""

    name: str
    unit: str
    value: str  # as typed, or as read
    stated: str
    source: str
    error: str
    is_changed: bool


@dataclass(frozen=True)
class Row:
    """One figure as read, and with the changed inputs."""

    name: str
    stated: str
    value: str
    problem: str
    is_changed: bool


@dataclass(frozen=True)
class WhatIf:
    fields: list[Field]
    rows: list[Row]
    chart: Chart | None
    is_changed: bool


def changed(check_id: str, quantities: Any, given: Mapping[str, str]) -> WhatIf | None:
    """The figures with the inputs that an address gives (`set-NAME=VALUE`); None where nothing can be changed."""
    before = what_if.outcome(check_id, quantities, {})
    if not before.inputs:
        return None
    typed = {name.removeprefix(PREFIX): text for name, text in given.items() if name.startswith(PREFIX)}
    numbers, errors = _read(typed, {each.name: each.stated for each in before.inputs})
    after = what_if.outcome(check_id, quantities, numbers)
    is_changed = any(each.is_changed for each in after.inputs)
    fields = [
        Field(
            each.name, _unit(each.unit), typed.get(each.name, _plain(each.stated)), _amount(each.stated, each.unit),
            _source(each), errors.get(each.name, ""), each.is_changed,
        )
        for each in after.inputs
    ]  # fmt: skip
    made = {each.name: each for each in after.figures}
    rows = [_row(each, made.get(str(each.get("name")))) for each in quantities if isinstance(each, dict)]
    return WhatIf(fields, rows, charts.of_finding(check_id, before, after if is_changed else None), is_changed)


def _row(stated: Mapping[str, Any], made: what_if.Figure | None) -> Row:
    if made is None:
        name, shown = str(stated.get("name", "")), _amount(stated.get("value"), str(stated.get("unit", "")))
        return Row(name, shown, shown, "not computed anew", is_changed=False)
    stated_, value = _amount(made.stated, made.unit), _amount(made.value, made.unit)
    return Row(made.name, stated_, value, made.problem, made.is_changed)


def _read(typed: Mapping[str, str], stated: Mapping[str, float]) -> tuple[dict[str, float], dict[str, str]]:
    """(name → number, name → what is wrong with it), of the inputs that there are."""
    numbers: dict[str, float] = {}
    errors: dict[str, str] = {}
    for name in stated.keys() & typed.keys():
        try:
            value = float(typed[name].strip()[:40])
        except ValueError:
            errors[name] = "This is not a number." + (" Decimals stand behind a point." if "," in typed[name] else "")
            continue
        most = 100 if name in _SHARES else MOST
        if not math.isfinite(value) or not 0 <= value <= most:
            errors[name] = f"A number from 0 to {most:,.0f}."
        else:
            numbers[name] = int(value) if value.is_integer() else value
    return numbers, errors


def _plain(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


def _source(each: what_if.Input) -> str:
    place = f"{each.path}:{each.line}" if each.path and each.line else each.path
    return ", ".join(part for part in (place, _SOURCES.get(each.source, ""), each.note) if part)
