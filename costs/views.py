"""Pages of costs: projections of metrics, entities and logs. Every state of the page is an address."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from costs import charts, projecting
from costs.forms import BEGIN, FORMS, ProjectionForm
from platform_risk.quantities.pricing import shown
from platform_risk.quantities.projections import Projection

TITLES = {"metrics": "Metrics", "entities": "Entities", "logs": "Log retention"}
BESIDE = "b"  # prefix of the second setting's fields


@dataclass(frozen=True)
class Setting:
    """One column of the page: its form, and what comes of it when it makes sense."""

    name: str
    form: ProjectionForm
    projection: Projection | None

    @property
    def first(self) -> str | None:
        return self._money(self.projection.rows[0].cost) if self.projection else None

    @property
    def last(self) -> str | None:
        return self._money(self.projection.rows[-1].cost) if self.projection else None

    @property
    def total(self) -> str | None:
        return self._money(self.projection.total_cost) if self.projection else None

    @property
    def steady(self) -> str | None:
        return self._money(self.projection.steady_state.cost_per_month) if self.projection else None

    def _money(self, amount: Decimal | None) -> str | None:
        assert self.projection is not None
        return None if amount is None else f"{Decimal(shown(amount)):,.2f} {self.projection.currency}"


def _setting(request: HttpRequest, vector: str, prefix: str, name: str) -> Setting:
    given = {
        field: request.GET.get(f"{prefix}-{field}" if prefix else field, begin)
        for field, begin in BEGIN[vector].items()
    }
    data = {f"{prefix}-{field}" if prefix else field: value for field, value in given.items()}
    form = FORMS[vector](data, prefix=prefix or None)
    projection = projecting.project(vector, form.cleaned_data) if form.is_valid() else None
    return Setting(name, form, projection)


@require_safe
def projections(request: HttpRequest) -> HttpResponse:
    vector = request.GET.get("vector", "metrics")
    if vector not in FORMS:
        raise Http404("No such projection.")
    compared = request.GET.get("compare") == "1"
    settings = [_setting(request, vector, "", "This")]
    if compared:
        settings.append(_setting(request, vector, BESIDE, "Beside it"))
    drawn = [(each.name, each.projection) for each in settings if each.projection is not None]
    context: dict[str, Any] = {
        "vector": vector,
        "titles": TITLES,
        "settings": settings,
        "compared": compared,
        "figure": charts.months(drawn) if drawn else "",
        "months": list(zip(*(projection.rows for _, projection in drawn), strict=False)),
        "saving": _saving(drawn),
    }
    return render(request, "costs/projections.html", context)


def _saving(drawn: list[tuple[str, Projection]]) -> tuple[str, bool] | None:
    """What the second setting costs less (or more) in the last month; None where that cannot be said."""
    if len(drawn) < 2 or drawn[0][1].currency != drawn[1][1].currency:
        return None
    first, second = (projection.rows[-1].cost for _, projection in drawn)
    if first is None or second is None:
        return None
    return f"{abs(first - second):,.2f} {drawn[0][1].currency}", first >= second
