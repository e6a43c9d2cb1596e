"""Shapes of projections: what may be asked, and what is answered."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from costs.api.enums import CONFIDENCES, PRICE_UNITS
from costs.projecting import UNITS
from platform_risk.core.api.resources import Body
from platform_risk.quantities.projections import MOST_MONTHS

THREE_LETTERS = "A currency is three capital letters (ISO 4217), as USD."
_PLACES = 18


class Amount(serializers.DecimalField):
    """Programs send what a division gave them, with all its digits: what is beyond the last place is rounded."""

    def validate_precision(self, value: Decimal) -> Decimal:
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and -100 < exponent < -_PLACES:
            value = round(value, _PLACES)
        return super().validate_precision(value)


def amount(most: int, least: str = "0", **kwargs: Any) -> Amount:
    """A number from `least` to `most`, as a JSON number or a decimal string."""
    return Amount(max_digits=40, decimal_places=_PLACES, min_value=Decimal(least), max_value=Decimal(most), **kwargs)


class ProjectionTierBody(Body):
    up_to = amount(1_000_000_000_000, allow_null=True)
    locals()["amount"] = amount(1_000_000)


class ProjectionBody(Body):
    price = amount(1_000_000)
    free_per_month = amount(1_000_000_000_000, required=False, help_text="Of the price’s unit; not billed each month.")
    tiers = ProjectionTierBody(
        many=True, required=False, help_text="By month, in rising order; the last has no bound. The first is the price."
    )
    currency = serializers.RegexField(
        r"^[A-Z]{3}\Z", default="USD", help_text="ISO 4217.", error_messages={"invalid": THREE_LETTERS}
    )
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


class OtherSerializer(serializers.Serializer[Any]):
    value = serializers.CharField(allow_null=True)
    locals()["source"] = serializers.CharField()
    kind = serializers.CharField(help_text="measured, stated or assumed.")
    as_of = serializers.DateField(allow_null=True)


class SourcedInputSerializer(OtherSerializer):
    others = OtherSerializer(many=True, help_text="What else was said; the rule says which is taken.")


class TakenPriceSerializer(serializers.Serializer[Any]):
    item = serializers.CharField()
    book = serializers.CharField()
    amount = serializers.CharField()
    unit = serializers.ChoiceField(choices=PRICE_UNITS)
    currency = serializers.CharField()
    confidence = serializers.ChoiceField(choices=CONFIDENCES)
    locals()["source"] = serializers.CharField(allow_blank=True)


class LogGroupSerializer(serializers.Serializer[Any]):
    group = serializers.CharField(allow_blank=True)
    provider = serializers.CharField(allow_blank=True)
    gb_per_day = serializers.FloatField(allow_null=True)
    stored_gb = serializers.FloatField(allow_null=True)
    retention_days = serializers.IntegerField(allow_null=True, help_text="null: for ever, if retention_known.")
    retention_known = serializers.BooleanField()
    cost_per_month_now = serializers.CharField(allow_null=True, help_text="Of what is stored.")
    cost_last_month = serializers.CharField(allow_null=True, help_text="Of the projection's last month.")
    currency = serializers.CharField(allow_null=True)


class ImportedProjectionSerializer(ProjectionSerializer):
    """Rows are empty where an input is missing."""

    currency = serializers.CharField(allow_null=True)
    sources = serializers.DictField(child=SourcedInputSerializer())
    rule = serializers.CharField(help_text="Which source is taken where several disagree.")
    missing = serializers.DictField(child=serializers.CharField(), help_text="What nobody said, and how to give it.")
    price = TakenPriceSerializer(allow_null=True, help_text="null: none applies, so there is usage and no cost.")
    groups = LogGroupSerializer(many=True, help_text="Of logs: each log group.")
