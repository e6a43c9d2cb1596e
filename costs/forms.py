"""What is typed into a projection. Names are those of the API."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict

from costs.models import PriceRate
from costs.projecting import UNITS
from platform_risk.core.catalog.selectors import teams_written_by
from platform_risk.core.models import Team, User
from platform_risk.quantities.pricing import UNIT_WORDS
from platform_risk.quantities.projections import MOST_MONTHS


def _number(
    label: str, most: int, least: str = "0", *, required: bool = True, help_text: str = ""
) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=Decimal(least), max_value=Decimal(most), max_digits=40, decimal_places=18,
        required=required, help_text=help_text, widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )  # fmt: skip


@dataclass(frozen=True)
class Slider:
    least: float
    most: float
    step: float
    value: float


class RateField(forms.ModelChoiceField):  # type: ignore[type-arg]  # it takes none when it runs
    """A price of a book, in place of the one that is typed."""

    def label_from_instance(self, obj: Any) -> str:
        price = obj.amount.normalize()
        return f"{obj.item}: {price:f} {obj.currency} {obj.get_unit_display()} ({obj.confidence})"


class ProjectionForm(forms.Form):
    vector = ""

    def __init__(self, *args: Any, rates: Iterable[PriceRate] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = RateField(
            PriceRate.objects.filter(pk__in=[rate.pk for rate in rates]), label="Price of a book", required=False,
            empty_label="None: the one below", help_text="With its tiers and what is free.",
        )  # fmt: skip
        chosen.choices = [("", chosen.empty_label), *((rate.pk, chosen.label_from_instance(rate)) for rate in rates)]
        self.fields["rate"] = chosen
        self.fields["price"] = _number("Price", 1_000_000)
        self.fields["price_unit"] = forms.ChoiceField(
            label="Price unit", choices=[(unit.value, UNIT_WORDS[unit]) for unit in UNITS[self.vector]]
        )
        self.fields["currency"] = forms.RegexField(r"^[A-Z]{3}\Z", label="Currency", max_length=3)
        self.fields["months"] = forms.IntegerField(label="Months", min_value=1, max_value=MOST_MONTHS)

    @property
    def rows(self) -> Iterator[tuple[forms.BoundField, Slider | None]]:
        """Each field, and what its slider goes over."""
        for bound in self:
            is_number = isinstance(bound.field, forms.DecimalField | forms.IntegerField)
            yield bound, self._slider(bound) if is_number else None

    def _slider(self, bound: forms.BoundField) -> Slider:
        """From nothing to twice what is there, and never less than twice what the page begins with."""
        values = []
        for text in (bound.value(), BEGIN[self.vector].get(bound.name)):
            try:
                values.append(abs(float(text or 0)))
            except (TypeError, ValueError):
                continue
        most = max([*(2 * value for value in values if math.isfinite(value)), 1.0])
        scale = 10.0 ** math.floor(math.log10(most))
        top = math.ceil(most / scale) * scale
        whole = isinstance(bound.field, forms.IntegerField) and not isinstance(bound.field, forms.DecimalField)
        step = 1 if whole else scale / 100
        least = getattr(bound.field, "min_value", None) or 0
        return Slider(
            max(float(least), 0.0) if not whole else max(int(least), 0), top, step, values[0] if values else 0
        )


class MetricsForm(ProjectionForm):
    vector = "metrics"
    pods = _number("Pods", 10_000_000)
    series_per_pod = _number("Series per pod", 10_000_000)
    interval_seconds = _number("Scrape interval, s", 86_400, "0.001")
    environments = _number("Environments", 10_000)
    replicas_of_scraper = _number("Replicas of the scraper", 1_000)
    growth_percent_per_month = _number("Growth a month, %", 1_000, "-100")
    bytes_per_point = _number("Bytes per point", 1_000_000, required=False, help_text="For prices by gigabyte.")


class EntitiesForm(ProjectionForm):
    vector = "entities"
    churn_per_day = _number("New pods a day", 1_000_000_000)
    lifetime_days = _number("Days an entity outlives its pod", 36_500)
    live = _number("Live entities", 1_000_000_000)


class LogsForm(ProjectionForm):
    vector = "logs"
    gb_per_day = _number("GB a day", 1_000_000_000)
    retention_days = forms.IntegerField(
        label="Days kept", min_value=0, max_value=36_500, required=False, help_text="Empty: for ever."
    )
    stored_gb = _number("GB stored already", 1_000_000_000)
    growth_percent_per_month = _number("Growth a month, %", 1_000, "-100")


FORMS: dict[str, type[ProjectionForm]] = {"metrics": MetricsForm, "entities": EntitiesForm, "logs": LogsForm}
# What a page begins with: the sample platform's own figures, to be replaced by one's own.
BEGIN: dict[str, Mapping[str, str]] = {
    "metrics": {
        "pods": "50", "series_per_pod": "100", "interval_seconds": "30", "environments": "3",
        "replicas_of_scraper": "1", "growth_percent_per_month": "0", "bytes_per_point": "", "price": "0.30",
        "price_unit": "per_million_points", "currency": "USD", "months": "12",
    },
    "entities": {
        "churn_per_day": "100", "lifetime_days": "8", "live": "50", "price": "0.01", "price_unit": "per_entity_month",
        "currency": "USD", "months": "12",
    },
    "logs": {
        "gb_per_day": "10", "retention_days": "", "stored_gb": "0", "growth_percent_per_month": "0", "price": "0.03",
        "price_unit": "per_gb_month", "currency": "USD", "months": "24",
    },
}  # fmt: skip


class ScenarioForm(forms.Form):
    """Settings of a projection under a name. They come as the page's own query, and are checked as the page does."""

    name = forms.CharField(max_length=120)
    team = forms.ModelChoiceField(Team.objects.none(), required=False, empty_label="Only me", label="Who sees it")
    query = forms.CharField(max_length=4000, required=False, widget=forms.HiddenInput)
    vector = forms.ChoiceField(choices=[(each, each) for each in FORMS], widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "scenario_%s", **kwargs})
        field = self.fields["team"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = teams_written_by(user)
        field.widget.attrs["class"] = "in fit"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "vector" in data:
            given = QueryDict(data.get("query", ""))
            data["inputs"] = self._settings(data["vector"], given, "")
            data["beside"] = self._settings(data["vector"], given, "b") if given.get("compare") == "1" else None
        return data

    def _settings(self, vector: str, given: QueryDict, prefix: str) -> dict[str, Any]:
        begin = {
            name: given.get(f"{prefix}-{name}" if prefix else name, value) for name, value in BEGIN[vector].items()
        }
        form = FORMS[vector](begin)
        if not form.is_valid():
            raise forms.ValidationError("These settings make no sense: correct them first.")
        return {name: begin[name] for name in begin if form.cleaned_data.get(name) is not None and begin[name] != ""}

    def sent(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("name", "team", "vector", "inputs", "beside")}
