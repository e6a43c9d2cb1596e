"""Which remedies to take first, for so many engineer-days, and what each further day buys. PURE.

Remedies overlap: two that close the same finding avoid its loss once. So the worth of a set is a weighted coverage, and
the best set for a budget is hard to find (NP-hard). What is done here is greedy: the most worth per day that still
fits, or the one best remedy alone if that is more. That avoids at least (1 − 1/√e) ≈ 39 % of the best possible in the
worst case; the bound of the very case, which is stated with each plan, is nearly always close to 100 %.
Source: S. Khuller, A. Moss, J. Naor, The budgeted maximum coverage problem, 1999; the bound of the case is the
fractional one that submodularity gives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp

WORST_CASE = 1 - exp(-0.5)


@dataclass(frozen=True)
class Option:
    """A remedy: engineer-days, and the keys of what it closes. Raises ValueError for an effort that is none."""

    key: str
    days: float
    closes: frozenset[str]

    def __post_init__(self) -> None:
        if not 0 < self.days < float("inf"):
            raise ValueError(f"the effort of {self.key} must be more than 0 days, not {self.days}")


@dataclass(frozen=True)
class Step:
    """One remedy after those before it: what it adds, and what there is by then."""

    key: str
    days: float
    gain: float
    days_so_far: float
    gain_so_far: float

    @property
    def per_day(self) -> float:
        return self.gain / self.days


@dataclass(frozen=True)
class Plan:
    """`bound`: no set within the budget avoids more than this."""

    steps: tuple[Step, ...]
    bound: float

    @property
    def gain(self) -> float:
        return self.steps[-1].gain_so_far if self.steps else 0.0

    @property
    def days(self) -> float:
        return self.steps[-1].days_so_far if self.steps else 0.0

    @property
    def share_of_best(self) -> float | None:
        """At least this share of what the best set would avoid; None when nothing can be avoided."""
        return min(self.gain / self.bound, 1.0) if self.bound > 0 else None


def plan(options: Iterable[Option], worth: Mapping[str, float], budget: float) -> Plan:
    """The set to do within so many days, in the order in which it pays off. `worth`: what closing each key avoids;
    what is not in it, or worth less than nothing, counts for nothing."""
    fitting = [each for each in options if each.days <= budget]
    chosen = _greedy(fitting, worth, budget)
    alone = max(fitting, key=lambda each: (_gain(each, frozenset(), worth), each.key), default=None)
    if alone is not None and _gain(alone, frozenset(), worth) > (chosen[-1].gain_so_far if chosen else 0.0):
        chosen = _greedy(fitting, worth, budget, _greedy([alone], worth, budget))
    return Plan(tuple(chosen), _bound(fitting, worth, budget, chosen))


def curve(options: Iterable[Option], worth: Mapping[str, float]) -> tuple[Step, ...]:
    """Every remedy that adds something, the most worth per day first: what each further day buys, ever less."""
    return tuple(_greedy(list(options), worth, float("inf")))


def _gain(option: Option, closed: frozenset[str], worth: Mapping[str, float]) -> float:
    return sum(max(worth.get(key, 0.0), 0.0) for key in sorted(option.closes - closed))


def _greedy(
    options: Sequence[Option], worth: Mapping[str, float], budget: float, before: Sequence[Step] = ()
) -> list[Step]:
    steps = list(before)
    left = {each.key: each for each in options}
    closed: frozenset[str] = frozenset()
    for step in steps:
        closed |= left.pop(step.key).closes
    spent = steps[-1].days_so_far if steps else 0.0
    total = steps[-1].gain_so_far if steps else 0.0
    while True:
        gains = {key: _gain(each, closed, worth) for key, each in left.items() if spent + each.days <= budget}
        best = min(
            (key for key, gain in gains.items() if gain > 0),
            key=lambda key: (-gains[key] / left[key].days, left[key].days, key),
            default=None,
        )
        if best is None:
            return steps
        option = left.pop(best)
        spent, total, closed = spent + option.days, total + gains[best], closed | option.closes
        steps.append(Step(best, option.days, gains[best], spent, total))


def _bound(options: Sequence[Option], worth: Mapping[str, float], budget: float, steps: Sequence[Step]) -> float:
    """No set within the budget is worth more: from nothing, or from what is chosen, add what each remedy would add
    alone, the most per day first, the last one in part."""
    by_key = {each.key: each for each in options}
    everything = sum(max(worth.get(key, 0.0), 0.0) for key in sorted(frozenset().union(*(o.closes for o in options))))
    bounds = [everything]
    closed: frozenset[str] = frozenset()
    total = 0.0
    for number in range(len(steps) + 1):
        bounds.append(total + _fractional(options, closed, worth, budget))
        if number < len(steps):
            closed |= by_key[steps[number].key].closes
            total = steps[number].gain_so_far
    return max(min(bounds), total)


def _fractional(options: Sequence[Option], closed: frozenset[str], worth: Mapping[str, float], budget: float) -> float:
    gains = sorted(((_gain(each, closed, worth), each.days) for each in options), key=lambda each: -each[0] / each[1])
    total, left = 0.0, budget
    for gain, days in gains:
        if left <= 0 or gain <= 0:
            break
        total += gain * min(1.0, left / days)
        left -= days
    return total
