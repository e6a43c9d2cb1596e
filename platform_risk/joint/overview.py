"""The first page: what the platform can be expected to lose, what is worst, who has not reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from costs.selectors import has_costs
from findings import placements, portfolio, risk_presentation
from findings.portfolio import Sums
from findings.query import Query
from findings.selectors import service_rows, silent_sources, tallies, weeks
from findings.tasks import drawn
from platform_risk.core.access.requests import user_of
from platform_risk.core.models import User
from platform_risk.joint import selectors
from platform_risk.joint.charts import weeks_chart
from platform_risk.planning import reviews
from platform_risk.planning.freshness import SHOWN, Gap, gaps
from platform_risk.tasks import fill_demo

GAPS_SHOWN = 8
BURNERS_SHOWN, TRIAGE_SHOWN = 8, 8


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    counted, links = tallies(user), selectors.filters()
    imports = list(selectors.recent_imports(user))
    unknown = gaps(user)
    context = {
        "tallies": counted,
        "links": links,
        "imports": imports,
        "gaps": unknown[:GAPS_SHOWN],
        "gaps_count": len(unknown),
        "silent_count": _silent(user, unknown),
        "silent_days": settings.SILENT_SOURCE_DAYS,
        "weeks_chart": weeks_chart(weeks(user)),
        "services": selectors.worst_services(service_rows(user)),
        "is_empty": not (imports or any(counted.by_status.values()) or has_costs(user)),
        "may_import": user.is_admin or bool(user.writing_team_ids),
        **_risk(user, counted, links),
    }
    return render(request, "joint/overview.html", context)


def _silent(user: User, unknown: Sequence[Gap]) -> int:
    told = sum(gap.kind == "silent" for gap in unknown)
    return told if told < SHOWN else silent_sources(user, settings.SILENT_SOURCE_DAYS).count()


def _risk(user: User, counted: Any, links: dict[str, str]) -> dict[str, Any]:
    sums = portfolio.sums(user)
    matrix = placements.matrix(user)
    simulation = drawn(user, portfolio.ALL) if sums.open else None
    return {
        "sums": sums,
        "since": reviews.since(user, sums.bad_minutes, sums.losses, week=reviews.this_week()),
        "lanes": selectors.lanes(user, counted, links, sums=sums),
        "matrix": matrix,
        "rows": risk_presentation.matrix_rows(matrix, Query()),
        "columns": risk_presentation.columns("minutes"),
        "unplaced_url": risk_presentation.list_of_cell(matrix, "none", Query()),
        "groups": risk_presentation.groups(user, shown=BURNERS_SHOWN),
        "spread": _spread(simulation, sums),
        "budget": budget_bar(sums.budget_share),
        "triage": portfolio.worst(user, shown=TRIAGE_SHOWN, status="new"),
        "triage_query": "status:new -is:other_branch",
        "missing_value": next((each for each in portfolio.missing(user) if each.input == "minute_value"), None),
    }


@dataclass(frozen=True)
class Spread:
    """Bad years: the median and one in twenty."""

    minutes: dict[str, float] | None
    loss: dict[str, float] | None


def _spread(simulation: Any, sums: Sums) -> Spread:
    result = (simulation.result or {}) if simulation is not None else {}
    losses = result.get("losses") or {}
    return Spread(result.get("minutes"), losses.get(sums.currency) if sums.currency else None)


@dataclass(frozen=True)
class BudgetBar:
    """What is spent of the error budgets, as widths of 200."""

    spent: float
    over: float


def budget_bar(share: float | None) -> BudgetBar | None:
    if share is None:
        return None
    if share <= 1:
        return BudgetBar(round(share * 200, 1), 0.0)
    within = round(200 / min(share, 100), 1)
    return BudgetBar(within, round(200 - within, 1))


@require_POST
def demo(request: HttpRequest) -> HttpResponse:
    """Fills an empty workspace with the sample platform: for an administrator, and by a worker."""
    if not user_of(request).is_admin:
        raise PermissionDenied("Filling the workspace with the demo takes an administrator.")
    transaction.on_commit(fill_demo.delay, robust=True)
    messages.success(request, "A worker brings the demo in; it takes a minute.")
    return redirect("joint:import-list")
