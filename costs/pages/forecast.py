"""The forecast of spend, how it did on the past, and what is unusual. Every state is an address."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from costs import budgeting, charts, outlook
from costs.money import plain
from costs.outlook import Outlook
from costs.pages.answers import csv_answer
from costs.pages.forms import SeenForm
from costs.spending import currency_words
from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog.selectors import teams_visible_to
from platform_risk.core.errors import Refused
from platform_risk.core.models import User
from platform_risk.core.views.saving import saved

HORIZONS = {30: "30 days", 90: "90 days", 365: "A year"}
GROUPS = {"": "The whole", "team": "By team", "service": "By service", "cloud_service": "By cloud service"}
MEASURES = {"effective": "Effective", "billed": "Billed"}
_LEVELS = (50, 80, 95)
_SHOWN_BEFORE = 120  # days of the past in the chart


def _chosen(request: HttpRequest, name: str, allowed: Any, default: Any) -> Any:
    value = request.GET.get(name, "")
    found = next((each for each in allowed if str(each) == value), None)
    if value and found is None:
        raise Http404(f"There is no such {name}.")
    return default if found is None else found


@require_safe
def forecast(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    known = outlook.currencies(user)
    asked = {
        "horizon": _chosen(request, "horizon", HORIZONS, 90),
        "group": _chosen(request, "group", GROUPS, ""),
        "measure": _chosen(request, "measure", MEASURES, "effective"),
        "currency": _chosen(request, "currency", known, known[0] if known else ""),
    }
    found = outlook.outlook(
        user, asked["currency"], group_by=[asked["group"]] if asked["group"] else [], horizon=asked["horizon"],
        levels=_LEVELS, measure=asked["measure"],
    )  # fmt: skip
    if found.told and request.GET.get("format") == "csv":
        return _csv(found, by_month=request.GET.get("table") == "months")
    context = {
        **asked,
        "csv": f"?{urlencode(asked)}",
        "horizons": HORIZONS,
        "groups": GROUPS,
        "measures": MEASURES,
        "currencies": known,
        "found": found,
        "unusual": outlook.unusual(user)[:30],
        "may_write": bool(user.writing_team_ids) or user.is_admin,
        "links": {name: _links(asked, name) for name in asked},
        **(_drawn(found, asked["group"]) if found.told else {}),
    }
    return render(request, "costs/forecast.html", context)


def _links(asked: dict[str, Any], name: str) -> dict[Any, str]:
    options: dict[str, Any] = {"horizon": HORIZONS, "group": GROUPS, "measure": MEASURES}
    return {each: f"?{urlencode({**asked, name: each})}" for each in options.get(name, ())}


def _drawn(found: Outlook, group: str) -> dict[str, Any]:
    assert found.told is not None
    assert found.spend is not None
    whole, spend = found.told.whole, found.spend
    days = [whole.start + timedelta(days=at) for at in range(len(whole.mean))]
    past = [
        (day, float(spend.by_day[day])) for day in sorted(spend.by_day) if day >= whole.start - timedelta(_SHOWN_BEFORE)
    ]
    backtest = whole.backtest
    return {
        "figure": charts.forecast(past, days, whole, currency_words(found.currency)),
        "rows": [_row(whole, at, day) for at, day in enumerate(days)],
        "months": found.months,
        "backtest": backtest,
        "better": None
        if backtest.mase is None or not backtest.baseline_mase
        else 100 * (1 - backtest.mase / backtest.baseline_mase),
        "covered": None if backtest.coverage_80 is None else 100 * backtest.coverage_80,
        "levels": _LEVELS,
        "parts": sorted(
            (
                {"name": key[0] or "nobody’s", "total": sum(part.means), "own": part.own}
                for key, part in found.told.parts.items()
            ),
            key=lambda part: -abs(part["total"]),
        )
        if group
        else [],
    }


def _csv(found: Outlook, *, by_month: bool) -> HttpResponse:
    """The table of days, or of months."""
    assert found.told is not None
    bounds = [f"{end}_{level}" for level in _LEVELS for end in ("lo", "hi")]
    if by_month:
        header = ["month", "days_ahead", "spent_already", "expected", *bounds, "currency"]
        rows = [
            [f"{month.first:%Y-%m}", month.days, plain(month.known), plain(month.mean),
             *(plain(end) for level in _LEVELS for end in month.bounds[level]), found.currency]
            for month in found.months
        ]  # fmt: skip
        return csv_answer("forecast-by-month", header, rows)
    whole = found.told.whole
    lines = (_row(whole, at, whole.start + timedelta(days=at)) for at in range(len(whole.mean)))
    days = [
        [row["day"], f"{row['mean']:.4f}", *(f"{end:.4f}" for both in row["bounds"] for end in both), found.currency]
        for row in lines
    ]
    return csv_answer("forecast-by-day", ["day", "expected", *bounds, "currency"], days)


def _row(whole: Any, at: int, day: date) -> dict[str, Any]:
    return {
        "day": day,
        "mean": float(whole.mean[at]),
        "bounds": [(float(whole.bounds[level][0][at]), float(whole.bounds[level][1][at])) for level in _LEVELS],
    }


@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = SeenForm(request.POST)

    def write() -> object:
        data = form.cleaned_data
        team = _team(user, data["team"])
        outlook.check_unusual(user, team, data["day"], data["currency"])
        return budgeting.see_anomaly(user=user, team=team, day=data["day"], currency=data["currency"],
                                     reason=data["reason"])  # fmt: skip

    if saved(request, form, write, "It is noted, with your reason."):
        return redirect(f"{reverse('costs:forecast')}#unusual")
    return render(request, "costs/seen.html", {"form": form}, status=422)


def _team(user: User, slug: str) -> Any:
    if not slug:
        return None
    found = teams_visible_to(user).filter(slug=slug).first()
    if found is None:
        raise Refused("There is no such team that you may see.")
    return found
