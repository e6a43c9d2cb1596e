"""Numbers, sizes and durations as configuration spells them."""

from typing import Any

import pytest

from findings.platform import units


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500m", 0.5),
        ("1", 1.0),
        ("1.5", 1.5),
        ("100n", 1e-7),
        ("2Gi", 2 * 2**30),
        ("1e3", 1000.0),
        ("1E", 1e18),
        (2, 2.0),
    ],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(text: Any, value: float) -> None:
    assert units.amount(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "m", "1Q", "half", True, None, "$(CPU)", "1" * 1_000_000])
def test_what_is_no_quantity_is_no_number(text: Any) -> None:
    assert units.amount(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [(300, 300), ("300", 300), ("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("30 seconds", 30), ("10 minutes", 600)],
)
def test_a_duration_is_seconds(text: Any, value: float) -> None:
    assert units.seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "m", True, None, "1" * 1_000_000])
def test_what_is_no_duration_has_no_seconds(text: Any) -> None:
    assert units.seconds(text) is None
