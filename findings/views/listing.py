"""The list of findings: a filter in the address, grouped by rule and service or flat, with one finding beside it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from findings import grouping, presentation, selectors
from findings.forms import FORMS, TITLES, SaveViewForm
from findings.models import FindingQuerySet
from findings.query import Query, QueryError, parse
from findings.views.detail import shown
from platform_risk.core import keyset
from platform_risk.core.access.requests import user_of
from platform_risk.core.models import User

PAGE_SIZE = 100
GROUPS = 50
GROUP_ROWS = 50

ON_THE_BAR = ("assign", "snooze", "dismiss", "accept")

# As the side bar and the overview count: default branches. "All" is all.
_HERE = " -is:other_branch"
PRESETS = (
    ("Open", f"is:open{_HERE}"),
    ("New", f"status:new{_HERE}"),
    ("Mine", f"is:open owner:me{_HERE}"),
    ("Overdue", "is:open is:overdue"),
    ("No team", f"is:open is:unowned{_HERE}"),
    ("Came back", f"is:open is:regressed{_HERE}"),
    ("Snoozed", f"status:snoozed{_HERE}"),
    ("Closed", f"is:closed{_HERE}"),
    ("All", ""),
)
ORDERINGS = (
    ("priority", "Worst first"),
    ("due", "Due first"),
    ("-bad_minutes", "Most bad minutes first"),
    ("-annual_loss", "Greatest loss first"),
    ("-first_seen", "Newest first"),
    ("first_seen", "Oldest first"),
    ("-updated", "Last changed first"),
)


@dataclass(frozen=True)
class Preset:
    title: str
    url: str
    active: bool


def _number(text: str, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _query(request: HttpRequest) -> Query:
    return parse(request.GET.get("q", ""), ordering=request.GET.get("ordering", ""))


@require_safe
def finding_list(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    view = "flat" if request.GET.get("view") == "flat" else ""
    try:
        query = _query(request)
        context = _flat(request, query, user) if view else _grouped(request, query, user)
    except (QueryError, keyset.BadCursor) as error:
        context = {"error": str(error), "q": request.GET.get("q", "")[:2000], "query": Query(), "view": view}
        return render(request, "findings/list.html", context | _around(Query(), user, view), status=400)
    selected = presentation.one(user, _number(request.GET.get("selected", ""), 2**62))
    if selected is not None:
        context |= shown(selected, user)
    return render(request, "findings/list.html", context | _around(query, user, view))


def _around(query: Query, user: User, view: str) -> dict[str, Any]:
    return {
        "query": query,
        "view": view,
        "menus": presentation.menus(query, user, view),
        "tokens": presentation.tokens(query, view),
        "presets": [
            Preset(title, presentation.list_url(parse(q, ordering=query.ordering), view=view), query.text() == q)
            for title, q in PRESETS
        ],
        "orderings": ORDERINGS,
        "grouped_url": presentation.list_url(query),
        "flat_url": presentation.list_url(query, view="flat"),
        "export": reverse("api:finding-list") + "?" + urlencode({"q": query.text(), "format": "csv"}),
        "view_form": SaveViewForm(user=user),
        "more_verbs": [(verb, TITLES[verb]) for verb in FORMS if verb not in ON_THE_BAR],
        "may_write": user.is_admin or bool(user.writing_team_ids),
    }


def _counted(query: Query, user: User, rows: FindingQuerySet) -> dict[str, Any]:
    count, more = grouping.counted(query, user, rows)
    return {"count": count, "more_than_counted": more}


def _flat(request: HttpRequest, query: Query, user: User) -> dict[str, Any]:
    rows = selectors.found(query, user)
    cursor = request.GET.get("cursor") or None
    near = grouping.narrowed(query, user, rows, cursor=cursor, size=PAGE_SIZE)
    page = keyset.page(presentation.rows_only(near), ordering=query.keyset, cursor=cursor, size=PAGE_SIZE)
    rest = presentation.list_url(query, view="flat")[1:]
    return {"q": query.text(), "page": page, "pager_query": f"{rest}&"} | _counted(query, user, rows)


def _grouped(request: HttpRequest, query: Query, user: User) -> dict[str, Any]:
    rows = selectors.found(query, user)
    number = max(_number(request.GET.get("page", ""), 10_000), 1)
    found = presentation.shown_groups(query, user, rows, offset=(number - 1) * GROUPS, size=GROUPS)
    urls = {
        "previous_url": presentation.list_url(query, page=str(number - 1)) if number > 1 else "",
        "next_url": presentation.list_url(query, page=str(number + 1)) if len(found) > GROUPS else "",
    }
    return {"q": query.text(), "groups": found[:GROUPS]} | urls | _counted(query, user, rows)


@require_safe
def group_rows(request: HttpRequest) -> HttpResponse:
    """The findings of one group, as rows to put below it."""
    user = user_of(request)
    try:
        query = _query(request)
        rows = selectors.found(query, user)
    except QueryError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    page = keyset.page(presentation.rows_only(rows), ordering=query.keyset, cursor=None, size=GROUP_ROWS)
    context = {"page": page, "flat_url": presentation.list_url(query, view="flat"), "in_group": True}
    return render(request, "findings/_group_rows.html", context)
