"""Money, minutes and shares as one reads them: `{% load money %}`. A dash for what is not known, never 0."""

from decimal import Decimal

from django import template

register = template.Library()
UNKNOWN = "–"


@register.filter
def amount(value: Decimal | float | None, currency: str | None = "") -> str:
    """1,234.50 USD; whole from a thousand on."""
    if value is None:
        return UNKNOWN
    digits = f"{value:,.0f}" if abs(float(value)) >= 1000 else f"{value:,.2f}"
    return f"{digits} {currency}".strip()


@register.filter
def figure(value: float | None) -> str:
    """Three figures that count: 1,234 12.3 0.05."""
    if value is None:
        return UNKNOWN
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


@register.filter
def percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value * 100:.3g} %"


@register.filter
def duration(seconds: float | None) -> str:
    """90 s, 12 min, 3.5 h."""
    if seconds is None:
        return UNKNOWN
    if seconds < 120:
        return f"{seconds:g} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:.3g} h"
