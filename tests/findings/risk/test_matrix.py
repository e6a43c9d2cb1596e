"""The matrix by decades is a sound view, and the lint tells what a matrix gets wrong."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from findings.risk.bands import Band, Placed
from findings.risk.expected import expected
from findings.risk.matrix import (
    IMPACT_MINUTES,
    IMPACT_MONEY,
    LIKELIHOOD,
    MINUTES,
    MONEY,
    Bands,
    Cell,
    Matrix,
    Scale,
    by_sum,
    detection_level,
    fill,
    lint,
    place,
)
from platform_risk.quantities.sourced import Unknown
from tests.findings.risk.stated import risk

_LINEAR = (0.2, 0.4, 0.6, 0.8)


def by_product(likelihood: int, impact: int) -> Band:
    score = likelihood * impact
    return list(Band)[sum(score > cut for cut in (4, 9, 14))]


PRODUCT: Bands = tuple(tuple(by_product(row, column) for column in range(1, 6)) for row in range(1, 6))


def linear(bands: Bands) -> Matrix:
    likelihood, impact = (Scale(name, "share", _LINEAR, (0, 1), by_decades=False) for name in ("likelihood", "impact"))
    return Matrix("linear", likelihood, impact, bands)


@pytest.mark.parametrize(
    ("scale", "values", "levels"),
    [
        (LIKELIHOOD, (0, 0.0999, 0.1, 0.99, 1, 10, 99.9, 100, 5000), (1, 1, 2, 2, 3, 4, 4, 5, 5)),
        (IMPACT_MONEY, (0, 999.99, 1e3, 1e4, 1e5, 999_999, 1e6, 1e9), (1, 1, 2, 3, 4, 4, 5, 5)),
        (IMPACT_MINUTES, (0, 1, 10, 100, 1000), (1, 2, 3, 4, 5)),
    ],
)
def test_a_bound_belongs_to_the_level_above(scale: Scale, values: tuple[float, ...], levels: tuple[int, ...]) -> None:
    assert tuple(scale.level(value) for value in values) == levels


@pytest.mark.parametrize(
    ("probability", "level"),
    [(1, 1), (0.95, 1), (0.9499, 2), (0.85, 2), (0.84, 3), (0.6, 3), (0.59, 4), (0.3, 4), (0.29, 5), (0, 5)],
)
def test_the_less_an_alert_catches_the_higher_the_level_of_detection(probability: float, level: int) -> None:
    assert detection_level(probability) == level


def test_the_bands_of_the_matrix_are_those_of_its_version() -> None:
    shown = ["".join(MONEY.band(row, column)[0] for column in range(1, 6)) for row in range(1, 6)]
    assert shown == ["lllmh", "llmhh", "lmhhc", "mhhcc", "hhccc"]
    assert MONEY.version == "decades-money-1"
    assert MINUTES.bands == MONEY.bands


def test_a_risk_is_placed_by_events_a_year_and_loss_of_an_event() -> None:
    stated: dict[str, Any] = {
        "frequency": 8,
        "users_affected": 0.5,
        "alert_probability": 1,
        "detect_alerted": 10,
        "recover": 30,
    }
    priced = expected(risk(**stated, minute_value=1000))
    assert place(priced, MONEY) == Placed(3, 3, Band.HIGH)
    assert place(priced, MINUTES) == Placed(3, 3, Band.HIGH)


def test_without_a_price_a_risk_has_no_place_by_money_and_one_by_minutes() -> None:
    stated: dict[str, Any] = {
        "frequency": 0.05,
        "users_affected": 1,
        "alert_probability": 1,
        "detect_alerted": 0,
        "recover": 2000,
    }
    free = expected(risk(**stated))
    assert place(free, MONEY) is None
    assert place(free, MINUTES) == Placed(1, 5, Band.HIGH)
    assert place(expected(risk(frequency=Unknown("", ""), fixed_cost=10)), MONEY) is None


def test_a_filled_matrix_counts_every_risk_once() -> None:
    one: dict[str, Any] = {"users_affected": 0.5, "alert_probability": 1, "detect_alerted": 10, "recover": 30}
    often = expected(risk(frequency=4, **one, minute_value=1000))
    both = [often, often, expected(risk(frequency=0.05, fixed_cost=10)), expected(risk(frequency=4, **one))]
    filled = fill(MONEY, both)
    assert (filled.version, len(filled.cells), filled.unplaced) == ("decades-money-1", 25, 1)
    assert sum(cell.count for cell in filled.cells) + filled.unplaced == len(both)
    cells = {(cell.likelihood, cell.impact): cell for cell in filled.cells}
    assert cells[3, 3] == Cell(3, 3, Band.HIGH, 2, Decimal("160000.00"), 160)
    assert cells[1, 1] == Cell(1, 1, Band.LOW, 1, Decimal("0.50"), None)
    assert cells[5, 5] == Cell(5, 5, Band.CRITICAL, 0, None, None)


def test_a_cell_with_two_currencies_has_no_sum_of_money() -> None:
    costs = [expected(risk(frequency=2, fixed_cost=10, currency=currency)) for currency in ("USD", "EUR")]
    (cell,) = [cell for cell in fill(MONEY, costs).cells if cell.count]
    assert (cell.count, cell.annual_loss) == (2, None)


def test_the_matrix_is_sound_and_still_ties_a_quarter_of_all_pairs() -> None:
    found = lint(MONEY)
    assert found.sound
    assert (found.not_monotone, found.touching, found.weakly_consistent) == ((), (), True)
    assert found.reversed_share == pytest.approx(0.006, abs=0.001)
    assert found.tied_share == pytest.approx(0.271, abs=0.003)
    # Each cell is drawn alike often, so the share of ties can be counted: 6 low, 4 medium, 9 high, 6 critical of 25.
    assert found.tied_share == pytest.approx((36 + 16 + 81 + 36) / 625, abs=0.003)


def test_the_product_of_two_levels_reverses_more_pairs_than_their_sum() -> None:
    decades = lint(replace(MONEY, bands=PRODUCT))
    evenly = lint(linear(PRODUCT))
    assert (decades.reversed_share, decades.tied_share) == pytest.approx((0.013, 0.264), abs=0.003)
    assert (evenly.reversed_share, evenly.tied_share) == pytest.approx((0.023, 0.264), abs=0.003)
    assert lint(MONEY).reversed_share < decades.reversed_share / 2


def edited(cells: dict[tuple[int, int], Band]) -> Matrix:
    return replace(
        MONEY,
        bands=tuple(
            tuple(cells.get((row, column), by_sum(row, column)) for column in range(1, 6)) for row in range(1, 6)
        ),
    )


def test_a_cell_below_a_better_one_is_named() -> None:
    found = lint(edited({(3, 3): Band.LOW}))
    assert not found.sound
    assert found.not_monotone == ((3, 3),)


def test_a_lowest_cell_beside_a_highest_one_is_named_and_breaks_consistency() -> None:
    found = lint(edited({(1, 4): Band.CRITICAL}))
    assert ((1, 3), (1, 4)) in found.touching
    assert not found.weakly_consistent


def test_an_open_level_in_the_lowest_band_breaks_consistency() -> None:
    assert not lint(edited({(1, 5): Band.LOW})).weakly_consistent


def test_a_matrix_of_one_band_ties_everything_and_reverses_nothing() -> None:
    found = lint(replace(MONEY, bands=((Band.HIGH,) * 5,) * 5))
    assert (found.reversed_share, found.tied_share, found.touching) == (0, 1, ())
    assert found.sound


def test_the_lint_says_the_same_each_time() -> None:
    assert lint(MONEY, pairs=1000) == lint(MONEY, pairs=1000)


def test_a_matrix_with_a_missing_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="each pair"):
        replace(MONEY, bands=MONEY.bands[:4])


def test_a_scale_that_does_not_rise_is_refused() -> None:
    with pytest.raises(ValueError, match="rise"):
        Scale("impact", "money", (1, 10, 10), (0.1, 100))


def test_drawn_values_stay_on_the_scale() -> None:
    drawn = LIKELIHOOD.drawn(np.array([0.0, 0.5, 0.999]))
    assert drawn.tolist() == pytest.approx([0.01, 3.1623, 988.6], rel=1e-3)
