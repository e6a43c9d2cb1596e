"""The weekly review: a week of the teams that one may see, or of one of them, with what was decided."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from findings.selectors import teams_visible_to
from platform_risk.core.access.requests import user_of
from platform_risk.core.models import Team
from platform_risk.core.views.saving import saved
from platform_risk.planning import reviews
from platform_risk.planning.forms import NoteForm

TITLES = {
    "new": "New",
    "regressed": "Came back",
    "closed": "Closed",
    "overdue": "Overdue",
    "expiring": "Acceptances that expire",
}


def _week(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Http404("No such week.") from None
    if found != reviews.monday(found) or found > reviews.this_week():
        raise Http404("No such week.")
    return found


def _team(request: HttpRequest) -> Team | None:
    slug = request.GET.get("team", "")
    return get_object_or_404(teams_visible_to(user_of(request)), slug=slug) if slug else None


def _shown(request: HttpRequest, week: date, form: NoteForm, status: int = 200) -> HttpResponse:
    user, team = user_of(request), _team(request)
    found = reviews.review(user, week, team)
    kept = reviews.weeks(user)
    context: dict[str, Any] = {
        "week": week,
        "review": found,
        "is_running": week == reviews.this_week(),
        "lists": [(name, TITLES[name], rows, count) for name, rows, count in found.lists] if found else [],
        "is_quiet": found is not None and not any(found.counts.values()) and not found.costs,
        "parts": list(reviews.merged(found.parts)) if found else [],
        "team": team,
        "teams": list(teams_visible_to(user).order_by("slug")),
        "weeks": [reviews.this_week(), *(each for each in kept if each != reviews.this_week())],
        "notes": list(reviews.notes(user, week, team)),
        "form": form,
        "may_note": user.is_admin or bool(user.writing_team_ids),
    }
    return render(request, "planning/review.html", context, status=status)


@require_safe
def review_page(request: HttpRequest, week: str = "") -> HttpResponse:
    if not week and request.GET.get("week"):
        rest = "?" + urlencode({"team": request.GET["team"]}) if request.GET.get("team") else ""
        return redirect(reverse("planning:review", args=[_week(request.GET["week"])]) + rest)
    day = _week(week) if week else reviews.this_week()
    return _shown(request, day, NoteForm(user=user_of(request), initial={"team": _team(request)}))


@require_POST
def note(request: HttpRequest, week: str) -> HttpResponse:
    user, day = user_of(request), _week(week)
    form = NoteForm(request.POST, user=user)

    def write() -> object:
        return reviews.add_note(user=user, week=day, **form.cleaned_data)

    if saved(request, form, write, "It was written down."):
        return redirect(reverse("planning:review", args=[day]) + "#notes")
    return _shown(request, day, form, 422)
