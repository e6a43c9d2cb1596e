"""Explorer: spend by two dimensions over any period, as a chart beside its table."""

from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from costs import selectors, spending
from costs.cube_query import DIMENSIONS, FILTERS, Question
from costs.money import plain
from costs.pages.answers import choice, csv_answer, currency_of, day_of
from platform_risk.core.access.requests import user_of

_LABELS = {name: dimension.label for name, dimension in DIMENSIONS.items()}
# Longer ones are shown by month: a bar for each day would be narrower than a pixel.
MOST_DAYS = 1_100


def _period(request: HttpRequest, first: date | None, last: date | None) -> tuple[date, date]:
    """From and to (inclusive, as people say it), in either order; the last six months of what is there without a
    word."""
    known = last or timezone.now().date()
    end = day_of(request, "to", max(known, day_of(request, "from", known)))
    start = day_of(request, "from", max(spending.minus_months(end.replace(day=1), 5), first or date(1990, 1, 1)))
    return min(start, end), max(start, end)


@require_safe
def explorer(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    currencies = selectors.currencies(user)
    currency = currency_of(request, currencies)
    start, end = _period(request, *selectors.bounds(user, currency))
    days = (end - start).days + 1
    step = choice(request, "step", {"day": "Day", "month": "Month"}, "month" if days > 45 else "day")
    if step == "day" and days > MOST_DAYS:
        step = "month"
    rows = choice(request, "rows", _LABELS, "cloud_service")
    columns = choice(request, "columns", {"time": "Time", **_LABELS}, "time")
    cost = choice(request, "cost", spending.COSTS, "effective")
    filters = {name: tuple(values) for name in FILTERS if (values := _words(request, name))}
    question = Question(start, end + timedelta(days=1), (rows,), (currency,) if currency else (), filters)
    try:
        found = spending.explore(user, question, "time" if columns == rows else columns, step, cost)
    except selectors.UnknownName as error:
        raise Http404(str(error)) from error
    if request.GET.get("format") == "csv":
        lines = ([name, *map(plain, values), plain(total), currency] for name, values, total in found.rows)
        return csv_answer("costs", [_LABELS[rows], *found.columns, "total", "currency"], lines)
    # What one of the rows is looked at by: what the columns are, else what it was spent on.
    deeper = "account" if rows == "cloud_service" else "cloud_service"
    context: dict[str, Any] = {
        "here": "explorer", "found": found, "start": start, "end": end,
        # Each value with the name of its column, which stands before it where a phone shows rows as blocks.
        "shown": [
            (name, list(zip(found.columns, values, strict=True)), total)
            for name, values, total in found.rows[: spending.MOST_ROWS]
        ],
        "column_totals": list(zip(found.columns, found.column_totals, strict=True)),
        "step": step, "rows": rows, "columns": columns, "cost": cost, "currency": currency, "currencies": currencies,
        "dimensions": _LABELS, "costs": spending.COSTS, "label": _LABELS[rows],
        "filters": [(name, _LABELS[name], value) for name, values in filters.items() for value in values],
        "query": request.GET.urlencode(), "nameless": (spending.NOBODY, spending.UNNAMED, spending.REST),
        "deeper": deeper if columns in ("time", rows) else columns,
    }  # fmt: skip
    return render(request, "costs/explorer.html", context)


def _words(request: HttpRequest, name: str) -> list[str]:
    return [value for value in request.GET.getlist(name) if value and len(value) <= 500 and "\x00" not in value][:20]
