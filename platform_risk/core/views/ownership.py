"""Who owns what: the rules in their order, a tester that explains, CODEOWNERS files."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog import selectors, services
from platform_risk.core.errors import Refused
from platform_risk.core.forms import CodeownersForm, OwnersForm, RuleForm, TesterForm, refused, rule_fields
from platform_risk.core.models import User
from platform_risk.core.views.saving import done, posted, saved

page = require_http_methods(["GET", "HEAD", "POST"])


def _shown(request: HttpRequest, user: User, **forms_: forms.Form) -> HttpResponse:
    """The page: with forms that were filled in wrongly, or with new ones."""
    tested = any(name.startswith("test-") for name in request.GET)
    tester = TesterForm(request.GET if tested else None, user=user)
    explained = selectors.explain_ownership(user, **tester.cleaned_data) if tested and tester.is_valid() else None
    context: dict[str, Any] = {
        "rules": selectors.rule_rows(user),
        "may_create": user.is_admin or selectors.services_managed_by(user).exists(),
        "form": forms_.get("form") or RuleForm(user=user),
        "codeowners": forms_.get("codeowners") or CodeownersForm(user=user),
        "tester": tester,
        "explained": explained,
    }
    return render(request, "core/ownership.html", context, status=422 if forms_ else 200)


@page
def ownership_page(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    if request.method != "POST":
        return _shown(request, user)
    form = RuleForm(request.POST, user=user)

    def write() -> object:
        return services.create_rule(user=user, **form.cleaned_data)

    if saved(request, form, write, "The rule was added; it is asked last."):
        return redirect("core:ownership")
    return _shown(request, user, form=form)


@page
def rule_edit(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    rule = get_object_or_404(selectors.rules_visible_to(user), pk=pk)
    services.may_change_rules_of(user, rule.service)
    form = RuleForm(posted(request), user=user, initial=rule_fields(rule))

    def write() -> object:
        return services.change_rule(rule, user=user, **form.cleaned_data)

    if request.method == "POST" and saved(request, form, write, "The rule was changed."):
        return redirect("core:ownership")
    return render(request, "core/rule_edit.html", {"rule": rule, "form": form}, status=422 if form.is_bound else 200)


@require_POST
def rule_move(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    rule = get_object_or_404(selectors.rules_visible_to(user), pk=pk)
    steps = -1 if request.POST.get("direction") == "up" else 1
    done(request, lambda: services.move_rule(rule, user=user, steps=steps), "The rule was moved.")
    return redirect(f"{reverse('core:ownership')}#rule-{pk}")


@require_POST
def rule_delete(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    rule = get_object_or_404(selectors.rules_visible_to(user), pk=pk)
    done(request, lambda: services.delete_rule(rule, user=user), "The rule was deleted.")
    return redirect("core:ownership")


@require_POST
def codeowners_read(request: HttpRequest) -> HttpResponse:
    """First step: whose file it is, and which owners it names."""
    user = user_of(request)
    form = CodeownersForm(request.POST, request.FILES, user=user)
    if form.is_valid():
        try:
            lines = services.codeowners(form.cleaned_data["text"])
        except Refused as error:
            refused(form, error)
        else:
            service = form.cleaned_data["service"]
            given = {"service": service, "text": form.cleaned_data["text"]}
            owners = OwnersForm(user=user, owners=services.owners_in(lines), initial=given)
            context = {"form": owners, "service": service, "lines": len(lines)}
            return render(request, "core/codeowners.html", context)
    return _shown(request, user, codeowners=form)


@require_POST
def codeowners_import(request: HttpRequest) -> HttpResponse:
    """Second step: with a team for each owner."""
    user = user_of(request)
    text = request.POST.get("text", "")
    try:
        owners = services.owners_in(services.codeowners(text))
    except Refused as error:
        messages.error(request, str(error))
        return redirect("core:ownership")
    form = OwnersForm(request.POST, user=user, owners=owners)
    if not form.is_valid():
        messages.error(request, "Choose the file again: what it belongs to has changed in the meantime.")
        return redirect("core:ownership")
    service = form.cleaned_data["service"]
    outcome = services.import_codeowners(service, user=user, text=text, teams=form.teams())
    messages.success(request, outcome.words)
    return redirect("core:ownership")
