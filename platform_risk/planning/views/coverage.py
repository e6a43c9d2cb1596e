"""Alert coverage: failure mode × service, and every pair behind it. Each state of the page is an address."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from findings.checks import signals
from findings.checks.coverage import State
from findings.models import Finding
from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog.selectors import services_visible_to, teams_visible_to
from platform_risk.core.models import User
from platform_risk.planning import coverage, freshness
from platform_risk.planning.coverage import Filter, Source
from platform_risk.planning.freshness import Gap

# Services on one page: columns of the table above, folds of the list below.
SERVICES_SHOWN = 10
LINES_SHOWN = 60
SILENT_SHOWN = 100
STATES = {State.NONE: "noticed by nothing", State.UNKNOWN: "not known", State.COVERED: "noticed"}
_FILTERS = ("service", "team", "mode", "state")


@require_safe
def alert_coverage(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    sources = coverage.sources(user)
    asked = _asked(request, user, sources)
    every = coverage.rows(sources)
    # The table shows all states of what was asked for: a filter by state would leave it with one.
    beside = [row for row in every if _filter(asked | {"state": "", "mode": ""}).lets(row)]
    wanted = _filter(asked)
    groups = coverage.groups([row for row in every if wanted.lets(row)])
    matching = {each.service for each in groups}
    services = [slug for slug in coverage.worst_first(beside) if slug in matching]
    page = Paginator(services, SERVICES_SHOWN).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    order = {service: number for number, service in enumerate(shown)}
    kept = {name: value for name, value in asked.items() if value}
    whose = {name: value for name, value in kept.items() if name in ("service", "team")}
    context = {
        "grid": coverage.grid([row for row in beside if row.service in shown], shown),
        "pairs": coverage.grid(beside),
        "groups": sorted((each for each in groups if each.service in shown), key=lambda each: order[each.service]),
        "lines_shown": LINES_SHOWN,
        "is_open": bool(asked["service"] or asked["mode"] or asked["state"]),
        "asked": asked,
        "services": sorted({each.service for each in sources} | {asked["service"]} - {""}),
        "teams": sorted({each.team for each in sources if each.team} | {asked["team"]} - {""}),
        "modes": signals.modes().values(),
        "states": [(state.value, words) for state, words in STATES.items()],
        "sources": sources,
        "not_understood": [
            (each, alert) for each in sources if _is_asked(each, asked) for alert in each.alerts if alert.reason
        ],
        "silent": _asked_of(coverage.silent(user), asked)[:SILENT_SHOWN],
        "gaps": [gap for gap in freshness.gaps(user) if _is_asked(gap, asked)],
        "gaps_export": f"{reverse('api:alert-coverage-freshness')}?{urlencode(whose | {'format': 'csv'})}",
        "export": f"{reverse('api:alert-coverage-list')}?{urlencode(kept | {'format': 'csv'})}",
        "page": page,
        "query": f"{urlencode(kept)}&" if kept else "",
    }
    return render(request, "planning/coverage.html", context)


def _asked(request: HttpRequest, user: User, sources: list[Source]) -> dict[str, str]:
    """What the address filters by; a value that is none of those the user may see is left out. A service or team of
    which no configuration was imported is one: nothing is shown of it, and not everything."""
    stated = {name: request.GET.get(name, "") for name in _FILTERS}
    known: dict[str, Callable[[str], bool]] = {
        "service": lambda slug: services_visible_to(user).filter(slug=slug).exists(),
        "team": lambda slug: teams_visible_to(user).filter(slug=slug).exists(),
        "mode": lambda mode: mode in signals.modes(),
        "state": lambda state: state in set(State),
    }
    return {name: value if value and known[name](value) else "" for name, value in stated.items()}


def _is_asked(each: Source | Gap, asked: Mapping[str, str]) -> bool:
    return asked["service"] in ("", each.service) and asked["team"] in ("", each.team)


def _asked_of(rows: QuerySet[Finding], asked: Mapping[str, str]) -> QuerySet[Finding]:
    if asked["service"]:
        rows = rows.filter(service__slug=asked["service"])
    return rows.filter(service__team__slug=asked["team"]) if asked["team"] else rows


def _filter(asked: Mapping[str, str]) -> Filter:
    services, teams, modes, states = (frozenset({asked[name]} - {""}) for name in _FILTERS)
    return Filter(services, modes, states, teams)
