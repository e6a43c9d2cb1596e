"""One team: who is in it, what it has, what is open."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from findings import portfolio
from findings.portfolio import Part
from findings.selectors import service_rows, silent_sources, tallies, weeks
from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog.selectors import teams_visible_to
from platform_risk.joint import selectors
from platform_risk.joint.charts import weeks_chart
from platform_risk.joint.spend import spend_of


@require_safe
def team_page(request: HttpRequest, slug: str) -> HttpResponse:
    user = user_of(request)
    team = get_object_or_404(teams_visible_to(user), slug=slug)
    counted, links = tallies(user, team=team), selectors.filters(f"team:{team.slug}")
    part = Part(team=team)
    sums = portfolio.sums(user, part)
    services = selectors.services_of(team, service_rows(user))
    own = [row.service.pk for row in services]
    heard = silent_sources(user, settings.SILENT_SOURCE_DAYS).filter(target__service__in=own)
    silent = set(heard.values_list("target__service__slug", flat=True))
    context = {
        "team": team,
        "tallies": counted,
        "links": links,
        "lanes": selectors.lanes(user, counted, links, team=team, shown=3, sums=sums),
        **selectors.risk(user, part, sums),
        "weeks_chart": weeks_chart(weeks(user, team=team)),
        "spend": spend_of(user, team),
        "members": selectors.member_rows(user, team),
        "services": services,
        "scorecard": selectors.team_scorecard(team, services, portfolio.sums_by_service(user, own), counted, silent),
        "may_change": user.may_manage(team.pk),
    }
    return render(request, "joint/team.html", context)
