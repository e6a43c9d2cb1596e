"""Shapes of risk: what the schema says of answers (risk_rows.py makes them), and what requests may hold."""

from typing import Any

from rest_framework import serializers

from findings.api import enums
from findings.api.serializers import choice, text
from platform_risk.core.api.fields import SlugField
from platform_risk.core.api.resources import Body


class CellSerializer(serializers.Serializer[Any]):
    likelihood = serializers.IntegerField()
    impact = serializers.IntegerField()
    band = choice(enums.BANDS)
    count = serializers.IntegerField()
    annual_loss = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    bad_minutes_per_year = serializers.FloatField(allow_null=True)


class ControlSerializer(serializers.Serializer[Any]):
    """A control that is known to exist, and what is assumed where it does not."""

    control = serializers.CharField()
    findings = serializers.IntegerField()
    assumption = serializers.CharField()


class MatrixSerializer(serializers.Serializer[Any]):
    """Open findings of default branches by likelihood and impact; each count is that of the filtered list."""

    version = serializers.CharField()
    unit = choice(enums.RISK_UNITS)
    view = choice(enums.RISK_VIEWS)
    cells = CellSerializer(many=True)
    unplaced = serializers.IntegerField()
    closed = serializers.IntegerField(help_text="What remedies would close; in the view `after` alone.")
    controls = ControlSerializer(many=True, help_text="Taken away in the view `inherent`; of all that is open.")


class MinutesSerializer(serializers.Serializer[Any]):
    mean = serializers.FloatField()
    p5 = serializers.FloatField(allow_null=True)
    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)


class PortfolioLossSerializer(serializers.Serializer[Any]):
    mean = serializers.CharField()
    p5 = serializers.CharField(allow_null=True)
    p50 = serializers.CharField(allow_null=True)
    p90 = serializers.CharField(allow_null=True)
    p95 = serializers.CharField(allow_null=True)
    p99 = serializers.CharField(allow_null=True)
    currency = serializers.CharField()


class CurrencyLossSerializer(serializers.Serializer[Any]):
    mean = serializers.CharField()
    currency = serializers.CharField()


class MissingSerializer(serializers.Serializer[Any]):
    input = serializers.CharField()
    findings = serializers.IntegerField()


class SimulationSerializer(serializers.Serializer[Any]):
    state = choice(enums.SIMULATION_STATES)
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    years = serializers.IntegerField()
    seed = serializers.IntegerField()
    version = serializers.CharField()
    input_hash = serializers.CharField()
    finished_at = serializers.DateTimeField(allow_null=True)


class SummarySerializer(serializers.Serializer[Any]):
    """A year of what is open. Percentiles are null until its years are drawn; ask again while `simulation` is not
    done. `annual_loss` is null where nothing has a price, or losses are in several currencies."""

    open = serializers.IntegerField()
    annual_loss = PortfolioLossSerializer(allow_null=True)
    annual_losses = CurrencyLossSerializer(many=True)
    bad_minutes_per_year = MinutesSerializer(allow_null=True)
    hidden_share = serializers.FloatField(allow_null=True)
    error_budget_share = serializers.FloatField(allow_null=True)
    missing = MissingSerializer(many=True)
    defaulted = MissingSerializer(many=True)
    simulation = SimulationSerializer(allow_null=True)


class GroupSerializer(serializers.Serializer[Any]):
    """Findings of one check, or of one class that scanners report, in one service; `q` is the list of them."""

    check = serializers.CharField(allow_null=True)
    locals()["class"] = choice(enums.CLASSES)
    service = serializers.CharField()
    findings = serializers.IntegerField()
    bad_minutes_per_year = serializers.FloatField(allow_null=True)
    hidden_minutes_per_year = serializers.FloatField()
    annual_loss = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    error_budget_share = serializers.FloatField(allow_null=True)
    q = serializers.CharField()


class PointSerializer(serializers.Serializer[Any]):
    amount = serializers.FloatField()
    probability = serializers.FloatField()


class CurveSerializer(serializers.Serializer[Any]):
    unit = choice(enums.RISK_UNITS)
    currency = serializers.CharField(allow_null=True)
    points = PointSerializer(many=True)


class TolerancePointSerializer(serializers.Serializer[Any]):
    amount = serializers.CharField()
    probability = serializers.FloatField()


class BreachSerializer(serializers.Serializer[Any]):
    service = serializers.CharField()
    probability = serializers.FloatField(allow_null=True)


class ExceedanceSerializer(serializers.Serializer[Any]):
    """How likely a year exceeds an amount, beside what is tolerated."""

    simulation = SimulationSerializer(allow_null=True)
    curves = CurveSerializer(many=True)
    tolerance = TolerancePointSerializer(many=True)
    tolerance_currency = serializers.CharField(allow_null=True)
    breach = BreachSerializer(many=True)


class ThresholdsSerializer(serializers.Serializer[Any]):
    cost_rises_from = serializers.CharField()
    immediate_from = serializers.CharField()
    immediate_budget_share = serializers.CharField()
    critical_budget_share = serializers.CharField()


class PolicySerializer(serializers.Serializer[Any]):
    """From when on figures decide a lane, and what loss is tolerated how often."""

    thresholds = ThresholdsSerializer()
    tolerance = TolerancePointSerializer(many=True)
    currency = serializers.CharField()
    author = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    changed_at = serializers.DateTimeField(allow_null=True)


def _limit(**kwargs: Any) -> serializers.DecimalField:
    return serializers.DecimalField(18, 6, min_value=0, required=False, **kwargs)


class ThresholdsBody(Body):
    cost_rises_from = _limit()
    immediate_from = _limit()
    immediate_budget_share = _limit()
    critical_budget_share = _limit()


class TolerancePointBody(Body):
    amount = serializers.DecimalField(18, 2, min_value=0)
    probability = serializers.FloatField(min_value=0, max_value=1)


class PolicyBody(Body):
    thresholds = ThresholdsBody(required=False)
    tolerance = TolerancePointBody(many=True, required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", required=False)
    reason = text(2000)


class PreviewBody(Body):
    thresholds = ThresholdsBody()


class MoveSerializer(serializers.Serializer[Any]):
    locals()["from"] = choice(enums.LANES)
    to = choice(enums.LANES)
    findings = serializers.IntegerField()


class PreviewSerializer(serializers.Serializer[Any]):
    moves = MoveSerializer(many=True)


class StatementSerializer(serializers.Serializer[Any]):
    """What somebody stated: of a finding, of a check's findings in a service, or of a whole service."""

    id = serializers.CharField()
    service = serializers.CharField()
    check = serializers.CharField(allow_null=True)
    finding = serializers.CharField(allow_null=True)
    name = choice(enums.INPUT_NAMES)
    kind = choice(enums.INPUT_KINDS)
    numbers = serializers.DictField(child=serializers.CharField())
    words = serializers.CharField()
    currency = serializers.CharField(allow_null=True)
    locals()["source"] = serializers.CharField()
    confidence = choice(enums.CONFIDENCES)
    author = serializers.CharField(allow_null=True)
    stated_on = serializers.DateField()
    updated_at = serializers.DateTimeField()


class StatementChangeBody(Body):
    kind = choice(enums.INPUT_KINDS)
    numbers = serializers.DictField(
        child=serializers.DecimalField(24, 8, min_value=0),
        help_text="number: value; range and days_between: lo, mode, hi; interval: lo, hi; incidents: incidents, years.",
    )
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", required=False)
    locals()["source"] = text(500, help_text="What it rests on.")
    confidence = choice(enums.CONFIDENCES, required=False)
    stated_on = serializers.DateField(required=False, allow_null=True)
    reason = text(2000, required=False, allow_blank=True)


class StatementBody(StatementChangeBody):
    service = SlugField(required=False)
    check = text(60, required=False, allow_blank=True)
    finding = serializers.RegexField(r"^[0-9]{1,18}\Z", required=False)
    name = choice(enums.INPUT_NAMES)


class InputSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    mean = serializers.FloatField()
    least = serializers.FloatField()
    most = serializers.FloatField(allow_null=True)
    origin = serializers.CharField()
    locals()["source"] = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    author = serializers.CharField(allow_null=True)
    stated_on = serializers.DateField(allow_null=True)
    confidence = choice(enums.CONFIDENCES, allow_null=True)


class TakenSerializer(serializers.Serializer[Any]):
    control = serializers.CharField()
    assumption = serializers.CharField(help_text="What is assumed where it does not exist.")


class InherentSerializer(serializers.Serializer[Any]):
    """The year without the controls that are known to exist."""

    bad_minutes_per_year = serializers.FloatField(allow_null=True)
    annual_loss = serializers.CharField(allow_null=True)
    without = TakenSerializer(many=True)


class LaidOpenSerializer(serializers.Serializer[Any]):
    """Every input of a finding's figures with its source, and how the figures follow."""

    version = serializers.CharField(allow_null=True)
    words = serializers.CharField(allow_null=True)
    inputs = InputSerializer(many=True)
    missing = serializers.ListField(child=serializers.CharField())
    quantities = serializers.ListField(child=serializers.DictField())
    inherent = InherentSerializer(allow_null=True)
