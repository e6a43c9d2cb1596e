"""The weekly review: a week of the teams that one may see, or of one of them, with what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog.selectors import teams_visible_to
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


SIDES = (("new", "regressed"), ("overdue", "closed", "expiring"))


@dataclass(frozen=True)
class _List:
    name: str
    title: str
    rows: Sequence[Mapping[str, Any]]
    count: int
    url: str  # the findings themselves, of the week that runs: what is kept of one that ended is no list of today's


def _columns(lists: Sequence[_List]) -> list[list[_List]]:
    """What came beside what is to be done and what was done: both may be long, and neither stands below the other."""
    sides = [[each for each in lists if each.name in side and each.count] for side in SIDES]
    return [side for side in sides if side]


def _list_url(name: str, week: date, team: Team | None) -> str:
    """The same findings as a filter."""
    query = reviews.query(name, week, week + timedelta(days=6), reviews.EXPIRING_DAYS)
    whose = f" team:{team.slug}" if team else ""
    return reverse("findings:finding-list") + "?" + urlencode({"q": query + whose, "view": "flat"})


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
    is_running = week == reviews.this_week()
    lists = [
        _List(name, TITLES[name], rows, count, _list_url(name, week, team) if is_running else "")
        for name, rows, count in (found.lists if found else ())
    ]
    context: dict[str, Any] = {
        "week": week,
        "review": found,
        "is_running": is_running,
        "lists": lists,
        "columns": _columns(lists),
        "is_quiet": found is not None and not any(found.counts.values()) and not found.costs,
        "parts": list(reviews.merged(found.parts)) if found else [],
        "since": reviews.since(user, found.bad_minutes, found.losses, week=week, team=team) if found else None,
        "team": team,
        "teams": list(teams_visible_to(user)),
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
