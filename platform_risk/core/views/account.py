"""One's own account: name and keys, password, tokens."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from platform_risk.core.access import selectors, services
from platform_risk.core.access.requests import user_of
from platform_risk.core.forms import PasswordForm, SettingsForm, TokenForm, settings_fields
from platform_risk.core.models import User
from platform_risk.core.views.saving import done, saved


def _shown(request: HttpRequest, user: User, *, secret: str = "", **forms_: forms.Form) -> HttpResponse:
    context: dict[str, Any] = {
        "tokens": selectors.own_tokens(user),
        "secret": secret,
        "settings_form": forms_.get("settings") or SettingsForm(initial=settings_fields(user)),
        "password_form": forms_.get("password") or PasswordForm(),
        "token_form": forms_.get("token") or TokenForm(user=user, days=settings.TOKEN_DAYS),
    }
    return render(request, "core/account.html", context, status=422 if forms_ else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    if request.method != "POST":
        return _shown(request, user)
    form = SettingsForm(request.POST)

    def write() -> object:
        return services.change_own_settings(user=user, **form.cleaned_data)

    if saved(request, form, write, "Your account was changed."):
        return redirect("core:account")
    return _shown(request, user, settings=form)


@sensitive_post_parameters()
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = PasswordForm(request.POST)

    def write() -> None:
        data = form.cleaned_data
        changed = services.change_own_password(user=user, old=data["old_password"], new=data["new_password"])
        update_session_auth_hash(request, changed)  # this session stays, all others end

    if saved(request, form, write, "Your password was changed; your other sessions have ended."):
        return redirect("core:account")
    return _shown(request, user, password=form)


@never_cache
@require_POST
def token_create(request: HttpRequest) -> HttpResponse:
    """Answers with the page itself: the secret is shown in it, once, and kept nowhere."""
    user = user_of(request)
    form = TokenForm(request.POST, user=user, days=settings.TOKEN_DAYS)
    made: list[str] = []

    def write() -> None:
        made.append(services.create_token(by=user, user=user, **form.cleaned_data)[1])

    if saved(request, form, write, "The token was created."):
        return _shown(request, user, secret=made[0])
    return _shown(request, user, token=form)


@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    token = get_object_or_404(selectors.own_tokens(user), pk=pk)
    done(request, lambda: services.revoke_token(token, by=user), f"{token.name} was revoked: it no longer works.")
    return redirect("core:account")
