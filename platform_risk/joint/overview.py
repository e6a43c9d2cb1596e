"""The first page: what is open, what is worst, who has not reported."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from findings.selectors import service_rows, silent_sources, tallies, weeks
from platform_risk.core.access.requests import user_of
from platform_risk.joint import selectors
from platform_risk.joint.charts import weeks_chart

SILENT_SHOWN = 8


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    counted, links = tallies(user), selectors.filters()
    imports = list(selectors.recent_imports(user))
    silent = silent_sources(user, settings.SILENT_SOURCE_DAYS)
    context = {
        "tallies": counted,
        "links": links,
        "lanes": selectors.lanes(user, counted, links),
        "imports": imports,
        "silent": silent[:SILENT_SHOWN],
        "silent_count": silent.count(),
        "silent_days": settings.SILENT_SOURCE_DAYS,
        "weeks_chart": weeks_chart(weeks(user)),
        "services": selectors.worst_services(service_rows(user)),
        "is_empty": not imports and not any(counted.by_status.values()),
        "may_import": user.is_admin or bool(user.writing_team_ids),
    }
    return render(request, "joint/overview.html", context)
