"""Scales by decades, the 5×5 matrix, and a lint of what a matrix gets wrong. A view: never sort by its cells. PURE."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product

import numpy as np

from findings.risk.bands import Band, Placed
from findings.risk.distributions import Floats
from findings.risk.expected import Expected

_PAIRS = 400_000


_RANKS = {band: rank for rank, band in enumerate(Band)}


@dataclass(frozen=True)
class Scale:
    """Levels from 1. A value that equals a bound belongs to the level above it."""

    name: str
    unit: str
    bounds: tuple[float, ...]
    ends: tuple[float, float]  # to which the open levels are drawn
    by_decades: bool = True

    def __post_init__(self) -> None:
        edges = (self.ends[0], *self.bounds, self.ends[1])
        if any(one >= other for one, other in pairwise(edges)):
            raise ValueError(f"the bounds of a scale rise between its ends, not {edges}")

    @property
    def levels(self) -> int:
        return len(self.bounds) + 1

    def level(self, value: float) -> int:
        return bisect_right(self.bounds, value) + 1

    def range_of(self, level: int) -> tuple[float, float]:
        """From, to; the open levels reach from 0 to infinity."""
        edges = (0.0, *self.bounds, math.inf)
        return edges[level - 1], edges[level]

    def drawn(self, uniform: Floats) -> Floats:
        """Values spread evenly over the scale as it is drawn."""
        lo, hi = self.ends
        if not self.by_decades:
            return lo + (hi - lo) * uniform
        values: Floats = np.exp(math.log(lo) + (math.log(hi) - math.log(lo)) * uniform)
        return values


LIKELIHOOD = Scale("likelihood", "events a year", (0.1, 1, 10, 100), (0.01, 1000))
# In the currency that the losses are in: the decades are wide enough for dollars, euros and pounds alike.
IMPACT_MONEY = Scale("impact", "money an event", (1e3, 1e4, 1e5, 1e6), (1e2, 1e7))
# Where a minute has no price: bad minutes of an event, by decades too. Never mixed with money in one matrix.
IMPACT_MINUTES = Scale("impact", "bad minutes an event", (1, 10, 100, 1000), (0.1, 10_000))

_DETECTION = (0.95, 0.85, 0.60, 0.30)


def detection_level(alert_probability: float) -> int:
    """1: an alert nearly always catches it; 5: hardly ever."""
    return 1 + sum(alert_probability < bound for bound in _DETECTION)


Bands = tuple[tuple[Band, ...], ...]


@dataclass(frozen=True)
class Matrix:
    """`bands[likelihood − 1][impact − 1]`. A version is never changed: what was placed by it stays explicable."""

    version: str
    likelihood: Scale
    impact: Scale
    bands: Bands

    def __post_init__(self) -> None:
        if {len(row) for row in self.bands} != {self.impact.levels} or len(self.bands) != self.likelihood.levels:
            raise ValueError("a matrix has a band for each pair of levels")

    def band(self, likelihood: int, impact: int) -> Band:
        return self.bands[likelihood - 1][impact - 1]

    def place(self, frequency: float, per_event: float) -> tuple[int, int, Band]:
        likelihood, impact = self.likelihood.level(frequency), self.impact.level(per_event)
        return likelihood, impact, self.band(likelihood, impact)


def by_sum(likelihood: int, impact: int) -> Band:
    """A level is a decade, so the sum of two levels is the decade of the loss a year."""
    decade = likelihood + impact
    if decade <= 4:
        return Band.LOW
    if decade == 5:
        return Band.MEDIUM
    return Band.HIGH if decade <= 7 else Band.CRITICAL


_BY_SUM: Bands = tuple(tuple(by_sum(likelihood, impact) for impact in range(1, 6)) for likelihood in range(1, 6))

MONEY = Matrix("decades-money-1", LIKELIHOOD, IMPACT_MONEY, _BY_SUM)
MINUTES = Matrix("decades-minutes-1", LIKELIHOOD, IMPACT_MINUTES, _BY_SUM)


def place(risk: Expected, matrix: Matrix) -> Placed | None:
    """None where the matrix cannot tell: the frequency, or what an event costs in its unit, is not known."""
    money = matrix.impact.unit == IMPACT_MONEY.unit
    per_event = risk.loss_per_event if money else risk.minutes_per_event
    if risk.frequency is None or per_event is None:
        return None
    return Placed(*matrix.place(risk.frequency, float(per_event)))


@dataclass(frozen=True)
class Cell:
    """What stands in a cell; also when nothing does. Money is None where nothing in it has a price, or several
    currencies do.
    """

    likelihood: int
    impact: int
    band: Band
    count: int
    annual_loss: Decimal | None
    bad_minutes_per_year: float | None


@dataclass(frozen=True)
class Filled:
    version: str
    cells: tuple[Cell, ...]
    unplaced: int


def fill(matrix: Matrix, risks: Iterable[Expected]) -> Filled:
    """Every cell with its risks counted and summed, and how many the matrix cannot place."""
    standing: dict[tuple[int, int], list[Expected]] = {cell: [] for cell in _cells(matrix)}
    unplaced = 0
    for risk in risks:
        placed = place(risk, matrix)
        if placed is None:
            unplaced += 1
        else:
            standing[placed.likelihood, placed.impact].append(risk)
    return Filled(matrix.version, tuple(_cell(matrix, cell, held) for cell, held in standing.items()), unplaced)


def _cell(matrix: Matrix, cell: tuple[int, int], held: Sequence[Expected]) -> Cell:
    losses = [risk.annual_loss for risk in held if risk.annual_loss is not None]
    currencies = {risk.currency for risk in held if risk.annual_loss is not None}
    minutes = [risk.bad_minutes for risk in held if risk.bad_minutes is not None]
    return Cell(
        *cell,
        matrix.band(*cell),
        len(held),
        sum(losses, Decimal(0)) if len(currencies) == 1 else None,
        sum(minutes) if minutes else None,
    )


@dataclass(frozen=True)
class Lint:
    """What to know of a matrix before trusting it. Shares are of pairs of risks."""

    not_monotone: tuple[tuple[int, int], ...]  # cells with a lower band than one that is better on an axis
    weakly_consistent: bool  # every risk of the highest band exceeds every one of the lowest
    touching: tuple[tuple[tuple[int, int], tuple[int, int]], ...]  # a lowest and a highest cell side by side
    reversed_share: float  # the matrix puts the smaller risk into the higher band
    tied_share: float  # one band for both

    @property
    def sound(self) -> bool:
        return not self.not_monotone and self.weakly_consistent and not self.touching


def lint(matrix: Matrix, *, seed: int = 1, pairs: int = _PAIRS) -> Lint:
    """Shares by pairs of risks spread evenly over the matrix as it is drawn."""
    random = np.random.default_rng(seed)
    likelihood, impact = (scale.drawn(random.random(2 * pairs)) for scale in (matrix.likelihood, matrix.impact))
    reversed_share, tied_share = misplaced(matrix, likelihood, impact)
    return Lint(_not_monotone(matrix), _weakly_consistent(matrix), _touching(matrix), reversed_share, tied_share)


def misplaced(matrix: Matrix, likelihood: Floats, impact: Floats) -> tuple[float, float]:
    """(reversed, tied) shares of the pairs made of the first and the second half of these risks."""
    risk = likelihood * impact
    rows = np.searchsorted(matrix.likelihood.bounds, likelihood, side="right")
    columns = np.searchsorted(matrix.impact.bounds, impact, side="right")
    ranks = np.array([[_RANKS[band] for band in row] for row in matrix.bands])[rows, columns]
    half = risk.size // 2
    by_risk = np.sign(risk[:half] - risk[half : 2 * half])
    by_band = np.sign(ranks[:half] - ranks[half : 2 * half])
    return float(np.mean(by_risk * by_band < 0)), float(np.mean(by_band == 0))


def _cells(matrix: Matrix) -> Iterable[tuple[int, int]]:
    return product(range(1, matrix.likelihood.levels + 1), range(1, matrix.impact.levels + 1))


def _neighbours(matrix: Matrix, cell: tuple[int, int]) -> Sequence[tuple[int, int]]:
    """The cells one level up on one axis."""
    likelihood, impact = cell
    up = ((likelihood + 1, impact), (likelihood, impact + 1))
    return [(row, column) for row, column in up if row <= matrix.likelihood.levels and column <= matrix.impact.levels]


def _not_monotone(matrix: Matrix) -> tuple[tuple[int, int], ...]:
    lower = {
        neighbour
        for cell in _cells(matrix)
        for neighbour in _neighbours(matrix, cell)
        if _RANKS[matrix.band(*neighbour)] < _RANKS[matrix.band(*cell)]
    }
    return tuple(sorted(lower))


def _extremes(matrix: Matrix) -> tuple[Band, Band]:
    used = sorted({matrix.band(*cell) for cell in _cells(matrix)}, key=_RANKS.__getitem__)
    return used[0], used[-1]


def _weakly_consistent(matrix: Matrix) -> bool:
    lowest, highest = _extremes(matrix)
    if lowest is highest:
        return True
    most_of_lowest = max(_risk_of(matrix, cell)[1] for cell in _cells(matrix) if matrix.band(*cell) is lowest)
    least_of_highest = min(_risk_of(matrix, cell)[0] for cell in _cells(matrix) if matrix.band(*cell) is highest)
    return most_of_lowest <= least_of_highest


def _risk_of(matrix: Matrix, cell: tuple[int, int]) -> tuple[float, float]:
    (least_often, most_often), (least, most) = matrix.likelihood.range_of(cell[0]), matrix.impact.range_of(cell[1])
    return least_often * least, most_often * most


def _touching(matrix: Matrix) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    extremes = set(_extremes(matrix))
    return tuple(
        (cell, neighbour)
        for cell in _cells(matrix)
        for neighbour in _neighbours(matrix, cell)
        if len(extremes) == 2 and {matrix.band(*cell), matrix.band(*neighbour)} == extremes
    )
