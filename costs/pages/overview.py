"""Costs: this month so far and to its end, the last twelve, and what moved."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from costs import ahead, selectors, spending
from costs.money import plain
from costs.pages.answers import choice, csv_answer, currency_of
from costs.spending import Overview
from platform_risk.core.access.requests import user_of
from platform_risk.core.models import User

BY = {"service": "Service", "team": "Team", "cloud_service": "Cloud service", "environment": "Environment"}


def _asked(request: HttpRequest) -> dict[str, Any]:
    user = user_of(request)
    currencies = selectors.currencies(user)
    return {
        "by": choice(request, "by", BY, "service"),
        "cost": choice(request, "cost", spending.COSTS, "effective"),
        "currencies": currencies,
        "currency": currency_of(request, currencies),
    }


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    asked = _asked(request)
    first, last = selectors.bounds(user_of(request), asked["currency"])
    found = None
    if first is not None and last is not None:
        found = spending.overview(user_of(request), asked["currency"], asked["by"], asked["cost"], first, last)
    if found is not None and request.GET.get("format") == "csv":
        names = ("name", "before", "after", "change", "new", "gone", "price", "volume", "unknown")
        rows = ([each.name, *(plain(getattr(each, name)) for name in names[1:])] for each in found.movers)
        return csv_answer("costs-changes", [*names, "currency"], ([*row, asked["currency"]] for row in rows))
    context = {**asked, "by_names": BY, "costs": spending.COSTS, "found": found, "here": "overview"}
    if found is not None:
        context |= _to_come(user_of(request), asked, found)
    return render(request, "costs/overview.html", context)


def _to_come(user: User, asked: dict[str, Any], found: Overview) -> dict[str, Any]:
    to_come = ahead.ahead(user, asked["currency"], asked["cost"], found.month)
    budgets = ahead.budgets(user, asked["currency"])
    whole = next((each for each in budgets if each.budget.kind == "everything"), None)
    limit = whole.budget.amount if whole else None
    return {
        "ahead": to_come,
        "ahead_figure": ahead.figure(
            found.times,
            found.totals,
            to_come,
            asked["currency"],
            limit,
            "budget" if asked["cost"] == "billed" else "budget, of what is billed",
        ),
        "past": list(zip(found.times, found.totals, strict=True)),
        "budgets": budgets,
        "budget": whole,
        "freshness": ahead.freshness(user),
        "may_reconcile": user.sees_unowned,
    }


@require_safe
def changed_resources(request: HttpRequest) -> HttpResponse:
    """Resources that came or went between the two months compared; a fragment, for there may be many."""
    asked = _asked(request)
    user = user_of(request)
    _, last = selectors.bounds(user, asked["currency"])
    rows: list[Any] = []
    before = after = None
    if last is not None:
        before, after = spending.compared(last)
        rows = selectors.resource_changes(user, before, after, asked["currency"], asked["cost"], 100)
    if request.GET.get("format") == "csv":
        lines = (
            [row["resource"], row["cloud_service"], "new" if row["first"] == after else "gone", plain(row["cost"]),
             asked["currency"]]
            for row in rows
        )  # fmt: skip
        return csv_answer("costs-resources", ["resource", "cloud_service", "change", "cost", "currency"], lines)
    return render(request, "costs/_changed_resources.html", {**asked, "rows": rows, "after": after, "before": before})


@require_safe
def projection(request: HttpRequest) -> HttpResponse:
    """The months that were and those to come as a card of the overview."""
    return render(request, "costs/_projection.html", {"found": ahead.projection(user_of(request))})


@require_safe
def tile(request: HttpRequest) -> HttpResponse:
    """Spend and its forecast as a card that another page asks for after it stands: a forecast may take a moment."""
    return render(request, "costs/_tile.html", {"tile": ahead.tile(user_of(request))})
