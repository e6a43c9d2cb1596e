"""Users and the audit, for administrators."""

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from platform_risk.core.access import selectors, services
from platform_risk.core.access.requests import user_of
from platform_risk.core.api import exports
from platform_risk.core.api.fields import shown_time
from platform_risk.core.forms import UserForm, user_fields
from platform_risk.core.keyset import BadCursor
from platform_risk.core.views.saving import posted, saved

page = require_http_methods(["GET", "HEAD", "POST"])
AUDIT = exports.Table(
    "audit",
    ("at", "actor", "action", "kind", "id", "label", "changes", "reason"),
    lambda event: {
        "at": shown_time(event.at), "actor": event.actor_name, "action": event.action, "kind": event.kind,
        "id": event.object_id, "label": event.label, "changes": event.changes, "reason": event.reason,
    },
)  # fmt: skip


@sensitive_post_parameters("password")
@page
def users_page(request: HttpRequest) -> HttpResponse:
    by = user_of(request)
    users = selectors.users_for(by)
    form = UserForm(posted(request), by=by)

    def write() -> object:
        return services.create_user(by=by, **form.sent())

    if request.method == "POST" and saved(request, form, write, "The user was created."):
        return redirect("core:users")
    return render(request, "core/users.html", {"users": users, "form": form}, status=422 if form.is_bound else 200)


@sensitive_post_parameters("password")
@page
def user_edit(request: HttpRequest, pk: int) -> HttpResponse:
    by = user_of(request)
    person = get_object_or_404(selectors.users_for(by), pk=pk)
    form = UserForm(posted(request), by=by, user=person, initial=user_fields(person))

    def write() -> object:
        return services.change_user(person, by=by, **form.sent())

    if request.method == "POST" and saved(request, form, write, "The user was changed."):
        return redirect("core:users")
    return render(
        request, "core/user_edit.html", {"person": person, "form": form}, status=422 if form.is_bound else 200
    )


@require_safe
def audit(request: HttpRequest) -> HttpResponseBase:
    kind = request.GET.get("kind", "")[:40]
    if request.GET.get("format") == "csv":
        return exports.csv_file(AUDIT, selectors.audit(user_of(request), kind=kind))
    try:
        page_ = selectors.audit_page(user_of(request), kind=kind, cursor=request.GET.get("cursor"))
    except BadCursor as error:
        raise Http404(str(error)) from error
    query = f"{urlencode({'kind': kind})}&" if kind else ""
    return render(request, "core/audit.html", {"page": page_, "kind": kind, "query": query, "kinds": selectors.KINDS})
