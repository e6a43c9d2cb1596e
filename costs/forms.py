"""What is typed into a projection. Names are those of the API."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from costs.projecting import UNITS
from platform_risk.quantities.pricing import UNIT_WORDS
from platform_risk.quantities.projections import MOST_MONTHS


def _number(
    label: str, most: int, least: str = "0", *, required: bool = True, help_text: str = ""
) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=Decimal(least), max_value=Decimal(most), max_digits=24, decimal_places=9,
        required=required, help_text=help_text, widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )  # fmt: skip


class ProjectionForm(forms.Form):
    vector = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["price"] = _number("Price", 1_000_000)
        self.fields["price_unit"] = forms.ChoiceField(
            label="Price unit", choices=[(unit.value, UNIT_WORDS[unit]) for unit in UNITS[self.vector]]
        )
        self.fields["currency"] = forms.RegexField(r"^[A-Z]{3}\Z", label="Currency", max_length=3)
        self.fields["months"] = forms.IntegerField(label="Months", min_value=1, max_value=MOST_MONTHS)


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
