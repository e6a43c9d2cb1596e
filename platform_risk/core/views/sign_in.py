"""Coming in and going out."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from platform_risk.core.access.sign_in import TooManyAttempts, WrongNameOrPassword, sign_in
from platform_risk.core.forms import SignInForm


def _onward(request: HttpRequest, wanted: str) -> str:
    """Only to pages of our own."""
    hosts = {request.get_host()}
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=hosts, require_https=request.is_secure()):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def _whole_page(request: HttpRequest) -> HttpResponse:
    """A fragment was asked for and the session is over: the page itself has to go to the sign-in."""
    current = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = current.path + (f"?{current.query}" if current.query else "")
    address = f"{reverse('core:sign-in')}?{urlencode({'next': back})}"
    return HttpResponse(status=204, headers={"HX-Redirect": address})


@sensitive_post_parameters("password")
@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _try(request, SignInForm(request.POST))
    if "HX-Request" in request.headers:
        return _whole_page(request)
    wanted = request.GET.get("next", "")
    if request.user.is_authenticated:
        return redirect(_onward(request, wanted))
    return render(request, "core/sign_in.html", {"form": SignInForm(initial={"next": wanted})})


def _try(request: HttpRequest, form: SignInForm) -> HttpResponse:
    if form.is_valid():
        try:
            user = sign_in(request, username=form.cleaned_data["username"], password=form.cleaned_data["password"])
        except WrongNameOrPassword:
            form.add_error(None, "User name or password is wrong.")
        except TooManyAttempts as error:
            return _too_many(request, error)
        else:
            login(request, user)
            return redirect(_onward(request, form.cleaned_data["next"]))
    return render(request, "core/sign_in.html", {"form": form})


def _too_many(request: HttpRequest, error: TooManyAttempts) -> HttpResponse:
    answer = render(request, "core/too_many_attempts.html", {"minutes": error.minutes}, status=429)
    answer.headers["Retry-After"] = str(error.minutes * 60)
    return answer


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("core:sign-in")
