"""What configuration and people stated about a service: each with its source, and what is in force."""

import json
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog.selectors import environments, services_visible_to
from platform_risk.core.errors import Refused
from platform_risk.core.facts import selectors, services
from platform_risk.core.models import Environment, Import, ImportKind, ImportState, Service
from platform_risk.core.views.saving import posted, saved

MOST_SHOWN = 2_000


class FactForm(forms.Form):
    name = forms.CharField(
        label="Fact", max_length=400, help_text="Its dotted path, as a check asks for it: metrics.series_per_pod."
    )
    value = forms.CharField(
        label="Value", max_length=4000, required=False,
        help_text="A number, true or false, a text, or a list in square brackets. Empty takes the statement back.",
    )  # fmt: skip
    environment = forms.ModelChoiceField(
        Environment.objects.none(), label="Environment", required=False, empty_label="All of them", to_field_name="slug"
    )
    reason = forms.CharField(label="How you know", max_length=500, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["environment"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = environments()

    def clean_value(self) -> Any:
        """As JSON has it where it is JSON, else the text itself."""
        text: str = self.cleaned_data["value"].strip()
        if not text:
            return None
        try:
            return json.loads(text, parse_constant=lambda _: text)
        except (ValueError, RecursionError):
            return text


@require_http_methods(["GET", "HEAD", "POST"])
def service_facts(request: HttpRequest, slug: str) -> HttpResponse:
    user = user_of(request)
    service = get_object_or_404(services_visible_to(user), slug=slug)
    given = {name: request.GET[name] for name in ("name", "environment") if name in request.GET}
    form = FactForm(posted(request), initial=given)

    def write() -> None:
        sent = form.cleaned_data
        try:
            services.state(
                service, {sent["name"].strip(): sent["value"]}, user=user, environment=sent["environment"],
                reason=sent["reason"],
            )  # fmt: skip
        except Refused as error:
            raise Refused(str(error), field="name") from error

    if form.is_bound:
        services.may_state(user, service)
        if saved(request, form, write, "It is stated. Checks count on it when the configuration is read again."):
            return redirect("core:service-facts", slug)
    context = {
        "service": service,
        "facts": list(selectors.facts_of(service).select_related("stated_by").order_by("name", "pk")[:MOST_SHOWN]),
        "rule": selectors.RULE,
        "form": form,
        "may_state": user.may_write(service.team_id),
        "last_platform": _last_platform(service),
    }
    return render(request, "core/facts.html", context, status=422 if form.is_bound else 200)


def _last_platform(service: Service) -> Import | None:
    """What would be read again."""
    rows = Import.objects.filter(service=service, kind=ImportKind.PLATFORM, state=ImportState.DONE, is_applied=True)
    return rows.filter(undone_at__isnull=True).defer("coverage").first()
