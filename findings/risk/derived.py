"""Quantities that a check found → inputs of the model: measured, so they win over what is assumed. PURE."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from findings.risk.distributions import Constant, Distribution, Pert
from platform_risk.quantities.sourced import Source, Sourced

_Found = Mapping[str, Mapping[str, Any]]
Derived = dict[str, Sourced[Distribution]]


def derived(check: str, quantities: Iterable[Any]) -> tuple[Derived, str]:
    """The inputs that a finding's own figures state, and the currency of its costs ("" for none)."""
    found = {str(each["name"]): each for each in quantities if isinstance(each, Mapping) and "name" in each}
    made: Derived = {}
    for name, (reads, take) in _TABLE.get(check, {}).items():
        if any(reading in found for reading in reads) and (value := take(found)) is not None:
            made[name] = Sourced(value, _source(found, reads), note=f"{check}: {', '.join(_read(found, reads))}")
    costs, currency = _cost(found)
    return made | costs, currency


def _read(found: _Found, reads: tuple[str, ...]) -> list[str]:
    return [name.replace("_", " ") for name in reads if name in found]


def _source(found: _Found, reads: tuple[str, ...]) -> Source:
    """As weak as the weakest of the terms: a figure that rests on an assumption is one."""
    told = {str(term.get("source")) for name in reads if name in found for term in found[name].get("inputs") or ()}
    for source in (Source.ASSUMPTION, Source.PROVIDER_DEFAULT, Source.FACTS):
        if source.value in told:
            return source
    return Source.FILE


def _number(found: _Found, name: str) -> float | None:
    value = found.get(name, {}).get("value")
    return None if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 else float(value)


def _percent(*names: str) -> Callable[[_Found], Distribution | None]:
    def take(found: _Found) -> Distribution | None:
        shares = [value for name in names if (value := _number(found, name)) is not None]
        return Constant(min(max(shares) / 100, 1.0)) if shares and max(shares) > 0 else None

    return take


def _between(low: str, high: str, unit_minutes: float) -> Callable[[_Found], Distribution | None]:
    """Evenly likely between the best and the worst case."""

    def take(found: _Found) -> Distribution | None:
        best, worst = _number(found, low), _number(found, high)
        if worst is None or best is None:
            return None
        lo, hi = sorted((best * unit_minutes, worst * unit_minutes))
        return Pert(lo, (lo + hi) / 2, hi)

    return take


def _waits(found: _Found) -> Distribution | None:
    mean, longest = _number(found, "mean_wait_hours"), _number(found, "longest_closed_hours")
    if mean is None or longest is None or mean > longest:
        return None
    return Pert(0.0, mean * 60, longest * 60)


def _all_silent(found: _Found) -> Distribution | None:
    return Constant(0.0) if _number(found, "conditions_silent_on_loss") else None


def _seconds(name: str) -> Callable[[_Found], Distribution | None]:
    def take(found: _Found) -> Distribution | None:
        value = _number(found, name)
        return None if value is None else Constant(value / 60)

    return take


_Rule = tuple[tuple[str, ...], Callable[[_Found], Distribution | None]]
# check → input → the quantities it reads, and how
_TABLE: dict[str, dict[str, _Rule]] = {
    "alert-delay": {
        "detect_alerted": (
            ("time_to_open_best_seconds", "time_to_open_worst_seconds"),
            _between("time_to_open_best_seconds", "time_to_open_worst_seconds", 1 / 60),
        )
    },
    "signal-loss": {"alert_probability": (("conditions_silent_on_loss",), _all_silent)},
    "db-connections": {
        "users_affected": (("connections_refused_percent",), _percent("connections_refused_percent"))
    },
    "cell-failover": {
        "users_affected": (
            ("users_affected_percent", "shed_percent"), _percent("users_affected_percent", "shed_percent")
        )
    },
    "kafka-consumers": {"users_affected": (("unserved_percent",), _percent("unserved_percent"))},
    "autoscaling": {"recover": (("seconds_to_max",), _seconds("seconds_to_max"))},
    "cache-staleness": {
        "recover": (
            ("mean_staleness_seconds", "worst_staleness_seconds"),
            _between("mean_staleness_seconds", "worst_staleness_seconds", 1 / 60),
        )
    },
    "secret-rotation": {"recover": (("exposure_seconds",), _seconds("exposure_seconds"))},
    "deployment-windows": {"recover": (("mean_wait_hours", "longest_closed_hours"), _waits)},
}  # fmt: skip

# The first of these that a finding has is what it costs in a year.
_YEARLY = ("cost_first_year", "cost_per_year")


def _cost(found: _Found) -> tuple[Derived, str]:
    for name in _YEARLY:
        value, unit = found.get(name, {}).get("value"), str(found.get(name, {}).get("unit", ""))
        currency = unit[:3]
        if isinstance(value, bool) or not (isinstance(value, int | float | str) and currency.isupper()):
            continue
        try:
            amount = float(Decimal(str(value)))
        except ArithmeticError:
            continue
        if 0 <= amount < 1e15 and len(currency) == 3:
            source = _source(found, (name,))
            note = f"{name.replace('_', ' ')}, as projected"
            return {"recurring_cost": Sourced(Constant(amount), source, note=note)}, currency
    return {}, ""
