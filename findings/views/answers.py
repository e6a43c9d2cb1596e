"""What came of a decision, said the same way by every page: a toast for scripts, a message for everybody else."""

import json
from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from findings.models import BulkAction


def back_to(request: HttpRequest, otherwise: str) -> str:
    """Where the form was opened; only addresses of our own."""
    wanted = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return otherwise


def is_fragment(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def decided(request: HttpRequest, text: str, *, back: str, decision: BulkAction | None = None) -> HttpResponse:
    undo = reverse("findings:decision-undo", args=[decision.pk]) if decision is not None and decision.applied else ""
    if is_fragment(request):
        event = json.dumps({"decided": {"text": text, "undo": undo}})  # ASCII, as headers must be
        return HttpResponse(status=204, headers={"HX-Trigger": event})
    messages.success(request, text)
    return redirect(back)


def refused(request: HttpRequest, text: str, *, back: str) -> HttpResponse:
    if is_fragment(request):
        return HttpResponse(status=409, headers={"X-Message": quote(text)})
    messages.error(request, text)
    return redirect(back)
