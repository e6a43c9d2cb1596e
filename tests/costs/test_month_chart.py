"""Months as a chart that the server draws."""

import re
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from costs.month_chart import HEIGHT, LEFT, WIDTH, month_chart

MONTHS = [date(2025 + (at // 12), at % 12 + 1, 1) for at in range(25)]
money = st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(money, max_size=13), st.lists(st.tuples(money, money, money), max_size=12), st.none() | money)
def test_whatever_is_spent_stays_within_the_chart(
    spent: list[float], expected: list[tuple[float, float, float]], budget: float | None
) -> None:
    past = list(zip(MONTHS, spent, strict=False))
    to_come = [(at, *rest) for at, rest in zip(MONTHS[12:], expected, strict=False)]
    made = month_chart(past, to_come, budget)
    points = [(bar.x, bar.y) for bar in made.bars] + [(bar.x + made.bar, bar.y + bar.height) for bar in made.bars]
    for path in (made.band, made.line):
        points += [(float(x), float(y)) for x, y in re.findall(r"([\d.-]+),([\d.-]+)", path)]
    points += [(LEFT, line.y) for line in made.grid] + ([(LEFT, made.budget)] if made.budget is not None else [])
    assert all(LEFT <= x <= WIDTH + 0.5 and 0 <= y <= HEIGHT for x, y in points)
    assert 1 <= len(made.grid) <= 4
    assert [bar.month for bar in made.bars] == MONTHS[: len(spent)]


def test_what_costs_twice_as_much_is_twice_as_high() -> None:
    made = month_chart([(MONTHS[0], 100.0), (MONTHS[1], 50.0)], [], None)
    assert made.bars[0].height == 2 * made.bars[1].height
    assert made.line == made.band == ""
