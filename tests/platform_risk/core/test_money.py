"""Money and shares are written one way, on every page."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from findings.templatetags.risk import minutes
from platform_risk.core.templatetags.money import change, duration, figure, money, percent

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("value", "currency", "said"),
    [
        (None, "USD", "–"), ("", "USD", "–"), (Decimal(0), "USD", "0.00 USD"), (649.678, "USD", "649.68 USD"),
        (Decimal("36123.4"), "EUR", "36,123 EUR"), (Decimal("-1000"), "CAD", "-1,000 CAD"),
        (1.36e6, "USD", "1,360,000 USD"),
        (Decimal("13624000"), "USD", "13.62M USD"), (2.5e9, "USD", "2.50bn USD"), (0.001, "USD", "< 0.01 USD"),
        (Decimal("-0.001"), "", "> -0.01"), ("12", None, "12.00"),
    ],
)  # fmt: skip
def test_money_has_its_code_cents_below_a_thousand_and_millions_from_ten_on(
    value: Decimal | float | str | None, currency: str | None, said: str
) -> None:
    assert money(value, currency) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (None, "–"),
        (0.0, "0 %"),
        (0.6241, "62 %"),
        (0.031, "3.1 %"),
        (2.5, "250 %"),
        (0.0004, "0.04 %"),
        (2.3e-16, "< 0.01 %"),
        (-1e-9, "> -0.01 %"),
    ],
)
def test_a_share_is_in_percent_with_a_space(share: float | None, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("moved", "said"),
    [(None, "–"), (0.061, "+6.1 %"), (-0.12, "−12 %"), (0.0, "±0 %"), (2.3e-16, "±0 %"), (-0.0004, "±0 %")],
)
def test_a_change_says_its_way_and_noise_is_none(moved: float | None, said: str) -> None:
    assert change(moved) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "–"),
        (0.0, "0"),
        (1234.5, "1,234"),
        (92.554, "92.6"),
        (42.0, "42"),
        (0.0512, "0.0512"),
        (1e-9, "< 0.0001"),
    ],
)
def test_minutes_have_three_figures_that_count_wherever_they_stand(value: float | None, said: str) -> None:
    assert figure(value) == minutes(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"), (0, "0 s"), (90, "90 s"), (720, "12 min"), (12_600, "3.5 h"), (86_400, "24 h"),
        (13_046_400, "151 days"), (1_790_000_000, "20,718 days"),
    ],
)  # fmt: skip
def test_a_duration_is_in_the_unit_one_would_say_and_no_power_of_ten(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


def test_no_template_writes_percent_or_a_currency_another_way() -> None:
    written = re.compile(r"\}\}%|[0-9]%(?![}0-9A-F])|[$€£](?:\{\{|[0-9])")
    found = {
        f"{path.relative_to(ROOT)}:{number}": line
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if written.search(line)
    }
    assert found == {}
