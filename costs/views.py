"""The page of projections: metrics, entities and log retention. Every state of the page is an address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from costs import budgeting, charts, effects, pricing, projecting, using
from costs.forms import BEGIN, FORMS, ProjectionForm, ScenarioForm
from costs.models import PriceRate, Scenario
from costs.money import plain
from costs.pages.answers import csv_answer
from costs.using import Begin, Usage
from platform_risk.core.access.requests import user_of
from platform_risk.core.catalog.selectors import services_visible_to
from platform_risk.core.models import User
from platform_risk.core.views.saving import done, saved
from platform_risk.quantities.pricing import GIBIBYTE, Price, PriceUnit, shown
from platform_risk.quantities.projections import Projection

TITLES = {"metrics": "Metrics", "entities": "Entities", "logs": "Log retention"}
BESIDE = "b"  # prefix of the second setting's fields
_MOST_PRICES = 60  # under which the same usage is shown
_SAMPLE_PRICE = (
    "No price applies by itself, so the sample platform’s stands in above: choose one of a book, or type your own."
)
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Setting:
    """One column of the page: its form, and what comes of it when it makes sense."""

    name: str
    form: ProjectionForm
    projection: Projection | None = None
    price: Price | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)

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


def _typed(data: Mapping[str, Any]) -> dict[str, str]:
    """Inputs that were imported as a form has them."""
    return {
        name: "" if value is None else format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)
        for name, value in data.items()
    }


def _beginning(vector: str, begun: Begin | None) -> dict[str, str]:
    """The sample platform's figures, and what was imported in place of them."""
    found = dict(BEGIN[vector])
    if begun is None:
        return found
    values = begun.values
    if vector == "logs":
        values.setdefault("retention_days", None)
    found |= _typed({name: round(value, 6) if isinstance(value, Decimal) else value for name, value in values.items()})
    if begun.rate is not None:
        price = begun.rate.price
        found |= {"price": format(price.amount.normalize(), "f"), "price_unit": price.unit.value,
                  "currency": price.currency, "rate": str(begun.rate_id or "")}  # fmt: skip
    return found


def _setting(request: HttpRequest, vector: str, prefix: str, name: str, begin: Mapping[str, str]) -> Setting:
    given = {
        named: request.GET.get(f"{prefix}-{named}" if prefix else named, value)
        for named, value in {"rate": "", **begin}.items()
    }
    data = {f"{prefix}-{named}" if prefix else named: value for named, value in given.items()}
    rates = [row for row in pricing.of_units(projecting.UNITS[vector]) if effects.fits(vector, row.rate)]
    form = FORMS[vector](data, prefix=prefix or None, rates=rates)
    if not form.is_valid():
        return Setting(name, form)
    sent = dict(form.cleaned_data)
    row: PriceRate | None = sent.pop("rate")
    own = Price(sent.pop("price"), PriceUnit(sent.pop("price_unit")), sent.pop("currency"))
    price = own if row is None else row.price
    inputs = {named: value for named, value in sent.items() if value is not None}
    return Setting(name, form, projecting.priced(vector, inputs, price), price, inputs)


@require_safe
def projections(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    vector = request.GET.get("vector", "metrics")
    if vector not in FORMS:
        raise Http404("No such projection.")
    usage = _usage(request, user)
    begun = using.begin(vector, usage) if usage is not None else None
    begin = _beginning(vector, begun)
    compared = request.GET.get("compare") == "1"
    settings = [_setting(request, vector, "", "First setting" if compared else "This setting", begin)]
    if compared:
        settings.append(_setting(request, vector, BESIDE, "Second setting", begin))
    drawn = [(each.name, each.projection) for each in settings if each.projection is not None]
    if drawn and request.GET.get("format") == "csv":
        return _csv(vector, drawn)
    context: dict[str, Any] = {
        "vector": vector,
        "titles": TITLES,
        "settings": settings,
        "compared": compared,
        "figure": charts.months(drawn) if drawn else "",
        "months": _months(drawn),
        "saving": _saving(drawn),
        "begun": begun,
        "begun_notes": [_SAMPLE_PRICE if note == using.NO_PRICE else note for note in begun.notes] if begun else [],
        "rule": using.RULE,
        "services": services_visible_to(user).values_list("slug", flat=True)[:500],
        "service": request.GET.get("service", ""),
        "query": request.GET.urlencode(),
        "scenario_form": ScenarioForm(user=user),
        "scenarios": [(each, _address(each)) for each in Scenario.objects.visible_to(user).filter(vector=vector)[:50]],
        **_laid_open(vector, settings[0], usage),
    }
    return render(request, "costs/projections.html", context)


def _usage(request: HttpRequest, user: User) -> Usage | None:
    """What was imported, of one service if named; None begins from the sample platform's figures."""
    if request.GET.get("begin") != "imported":
        return None
    slug = request.GET.get("service", "")
    if not slug:
        return Usage(user)
    return Usage(user, get_object_or_404(services_visible_to(user), slug=slug))


def _months(drawn: list[tuple[str, Projection]]) -> list[dict[str, Any]]:
    """Rows side by side, and what the second setting saves in each month."""
    found = []
    for rows in zip(*(projection.rows for _, projection in drawn), strict=False):
        saved_money = None
        if len(rows) > 1 and drawn[0][1].currency == drawn[1][1].currency:
            first, second = rows[0].cost, rows[1].cost
            saved_money = None if first is None or second is None else first - second
        found.append({"rows": rows, "saved": saved_money})
    return found


def _csv(vector: str, drawn: list[tuple[str, Projection]]) -> HttpResponse:
    """The table of months; what is not known is left empty."""
    header = ["month"]
    for name, projection in drawn:
        unit = projection.rows[0].unit
        header += [f"{name}: {unit}", f"{name}: cost, {projection.currency}", f"{name}: up to then"]
    rows = [
        [
            month["rows"][0].month,
            *(each for row in month["rows"] for each in (row.quantity, row.cost, row.cumulative_cost)),
            *([month["saved"]] if len(drawn) > 1 else []),
        ]
        for month in _months(drawn)
    ]
    shown_rows = ([plain(each) if isinstance(each, Decimal) else each for each in row] for row in rows)
    return csv_answer(f"projection-{vector}", [*header, *(["saved"] if len(drawn) > 1 else [])], shown_rows)


def _saving(drawn: list[tuple[str, Projection]]) -> tuple[str, bool] | None:
    """What the second setting costs less (or more) in the last month, "" for the same; None where that cannot be
    said."""
    if len(drawn) < 2 or drawn[0][1].currency != drawn[1][1].currency:
        return None
    first, second = (projection.rows[-1].cost for _, projection in drawn)
    if first is None or second is None:
        return None
    if first == second:
        return "", True
    return f"{abs(first - second):,.2f} {drawn[0][1].currency}", first > second


# --- what changing one thing does


def _laid_open(vector: str, setting: Setting, usage: Usage | None) -> dict[str, Any]:
    """Of the first setting: under prices of each unit, over tiers, and what one change would do."""
    if setting.projection is None or setting.price is None:
        return {}
    # What is offered too: whose reading is right is asked here, not whose price is sure.
    rows = pricing.of_units(projecting.UNITS[vector])
    rates = [row.rate for row in sorted(rows, key=lambda row: row.book.slug not in ("analysis", pricing.OWN))]
    of_vector = {"metrics": _metrics_open, "logs": _logs_open}.get(vector)
    more = of_vector(setting, usage) if of_vector else {}
    return {"by_unit": effects.by_unit(vector, setting.inputs, rates)[:_MOST_PRICES], **more, **_tiers(vector, setting)}


def _tiers(vector: str, setting: Setting) -> dict[str, Any]:
    assert setting.price is not None
    assert setting.projection is not None
    price, row = setting.price, setting.projection.rows[0]
    if price.is_linear:
        return {}
    amounts = {
        PriceUnit.PER_MILLION_POINTS: row.quantity / _MILLION,
        PriceUnit.PER_ACTIVE_SERIES_MONTH: setting.projection.figures.get("active_series"),
        PriceUnit.PER_ENTITY_MONTH: row.quantity,
        PriceUnit.PER_GB_MONTH: row.quantity if vector == "logs" else None,
        PriceUnit.PER_GB_INGESTED: setting.projection.figures.get("gb_per_month"),
    }
    amount = amounts.get(price.unit)
    return {} if amount is None else {"tiers": effects.by_tier(price, amount)}


def _metrics_open(setting: Setting, usage: Usage | None) -> dict[str, Any]:
    assert setting.price is not None
    unused = using.unused_share(usage) if usage is not None else None
    return {
        "effects": effects.of_metrics(setting.inputs, setting.price, unused),
        "contributors": using.contributors(usage) if usage is not None else [],
    }


def _logs_open(setting: Setting, usage: Usage | None) -> dict[str, Any]:
    assert setting.price is not None
    price = setting.price
    storage = price if price.unit is PriceUnit.PER_GB_MONTH else _of_unit(PriceUnit.PER_GB_MONTH, price)
    ingest = price if price.unit is PriceUnit.PER_GB_INGESTED else _of_unit(PriceUnit.PER_GB_INGESTED, price)
    found: dict[str, Any] = {"log_groups": _groups(usage, storage)} if usage is not None else {}
    if storage is not None:
        found |= {"retentions": effects.retentions(setting.inputs, storage), "storage": storage}
        if ingest is not None:
            found["even_days"] = effects.days_that_cost_as_much_as_ingest(ingest, storage)
            found["ingest"] = ingest
    return found


def _of_unit(unit: PriceUnit, beside: Price) -> Price | None:
    """The storage price that goes with an ingest price, and the other way round: what applies of CloudWatch Logs."""
    rate = pricing.applying_to((unit,), "aws-cloudwatch-logs")
    return rate.price if rate is not None and rate.price.currency == beside.currency else None


def _groups(usage: Usage, storage: Price | None) -> list[dict[str, Any]]:
    gigabyte = Decimal(storage.gb_bytes if storage else GIBIBYTE)
    found = []
    for group in using.log_groups(usage):
        stored = None if group.stored_bytes is None else group.stored_bytes / gigabyte
        found.append({
            "group": group,
            "stored": stored,
            "daily": None if group.bytes_per_day is None else group.bytes_per_day / gigabyte,
            "cost": None if stored is None or storage is None else storage.of(stored, PriceUnit.PER_GB_MONTH),
        })  # fmt: skip
    return found


# --- scenarios


def _address(scenario: Scenario) -> str:
    fields = {"vector": scenario.vector, **_typed(scenario.inputs)}
    if scenario.beside:
        fields |= {"compare": "1"} | {f"{BESIDE}-{name}": value for name, value in _typed(scenario.beside).items()}
    return f"{reverse('costs:projections')}?{urlencode(fields)}"


@require_POST
def scenario_save(request: HttpRequest) -> HttpResponse:
    """Keeps the settings that the form holds, as they are typed, under a name."""
    user = user_of(request)
    form = ScenarioForm(request.POST, user=user)
    back = f"{reverse('costs:projections')}?{request.POST.get('query', '')[:4000]}"

    def write() -> object:
        return budgeting.create_scenario(user=user, **form.sent())

    if saved(request, form, write, "The scenario was kept."):
        return redirect(back)
    return render(request, "costs/scenario.html", {"form": form, "back": back}, status=422)


@require_POST
def scenario_delete(request: HttpRequest, pk: int) -> HttpResponse:
    user = user_of(request)
    row = get_object_or_404(Scenario.objects.visible_to(user), pk=pk)
    vector = row.vector
    done(request, lambda: budgeting.delete_scenario(row, user=user), f"{row.name} was deleted.")
    return redirect(f"{reverse('costs:projections')}?vector={vector}")
