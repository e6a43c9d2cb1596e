"""Money, minutes and shares as one reads them: `{% load money %}`. A dash for what is not known, never 0."""

from decimal import Decimal

from django import template

register = template.Library()
UNKNOWN = "–"


_HOUR, _DAY = 3600, 86_400  # seconds
_LEAST = Decimal("0.0001")
_STILL = 0.0005
_LARGE = ((10**9, "bn"), (10**6, "M"))


@register.filter
def money(value: Decimal | float | str | None, currency: str | None = "") -> str:
    """649.68 USD, 36,123 USD, 13.62M USD: whole from a thousand on, in millions from ten million on. The currency is
    always its code, for more than one country calls its own a dollar."""
    if value is None or value == "":
        return UNKNOWN
    number = Decimal(str(value))
    return f"{_digits(number)} {currency or ''}".strip()


def _digits(number: Decimal) -> str:
    size = abs(number)
    if size >= 10**7:
        divisor, word = next(each for each in _LARGE if size >= each[0])
        return f"{number / divisor:,.2f}{word}"
    if size >= 1000:
        return f"{number:,.0f}"
    if 0 < size < Decimal("0.005"):
        return "< 0.01" if number > 0 else "> -0.01"
    return f"{number:,.2f}"


@register.filter
def figure(value: float | None) -> str:
    """Three figures that count, and no power of ten: 1,234 12.3 0.05."""
    if value is None:
        return UNKNOWN
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if 0 < abs(value) < _LEAST:
        return f"< {_LEAST:f}" if value > 0 else f"> -{_LEAST:f}"
    return f"{value:.3g}"


@register.filter
def percent(value: float | None) -> str:
    """62 %, 3.1 %; what is less than a hundredth of it is said to be."""
    if value is None:
        return UNKNOWN
    share = value * 100
    if 0 < abs(share) < 0.01:
        return "< 0.01 %" if share > 0 else "> -0.01 %"
    return f"{share:.0f} %" if abs(share) >= 10 or share == 0 else f"{share:.2g} %"


@register.filter
def change(value: float | None) -> str:
    """+6.1 %, −12 %, as a share of what it was; ±0 % of what moved by less than a thousandth of it."""
    if value is None:
        return UNKNOWN
    if abs(value) < _STILL:
        return "±0 %"
    return f"{'+' if value > 0 else '−'}{percent(abs(value))}"


@register.filter
def duration(seconds: float | None) -> str:
    """90 s, 12 min, 3.5 h, 12.4 days."""
    if seconds is None:
        return UNKNOWN
    if seconds < 120:
        return f"{seconds:g} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / 60:.3g} min"
    return f"{figure(seconds / _HOUR)} h" if seconds < 4 * _DAY else f"{figure(seconds / _DAY)} days"
