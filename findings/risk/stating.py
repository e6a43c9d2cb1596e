"""Estimates as people and tables write them → distributions. PURE. Raises ValueError in words for the person."""

from collections.abc import Mapping
from enum import StrEnum

from findings.risk.distributions import PRIOR, Constant, Distribution, LogNormal, Pert, days_between


class Kind(StrEnum):
    NUMBER = "number"
    RANGE = "range"  # lo, mode, hi
    INTERVAL = "interval"  # lo, hi: nine times in ten between them
    DAYS_BETWEEN = "days_between"  # lo, mode, hi: of a frequency
    INCIDENTS = "incidents"  # incidents, years: of a frequency


NEEDS: dict[Kind, tuple[str, ...]] = {
    Kind.NUMBER: ("value",),
    Kind.RANGE: ("lo", "mode", "hi"),
    Kind.INTERVAL: ("lo", "hi"),
    Kind.DAYS_BETWEEN: ("lo", "mode", "hi"),
    Kind.INCIDENTS: ("incidents", "years"),
}
SHARES = ("users_affected", "alert_probability", "secondary_probability")
MONEY = ("fixed_cost", "secondary_cost", "recurring_cost")
UNITS = {
    "frequency": "events a year",
    "users_affected": "(share of 1)",
    "alert_probability": "(share of 1)",
    "detect_alerted": "minutes",
    "detect_silent": "minutes",
    "recover": "minutes",
    "fixed_cost": "{currency} an event",
    "secondary_probability": "(share of 1)",
    "secondary_cost": "{currency}, when it happens",
    "recurring_cost": "{currency} a year",
}
# What people state beside a finding or a service; its objective and the value of a minute are the service's own.
NAMES = tuple(UNITS)
# A century of minutes, and an event each minute: beyond lies another unit or a slip of the keys.
LARGEST = dict.fromkeys(("detect_alerted", "detect_silent", "recover"), 52_596_000.0) | {"frequency": 525_960.0}
_LARGEST = 1e12


def kinds_of(name: str) -> tuple[Kind, ...]:
    if name == "frequency":
        return (Kind.NUMBER, Kind.RANGE, Kind.DAYS_BETWEEN, Kind.INCIDENTS)
    if name in ("alert_probability", "secondary_probability"):
        return (Kind.NUMBER,)
    return (Kind.NUMBER, Kind.RANGE) if name in SHARES else (Kind.NUMBER, Kind.RANGE, Kind.INTERVAL)


def distribution(name: str, kind: Kind, numbers: Mapping[str, float]) -> Distribution:
    if name not in UNITS:
        raise ValueError(f"{name} is not an input; the inputs are {', '.join(NAMES)}")
    if kind not in kinds_of(name):
        raise ValueError(f"{name} is stated as one of {', '.join(kinds_of(name))}, not as {kind}")
    lacking = [each for each in NEEDS[kind] if each not in numbers]
    if lacking or set(numbers) - set(NEEDS[kind]):
        raise ValueError(f"{kind} takes {', '.join(NEEDS[kind])}, and nothing else")
    if any(not 0 <= each <= _LARGEST for each in numbers.values()):
        raise ValueError("numbers lie between 0 and 1,000,000,000,000")
    made = _made(kind, numbers)
    if name in SHARES and made.bounds[1] > 1:
        raise ValueError(f"{name} is a share between 0 and 1")
    return made


def check_size(name: str, kind: Kind, numbers: Mapping[str, float]) -> None:
    """Of what is stated from now on: what was stated before goes on counting."""
    if name in LARGEST and kind not in (Kind.DAYS_BETWEEN, Kind.INCIDENTS) and max(numbers.values()) > LARGEST[name]:
        raise ValueError(f"{name} is in {UNITS[name]}, up to {LARGEST[name]:,.0f}")


def _made(kind: Kind, numbers: Mapping[str, float]) -> Distribution:
    given = [float(numbers[each]) for each in NEEDS[kind]]
    match kind:
        case Kind.NUMBER:
            return Constant(*given)
        case Kind.RANGE:
            return Pert(*given)
        case Kind.INTERVAL:
            return LogNormal.from_interval(*given)
        case Kind.DAYS_BETWEEN:
            return days_between(*given)
        case Kind.INCIDENTS:
            count, years = given
            if not count.is_integer() or years <= 0:
                raise ValueError("incidents are counted in whole numbers, over more than no years")
            return PRIOR.after(int(count), years)


def words(kind: Kind, numbers: Mapping[str, float], unit: str) -> str:
    """As one says it: `2 to 6 events a year, most likely 4`."""
    said = {name: f"{float(value):,.10g}" for name, value in numbers.items()}
    match kind:
        case Kind.NUMBER:
            return f"{said['value']} {unit}"
        case Kind.RANGE:
            return f"{said['lo']} to {said['hi']} {unit}, most likely {said['mode']}"
        case Kind.INTERVAL:
            return f"{said['lo']} to {said['hi']} {unit} in nine of ten cases"
        case Kind.DAYS_BETWEEN:
            return f"once in {said['lo']} to {said['hi']} days, most likely in {said['mode']}"
        case Kind.INCIDENTS:
            noun = "incident" if said["incidents"] == "1" else "incidents"
            return f"{said['incidents']} {noun} in {said['years']} years"
