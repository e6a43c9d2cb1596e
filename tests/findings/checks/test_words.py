"""Numbers with what they count."""

import pytest

from findings.checks.words import counted, singular


@pytest.mark.parametrize(
    ("unit", "one"),
    [
        ("pods", "pod"), ("processes per pod", "process per pod"), ("queries", "query"), ("prefixes", "prefix"),
        ("data points", "data point"), ("ms", "ms"), ("rps", "rps"), ("%", "%"), ("series", "series"),
        ("connections per process", "connection per process"), ("ms per 100 ms", "ms per 100 ms"), ("", ""),
        ("% of its load before", "% of its load before"), ("USD per_gb_month", "USD per_gb_month"),
    ],
)  # fmt: skip
def test_one_of_a_unit_is_named_in_the_singular_and_symbols_stay(unit: str, one: str) -> None:
    assert singular(unit) == one


def test_only_one_is_one() -> None:
    assert [counted(count, "hours") for count in (0, 1, 1.5, 64, 1500)] == [
        "0 hours", "1 hour", "1.5 hours", "64 hours", "1,500 hours",
    ]  # fmt: skip
