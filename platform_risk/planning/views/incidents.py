"""Incidents: the list, one, writing one, a file of many."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from findings import risk_presentation
from platform_risk.core import keyset
from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog.selectors import services_visible_to
from platform_risk.core.views.saving import done, posted, saved
from platform_risk.planning import incidents
from platform_risk.planning.forms import FileForm, IncidentForm, incident_fields
from platform_risk.planning.incidents_csv import COLUMNS, BadFile
from platform_risk.planning.models import Incident

page = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 100
_ORDER = ("-started_at", "-id")


def _list(request: HttpRequest, form: FileForm, problems: tuple[str, ...] = (), status: int = 200) -> HttpResponse:
    user = user_of(request)
    rows = incidents.visible(user)
    services = list(services_visible_to(user).filter(incidents__isnull=False).distinct())
    asked = request.GET.get("service", "")
    chosen = next((each for each in services if each.slug == asked), None)
    if chosen is not None:
        rows = rows.filter(service=chosen)
    try:
        shown = keyset.page(rows, ordering=_ORDER, cursor=request.GET.get("cursor") or None, size=SHOWN)
    except keyset.BadCursor:
        return redirect("planning:incidents")
    context = {
        "page": shown,
        "query": f"service={chosen.slug}&" if chosen else "",
        "summary": incidents.summary(list(rows[:2000])),
        "services": services,
        "chosen": chosen,
        "file_form": form,
        "problems": problems,
        "columns": COLUMNS,
        "may_write": user.is_admin or bool(user.writing_team_ids),
    }
    return render(request, "planning/incidents.html", context, status=status)


@require_safe
def incident_list(request: HttpRequest) -> HttpResponse:
    return _list(request, FileForm())


@require_POST
def incident_upload(request: HttpRequest) -> HttpResponse:
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _list(request, form, status=422)
    try:
        read = incidents.read_file(form.cleaned_data["file"], user=user_of(request), through="page")
    except BadFile as error:
        return _list(request, form, error.problems, 422)
    messages.success(request, f"{read.new} new, {read.changed} changed, {read.unchanged} as before.")
    return redirect("planning:incidents")


def _one(request: HttpRequest, pk: int) -> Incident:
    return get_object_or_404(incidents.visible(user_of(request)), pk=pk)


@require_safe
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    user, found = user_of(request), _one(request, pk)
    linked = incidents.findings_of(found, user)
    context = {
        "incident": found,
        "linked": linked,
        "told": risk_presentation.statements(incidents.told_by(found, linked)),
        "may_write": incidents.may_write(user, found.service),
    }
    return render(request, "planning/incident.html", context)


@page
def incident_new(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    if not (user.is_admin or user.writing_team_ids):
        raise PermissionDenied("Writing down an incident takes the role member in its service's team.")
    form = IncidentForm(posted(request), user=user)
    made: list[Incident] = []

    def write() -> None:
        made.append(incidents.create(user=user, through="page", **form.cleaned_data))

    if request.method == "POST" and saved(request, form, write, "The incident was written down."):
        return redirect("planning:incident", made[0].pk)
    return render(request, "planning/incident_edit.html", {"form": form}, status=422 if form.is_bound else 200)


@page
def incident_edit(request: HttpRequest, pk: int) -> HttpResponse:
    user, found = user_of(request), _one(request, pk)
    incidents.guard(user, found.service)
    initial: dict[str, Any] = incident_fields(found, incidents.findings_of(found, user))
    form = IncidentForm(posted(request), user=user, initial=initial)

    def write() -> object:
        return incidents.change(found, user=user, through="page", **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The incident was changed."):
        return redirect("planning:incident", found.pk)
    context = {"form": form, "incident": found}
    return render(request, "planning/incident_edit.html", context, status=422 if form.is_bound else 200)


@require_POST
def incident_delete(request: HttpRequest, pk: int) -> HttpResponse:
    user, found = user_of(request), _one(request, pk)
    done(request, lambda: incidents.delete(found, user=user, through="page"), "The incident was deleted.")
    return redirect("planning:incidents")
