"""Numbers, sizes and durations as configuration spells them. PURE."""

import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

from platform_risk.quantities.sourced import Sourced, Unknown

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,3}))?\s*([a-zA-Z]*)\Z")
_NUMBER = re.compile(r"\s*-?[0-9]{1,18}(?:\.[0-9]{1,18})?\s*")
_SUFFIXES: dict[str, Fraction] = {
    "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1),
    "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12), "P": Fraction(10**15),
    "E": Fraction(10**18), "Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30), "Ti": Fraction(2**40),
    "Pi": Fraction(2**50), "Ei": Fraction(2**60),
}  # fmt: skip
_LONGEST = 100  # letters of an amount or a duration; of millions of digits reading takes hours
_MOST = 10**18  # larger numbers are no configuration, and do not fit into arithmetic
_PART = re.compile(
    r"([0-9]+(?:\.[0-9]+)?)\s*(milliseconds?|millis|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h|days?|d|weeks?|w)"
)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@lru_cache(maxsize=4096)
def quantity(text: str) -> Fraction | None:
    """A Kubernetes quantity: 500m, 1.5, 2Gi; None for anything else."""
    found = _QUANTITY.match(text.strip()) if len(text) <= _LONGEST else None
    if found is None or found[3] not in _SUFFIXES:
        return None
    return Fraction(found[1]) * Fraction(10) ** int(found[2] or 0) * _SUFFIXES[found[3]]


def amount(value: Any) -> float | None:
    """A Kubernetes quantity, written as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    found = quantity(str(value))
    return None if found is None or found > _MOST else float(found)


def number(value: Any) -> float | int | None:
    """A plain number, also where it is written as text ("7"); None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if abs(value) <= _MOST else None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return None


def seconds(value: Any) -> float | None:
    """A duration: 300 (seconds), "300", "5m", "1h30m", "250ms"; None for anything else."""
    plain = number(value)
    if plain is not None:
        return plain
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    text = value.strip().lower()
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        return None
    return float(sum(float(count) * _SECONDS[_unit(unit)] for count, unit in parts))


def _unit(word: str) -> str:
    return "ms" if word.startswith(("ms", "milli")) else word[0]


def stated_number(stated: Sourced[Any] | Unknown | None) -> Sourced[float] | None:
    """The number that something states; None when it states none."""
    if not isinstance(stated, Sourced):
        return None
    found = number(stated.value)
    return None if found is None else stated.map(lambda _: found)


def stated_count(stated: Sourced[Any] | Unknown | None) -> Sourced[int] | None:
    """The same for a whole number that is not negative."""
    found = number(stated.value) if isinstance(stated, Sourced) else None
    if not isinstance(stated, Sourced) or found is None or found < 0 or found != int(found):
        return None
    return Sourced(int(found), stated.source, stated.place, stated.note)


def stated_text(stated: Sourced[Any] | Unknown | None) -> str:
    """What is stated, as text, as far as it is known."""
    if isinstance(stated, Unknown):
        return stated.partial
    return str(stated.value) if stated is not None else ""
