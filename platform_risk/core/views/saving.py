"""The one way in which pages send a valid form to a service and say what came of it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, QueryDict

from platform_risk.core.errors import Conflict, Refused
from platform_risk.core.forms import refused


def saved(request: HttpRequest, form: forms.Form, write: Callable[[], Any], said: str) -> bool:
    """Whether `write` was done. If not, the form knows why; PermissionDenied goes its own way."""
    if not form.is_valid():
        return False
    try:
        write()
    except (Refused, Conflict) as error:
        refused(form, error)
        return False
    messages.success(request, said)
    return True


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: what was sent, also where nothing was, for then it says what it lacks."""
    return request.POST if request.method == "POST" else None


def reason_of(request: HttpRequest) -> str:
    """Why, as typed beside a button without a form. The database takes no NUL, and nobody can type one."""
    return request.POST.get("reason", "").replace("\0", "")[:2000]


def done(request: HttpRequest, write: Callable[[], Any], said: str) -> None:
    """For a button without a form: a refusal becomes a message."""
    try:
        write()
    except (Refused, Conflict) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
