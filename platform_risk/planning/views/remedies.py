"""Remedies: the list with its plan, one remedy, writing one."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from findings.vocabulary import Lane
from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog.selectors import services_visible_to
from platform_risk.core.views.saving import done, posted, saved
from platform_risk.planning import charts, plans, remedies
from platform_risk.planning.forms import RemedyForm, remedy_fields
from platform_risk.planning.models import Remedy
from platform_risk.planning.remedies import Row
from platform_risk.planning.vocabulary import AHEAD, RemedyState

page = require_http_methods(["GET", "HEAD", "POST"])
BUDGET, MOST_BUDGET = 10.0, 10_000.0
BEST = 5


def _budget(request: HttpRequest) -> tuple[float, str]:
    """Days, and what is wrong with those that were asked for: the plan is then the usual one."""
    asked = request.GET.get("days", "").strip()
    try:
        days = float(asked or BUDGET)
    except ValueError:
        days = -1.0
    if 0 <= days <= MOST_BUDGET:
        return days, ""
    return BUDGET, f"“{asked[:40]}” is no number of days from 0 to {MOST_BUDGET:,.0f}, such as 2.5."


def _worth(request: HttpRequest) -> plans.Worth:
    return "money" if request.GET.get("worth") == "money" else "minutes"


def _shown(rows: list[Row], state: str, worth: str) -> list[Row]:
    """The most avoided per engineer-day first; what is done or declined comes last."""

    def key(row: Row) -> Any:
        per_day = row.loss_per_day if worth == "money" else row.minutes_per_day
        return (row.remedy.state not in AHEAD, -float(per_day or 0), -row.figures.findings, row.remedy.title)

    return sorted((row for row in rows if not state or row.remedy.state == state), key=key)


@require_safe
def remedy_list(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    (budget, problem), worth = _budget(request), _worth(request)
    state = request.GET.get("state", "") if request.GET.get("state") in set(RemedyState) else ""
    rows = remedies.rows(user, list(remedies.visible(user)))
    planned = plans.plan(user, rows, budget=budget, worth=worth)
    context = {
        "rows": _shown(rows, state, worth),
        "planned": planned,
        "chosen": {step.key for step in planned.plan.steps},
        "curve": charts.curve(planned.curve, budget),
        "budget": f"{budget:g}",
        "problem": problem,
        "worth": worth,
        "state": state,
        "states": [each.value for each in RemedyState],
        "may_create": user.is_admin or bool(user.writing_team_ids),
    }
    return render(request, "planning/remedies.html", context, status=400 if problem else 200)


@require_safe
def best(request: HttpRequest) -> HttpResponse:
    """The remedies that take most away for the days they take, as a card of the overview."""
    return render(request, "planning/_best.html", {"best": plans.best(user_of(request), BEST)})


def _one(request: HttpRequest, slug: str) -> Remedy:
    return get_object_or_404(remedies.visible(user_of(request)), slug=slug)


@require_safe
def remedy(request: HttpRequest, slug: str) -> HttpResponse:
    user, found = user_of(request), _one(request, slug)
    row = remedies.rows(user, [found])[0]
    shown = services_visible_to(user).filter(slug__in=row.figures.services)
    context = {
        "row": row,
        "seen": set(shown.values_list("slug", flat=True)),
        "remedy": found,
        "lanes": [lane.value for lane in Lane],
        "avoided": remedies.avoided(user, found),
        "may_change": remedies.may_change(user, found),
    }
    return render(request, "planning/remedy.html", context)


@page
def remedy_new(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    if not (user.is_admin or user.writing_team_ids):
        raise PermissionDenied("Writing a remedy takes the role member in a team.")
    form = RemedyForm(posted(request), user=user)

    def write() -> object:
        return remedies.create(user=user, **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The remedy was added."):
        return redirect("planning:remedy", form.cleaned_data["slug"])
    return render(request, "planning/remedy_edit.html", {"form": form}, status=422 if form.is_bound else 200)


@page
def remedy_edit(request: HttpRequest, slug: str) -> HttpResponse:
    user, found = user_of(request), _one(request, slug)
    remedies.guard(user, found)
    form = RemedyForm(posted(request), user=user, initial=remedy_fields(found))

    def write() -> object:
        return remedies.change(found, user=user, **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The remedy was changed."):
        return redirect("planning:remedy", form.cleaned_data["slug"])
    context = {"form": form, "remedy": found}
    return render(request, "planning/remedy_edit.html", context, status=422 if form.is_bound else 200)


@require_POST
def remedy_delete(request: HttpRequest, slug: str) -> HttpResponse:
    user, found = user_of(request), _one(request, slug)
    done(request, lambda: remedies.delete(found, user=user), f"{found.title} was deleted.")
    return redirect("planning:remedies")
