"""Services, teams and environments: lists, creating, changing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog import selectors, services
from platform_risk.core.forms import (
    DeleteServiceForm,
    EnvironmentForm,
    ServiceForm,
    TeamForm,
    environment_fields,
    service_fields,
)
from platform_risk.core.views.saving import done, posted, saved

page = require_http_methods(["GET", "HEAD", "POST"])


@page
def services_page(request: HttpRequest) -> HttpResponse:
    """The rows themselves come with their counts from the context (platform_risk.joint.context)."""
    user = user_of(request)
    form = ServiceForm(posted(request), teams=selectors.teams_written_by(user))

    def write() -> object:
        return services.create_service(user=user, **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The service was created."):
        return redirect("joint:service", form.cleaned_data["slug"])
    may_create = user.is_admin or bool(user.writing_team_ids)
    context = {"form": form, "may_create": may_create}
    return render(request, "core/services.html", context, status=422 if form.is_bound else 200)


@page
def service_edit(request: HttpRequest, slug: str) -> HttpResponse:
    user = user_of(request)
    service = get_object_or_404(selectors.services_visible_to(user), slug=slug)
    services.may_change_service(user, service)
    sent = posted(request)
    form = ServiceForm(sent, initial=service_fields(service), teams=selectors.teams_managed_by(user))

    def write() -> object:
        return services.change_service(service, user=user, **form.cleaned_data)

    if sent is not None and saved(request, form, write, "The service was changed."):
        return redirect("joint:service", form.cleaned_data["slug"])
    context = {"service": service, "form": form, "delete_form": DeleteServiceForm(slug=slug)}
    return render(request, "core/service_edit.html", context, status=422 if form.is_bound else 200)


@require_POST
def service_delete(request: HttpRequest, slug: str) -> HttpResponse:
    user = user_of(request)
    service = get_object_or_404(selectors.services_visible_to(user), slug=slug)
    form = DeleteServiceForm(request.POST, slug=slug)

    def write() -> None:
        services.delete_service(service, user=user)

    if saved(request, form, write, f"{slug} was deleted with its imports and findings."):
        return redirect("core:services")
    edit = ServiceForm(initial=service_fields(service), teams=selectors.teams_managed_by(user))
    context = {"service": service, "form": edit, "delete_form": form}
    return render(request, "core/service_edit.html", context, status=422)


@page
def teams_page(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = TeamForm(posted(request))

    def write() -> object:
        return services.create_team(user=user, **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The team was created."):
        return redirect("joint:team", form.cleaned_data["slug"])
    context = {"rows": selectors.team_rows(user), "form": form}
    return render(request, "core/teams.html", context, status=422 if form.is_bound else 200)


@page
def team_edit(request: HttpRequest, slug: str) -> HttpResponse:
    user = user_of(request)
    team = get_object_or_404(selectors.teams_visible_to(user), slug=slug)
    services.may_change_team(user, team)
    form = TeamForm(posted(request), initial={"slug": team.slug, "name": team.name})

    def write() -> object:
        return services.change_team(team, user=user, **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The team was changed."):
        return redirect("joint:team", form.cleaned_data["slug"])
    return render(request, "core/team_edit.html", {"team": team, "form": form}, status=422 if form.is_bound else 200)


@require_POST
def team_delete(request: HttpRequest, slug: str) -> HttpResponse:
    user = user_of(request)
    team = get_object_or_404(selectors.teams_visible_to(user), slug=slug)
    done(request, lambda: services.delete_team(team, user=user), f"{team.name} was deleted; what it owned is nobody’s.")
    return redirect("core:teams")


@page
def environments_page(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = EnvironmentForm(posted(request))

    def write() -> object:
        return services.create_environment(user=user, **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The environment was created."):
        return redirect("core:environments")
    may_create = user.is_admin or bool(user.writing_team_ids)
    context = {"environments": selectors.environments(), "form": form, "may_create": may_create}
    return render(request, "core/environments.html", context, status=422 if form.is_bound else 200)


@page
def environment_edit(request: HttpRequest, slug: str) -> HttpResponse:
    user = user_of(request)
    environment = get_object_or_404(selectors.environments(), slug=slug)
    services.may_change_environment(user)
    form = EnvironmentForm(posted(request), initial=environment_fields(environment))

    def write() -> object:
        return services.change_environment(environment, user=user, **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The environment was changed."):
        return redirect("core:environments")
    context = {"environment": environment, "form": form}
    return render(request, "core/environment_edit.html", context, status=422 if form.is_bound else 200)


@require_POST
def environment_delete(request: HttpRequest, slug: str) -> HttpResponse:
    user = user_of(request)
    environment = get_object_or_404(selectors.environments(), slug=slug)
    done(request, lambda: services.delete_environment(environment, user=user), f"{slug} was deleted.")
    return redirect("core:environments")
