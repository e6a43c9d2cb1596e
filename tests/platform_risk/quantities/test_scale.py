"""Axes have round steps."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_risk.quantities.scale import round_scale


@pytest.mark.parametrize(
    ("most", "wanted"),
    [
        (0, (1, 1)),
        (1, (1, 1)),
        (4, (4, 1)),
        (5, (6, 2)),
        (80, (80, 20)),
        (1913, (2000, 500)),
        (34_000, (40_000, 10_000)),
    ],
)
def test_at_most_four_round_steps_reach_the_highest_value(most: float, wanted: tuple[float, float]) -> None:
    assert round_scale(most) == wanted


@given(st.floats(0.01, 1e12), st.integers(2, 10))
def test_the_top_is_the_first_line_that_is_not_below_it(most: float, lines: int) -> None:
    top, step = round_scale(most, lines=lines, least=0.001)
    assert most <= top * (1 + 1e-9)
    assert top - step < most
    assert round(top / step) <= lines
    digit = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(digit - round_) for round_ in (1, 2, 5)) < 1e-6
