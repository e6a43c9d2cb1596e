"""Amounts of risk as one reads them: `{% load risk %}`."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from findings.risk_charts import short
from platform_risk.core.templatetags.money import figure, money

register = template.Library()

_BANDS = ("low", "medium", "high", "critical")
UNKNOWN = SafeString('<span class="faint">not known</span>')
LIKELIHOODS = {1: "Very low", 2: "Low", 3: "Moderate", 4: "High", 5: "Very high"}
IMPACTS = {1: "Minor", 2: "Moderate", 3: "Serious", 4: "Major", 5: "Severe"}


@register.filter
def minutes(value: float | str | None) -> str:
    """1,746 · 3.2 · 0.05; a dash for what is not known (never 0)."""
    return figure(None if value is None or value == "" else float(value))


@register.filter
def loss(estimate: Any) -> str:
    """The loss of an estimate that may not be there yet."""
    return "–" if estimate is None else money(estimate.annual_loss, estimate.currency)


@register.filter
def amount(value: float | None) -> str:
    return "–" if value is None else short(float(value))


@register.filter
def often(value: float | None) -> str:
    """How often a year, in words."""
    if value is None:
        return "–"
    if value >= 1:
        return f"{short(value)} a year"
    return f"once in {short(1 / value)} years" if value > 0 else "never"


@register.filter
def likelihood_word(level: int) -> str:
    return LIKELIHOODS.get(level, "")


@register.filter
def impact_word(level: int) -> str:
    return IMPACTS.get(level, "")


@register.filter
def band_class(band: str) -> str:
    """c1 … c4, for cells; c0 for none."""
    return f"c{_BANDS.index(str(band)) + 1}" if str(band) in _BANDS else "c0"


@register.simple_tag
def placed(estimate: Any) -> SafeString:
    """L4 I2 as two chips with the band in words."""
    if estimate is None or estimate.likelihood is None:
        return SafeString('<span class="faint">–</span>')
    title = f"Likelihood {estimate.likelihood}, impact {estimate.impact}: {estimate.band}"
    return format_html(
        '<span class="li {}" title="{}"><span>L{}</span><span>I{}</span><span class="vh">, {}</span></span>',
        band_class(estimate.band), title, estimate.likelihood, estimate.impact, estimate.band,
    )  # fmt: skip


RANGE = 96.0


@register.simple_tag
def interval(estimate: Any, scale: float) -> SafeString:
    """The year's bad minutes from P5 to P95 with the mean, on a scale common to the table."""
    if estimate is None or estimate.minutes_p95 is None or not scale:
        return SafeString("")
    low, mean, high = (
        round(min(float(each or 0) / scale, 1.0) * RANGE, 1)
        for each in (estimate.minutes_p5, estimate.bad_minutes, estimate.minutes_p95)
    )
    words = f"{minutes(estimate.minutes_p5)} to {minutes(estimate.minutes_p95)} bad minutes in nine of ten years"
    return format_html(
        '<svg class="rng" viewBox="0 0 96 22" role="img" aria-label="{}">'
        '<rect class="tr" y="10" width="96" height="2"/><rect class="b" x="{}" y="8" width="{}" height="6" rx="3"/>'
        '<rect class="m" x="{}" y="5" width="2" height="12"/></svg>',
        words, low, max(high - low, 2.0), min(mean, 94.0),
    )  # fmt: skip
