"""A finding that a person writes: a review, a postmortem."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from findings import presentation, services
from findings.forms import WriteForm
from findings.models import Finding
from platform_risk.core.access.requests import user_of
from platform_risk.core.views.saving import posted, saved


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    if not (user.is_admin or user.writing_team_ids):
        raise PermissionDenied("Writing a finding takes the role member in the team of a service.")
    if not presentation.writable_services(user).exists():
        return render(request, "findings/new.html", {"form": None})
    sent = posted(request)
    form = WriteForm(sent, user=user, initial={"service": request.GET.get("service", "")})
    written: list[Finding] = []

    def write() -> None:
        written.append(services.write_finding(user=user, source="page", **form.values()))

    if sent is not None and saved(request, form, write, "The finding was written."):
        return redirect("findings:finding-detail", written[0].pk)
    return render(request, "findings/new.html", {"form": form}, status=422 if form.is_bound else 200)
