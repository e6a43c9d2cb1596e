"""Shapes of projections: what may be asked, and what is answered."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from costs.projecting import UNITS
from platform_risk.core.api.resources import Body
from platform_risk.quantities.projections import MOST_MONTHS


def amount(most: int, least: str = "0", **kwargs: Any) -> serializers.DecimalField:
    """A number from `least` to `most`, as a JSON number or a decimal string."""
    return serializers.DecimalField(
        max_digits=24, decimal_places=9, min_value=Decimal(least), max_value=Decimal(most), **kwargs
    )


class ProjectionBody(Body):
    price = amount(1_000_000)
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", default="USD", help_text="ISO 4217.")
    months = serializers.IntegerField(min_value=1, max_value=MOST_MONTHS, default=12)


class MetricsBody(ProjectionBody):
    pods = amount(10_000_000)
    series_per_pod = amount(10_000_000)
    interval_seconds = amount(86_400, "0.001", help_text="Between two scrapes.")
    environments = amount(10_000, default=Decimal(1))
    replicas_of_scraper = amount(1_000, default=Decimal(1))
    days_per_month = amount(31, "1", default=Decimal(30))
    growth_percent_per_month = amount(1_000, "-100", default=Decimal(0))
    bytes_per_point = amount(1_000_000, required=False, allow_null=True, default=None)
    price_unit = serializers.ChoiceField(choices=[unit.value for unit in UNITS["metrics"]])


class EntitiesBody(ProjectionBody):
    churn_per_day = amount(1_000_000_000)
    lifetime_days = amount(36_500, help_text="How long an entity outlives its pod.")
    live = amount(1_000_000_000, default=Decimal(0))
    price_unit = serializers.ChoiceField(choices=[unit.value for unit in UNITS["entities"]], default="per_entity_month")


class LogsBody(ProjectionBody):
    gb_per_day = amount(1_000_000_000)
    retention_days = serializers.IntegerField(
        min_value=0, max_value=36_500, required=False, allow_null=True, default=None, help_text="null: never expires."
    )
    stored_gb = amount(1_000_000_000, default=Decimal(0))
    growth_percent_per_month = amount(1_000, "-100", default=Decimal(0))
    days_per_month = amount(31, "1", required=False, allow_null=True, default=None, help_text="null: 365 ÷ 12.")
    price_unit = serializers.ChoiceField(choices=[unit.value for unit in UNITS["logs"]], default="per_gb_month")


class RowSerializer(serializers.Serializer[Any]):
    month = serializers.IntegerField()
    quantity = serializers.FloatField()
    unit = serializers.CharField()
    cost = serializers.CharField(allow_null=True)
    cumulative_cost = serializers.CharField(allow_null=True)


class SteadyStateSerializer(serializers.Serializer[Any]):
    """Where it stays; null where it grows for ever."""

    quantity = serializers.FloatField(allow_null=True)
    cost_per_month = serializers.CharField(allow_null=True)
    reached_month = serializers.IntegerField(allow_null=True)


class ProjectionSerializer(serializers.Serializer[Any]):
    rows = RowSerializer(many=True)
    steady_state = SteadyStateSerializer()
    currency = serializers.CharField()
    formula = serializers.CharField()
    inputs = serializers.DictField(child=serializers.JSONField(allow_null=True))
    assumptions = serializers.ListField(child=serializers.CharField())
    figures = serializers.DictField(child=serializers.FloatField(allow_null=True))
