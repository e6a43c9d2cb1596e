"""Alert coverage: failure mode × service, and every pair behind it. Each state of the page is an address."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from findings.checks import signals
from findings.checks.coverage import State
from platform_risk.core.access.requests import user_of
from platform_risk.planning import coverage, freshness
from platform_risk.planning.coverage import Filter

SHOWN = 200


@require_safe
def alert_coverage(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    sources = coverage.sources(user)
    asked = {name: request.GET.get(name, "") for name in ("service", "mode", "state")}
    services, states = {each.service for each in sources}, [each.value for each in State]
    known: dict[str, set[str]] = {"service": services, "mode": set(signals.modes()), "state": set(states)}
    asked = {name: value if value in known[name] else "" for name, value in asked.items()}
    wanted = Filter(*(frozenset({asked[name]} - {""}) for name in ("service", "mode", "state")))
    every = coverage.rows(sources)
    found = [row for row in every if wanted.lets(row)]
    query = urlencode({name: value for name, value in asked.items() if value} | {"format": "csv"})
    context = {
        "grid": coverage.grid(coverage.rows(sources, Filter(wanted.services))),
        "rows": found[:SHOWN],
        "count": len(found),
        "asked": asked,
        "services": sorted(services),
        "modes": signals.modes().values(),
        "states": states,
        "sources": sources,
        "not_understood": [(each, alert) for each in sources for alert in each.alerts if alert.reason],
        "gaps": freshness.gaps(user),
        "export": f"{reverse('api:alert-coverage-list')}?{query}",
    }
    return render(request, "planning/coverage.html", context)
