"""Amounts and addresses in the templates of costs."""

from decimal import Decimal
from typing import Any

from django import template
from django.http import HttpRequest

from costs.money import every_digit, short
from costs.spending import currency_words

register = template.Library()


@register.filter
def cents(amount: Decimal | str | None) -> str:
    """With two places, where the column or the heading says the currency; what is not known is a dash. Of text too,
    for what an import changed is kept as JSON."""
    return "–" if amount is None else short(Decimal(amount))


@register.filter
def digits(amount: Decimal | str | None) -> str:
    """Every digit, with thousands, and no zeros that say nothing."""
    return "–" if amount is None else every_digit(Decimal(amount))


@register.filter
def signed(amount: Decimal | None) -> str:
    """With its sign, so that colour alone says nothing."""
    if amount is None:
        return "–"
    rounded = round(amount, 2)
    return f"{rounded:+,}" if rounded else "0.00"


@register.filter
def currency(code: str) -> str:
    return currency_words(code)


@register.simple_tag(takes_context=True)
def address(context: dict[str, Any], **changed: Any) -> str:
    """This page's own address with some parameters changed; an empty value takes one out."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    query.pop("format", None)
    for name, value in changed.items():
        if value in ("", None):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else request.path


@register.simple_tag(takes_context=True)
def narrowed(context: dict[str, Any], name: str, value: str, rows: str) -> str:
    """This page's own address with one value of a dimension alone, by another."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    query.pop("columns", None)
    query.setlist(name, [value])
    query["rows"] = rows
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def without(context: dict[str, Any], name: str, value: str) -> str:
    """This page's own address without one value of a parameter that may repeat."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    query.setlist(name, [each for each in query.getlist(name) if each != value])
    return f"?{query.urlencode()}"
