"""One service: its facts, its open findings, what reports about it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from findings import portfolio
from findings.portfolio import Part
from findings.selectors import tallies, weeks
from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog.selectors import environments_of, rules_of, services_visible_to
from platform_risk.joint import selectors
from platform_risk.joint.charts import weeks_chart
from platform_risk.joint.spend import spend_of

RULES_SHOWN = 20


@require_safe
def service_page(request: HttpRequest, slug: str) -> HttpResponse:
    user = user_of(request)
    service = get_object_or_404(services_visible_to(user), slug=slug)
    counted, links = tallies(user, service=service), selectors.filters(f"service:{service.slug}")
    part = Part(service=service)
    sums = portfolio.sums(user, part)
    sources = selectors.sources(service, settings.SILENT_SOURCE_DAYS)
    rules = list(rules_of(user, service)[: RULES_SHOWN + 1])
    context = {
        "service": service,
        "promise": selectors.promise(service),
        "tallies": counted,
        "links": links,
        "lanes": selectors.lanes(user, counted, links, service=service, shown=3, sums=sums),
        **selectors.risk(user, part, sums),
        "weeks_chart": weeks_chart(weeks(user, service=service)),
        "sources": sources,
        "reporters": selectors.reporters(sources),
        "scorecard": selectors.scorecard(user, service, sums, counted, sources),
        "spend": spend_of(user, service),
        "silent_days": settings.SILENT_SOURCE_DAYS,
        "environments": environments_of(service),
        "rules": rules[:RULES_SHOWN],
        "more_rules": len(rules) > RULES_SHOWN,
        "imports": selectors.recent_imports(user, service=service),
        "may_change": user.may_manage(service.team_id),
        "may_import": user.may_import_into(service),
    }
    return render(request, "joint/service.html", context)
