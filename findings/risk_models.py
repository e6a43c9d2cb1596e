"""Tables of risk: what people state, the figures that follow, and the counts by which figures are summed.

Findings that are estimated alike share one Estimate: its key is a column that the database generates from what the
estimate depends on (findings/sql/risk_key.sql). So no way of writing a finding can forget it, and a change of a service
writes as many rows as there are kinds of findings, not as many as there are findings.
"""

from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Coalesce

from findings.risk.inputs import Confidence
from findings.risk.stating import NAMES, Kind
from findings.vocabulary import RiskClass, Severity
from platform_risk.core.models import Service, Team, User


def _of(enum: Any) -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ").capitalize()) for member in enum]


class RiskInput(models.Model):
    """One input that a person stated: of a finding, of a check's findings in a service, or of a whole service."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="risk_inputs")
    check_id = models.CharField(max_length=60, blank=True, default="")  # "": whatever the check
    finding = models.ForeignKey(
        "findings.Finding", null=True, blank=True, on_delete=models.CASCADE, related_name="risk_inputs"
    )
    name = models.CharField(max_length=30, choices=[(name, name) for name in NAMES])
    kind = models.CharField(max_length=12, choices=_of(Kind))
    numbers: "models.JSONField[Any, Any]" = models.JSONField()  # stating.NEEDS; decimals as strings
    currency = models.CharField(max_length=3, blank=True, default="")  # of money
    source = models.CharField(max_length=500)  # what it rests on
    confidence = models.CharField(max_length=6, choices=_of(Confidence), default=Confidence.MEDIUM.value)
    author = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    stated_on = models.DateField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "check_id", "finding", "name"], name="risk_input_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        about = f"finding {self.finding_id}" if self.finding_id else self.check_id or "all findings"
        return f"{self.name} of {about} in {self.service}"


class Estimate(models.Model):
    """The figures of all findings of one key. Null is "not known", never 0. Money is of `currency`, a year."""

    key = models.BigIntegerField(primary_key=True)
    # What the key is made of
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+")
    check_id = models.CharField(max_length=60, blank=True)
    severity = models.CharField(max_length=10, choices=_of(Severity))
    risk_class = models.CharField(max_length=12, choices=_of(RiskClass))
    exploit = models.CharField(max_length=8, blank=True)
    quantities: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    own_finding_id = models.BigIntegerField(null=True)  # the one finding that has inputs of its own

    # Means of a year, and how they are spread
    frequency = models.FloatField(null=True)
    bad_minutes = models.FloatField(null=True)
    hidden_minutes = models.FloatField(null=True)  # before anybody notices
    minutes_p5 = models.FloatField(null=True)
    minutes_p50 = models.FloatField(null=True)
    minutes_p95 = models.FloatField(null=True)
    minutes_per_event = models.FloatField(null=True)
    budget_share = models.FloatField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    annual_loss = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    loss_p5 = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    loss_p50 = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    loss_p95 = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    loss_per_event = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    recurring_cost = models.DecimalField(max_digits=18, decimal_places=2, null=True)

    # What lists are sorted by: what is not known comes last
    minutes_key = models.GeneratedField(
        expression=Coalesce("bad_minutes", models.Value(-1.0)), output_field=models.FloatField(), db_persist=True
    )
    loss_key = models.GeneratedField(
        expression=Coalesce("annual_loss", models.Value(Decimal(-1))),
        output_field=models.DecimalField(max_digits=18, decimal_places=2),
        db_persist=True,
    )

    # Where it stands; by minutes, and by money where it has a price
    likelihood = models.SmallIntegerField(null=True)
    impact = models.SmallIntegerField(null=True)
    band = models.CharField(max_length=8, blank=True)
    money_likelihood = models.SmallIntegerField(null=True)
    money_impact = models.SmallIntegerField(null=True)
    money_band = models.CharField(max_length=8, blank=True)
    # As if the controls that exist did not
    controls = ArrayField(models.CharField(max_length=20), default=list)
    inherent_minutes = models.FloatField(null=True)
    inherent_loss = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    inherent_likelihood = models.SmallIntegerField(null=True)
    inherent_impact = models.SmallIntegerField(null=True)
    inherent_band = models.CharField(max_length=8, blank=True)
    inherent_money_likelihood = models.SmallIntegerField(null=True)
    inherent_money_impact = models.SmallIntegerField(null=True)
    inherent_money_band = models.CharField(max_length=8, blank=True)
    detection = models.SmallIntegerField(null=True)

    # What decides, and why
    lane = models.CharField(max_length=12)
    lane_reason = models.CharField(max_length=300)
    lane_version = models.CharField(max_length=20)
    words = models.CharField(max_length=500)
    missing = ArrayField(models.CharField(max_length=30), default=list)
    defaulted = ArrayField(models.CharField(max_length=30), default=list)
    input_hash = models.CharField(max_length=80)
    version = models.CharField(max_length=120)  # of model and defaults
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["service"], name="estimate_by_service"),
            models.Index(fields=["minutes_key"], name="estimate_by_minutes"),
            models.Index(fields=["loss_key"], name="estimate_by_loss"),
        ]

    def __str__(self) -> str:
        return f"{self.check_id or self.risk_class} {self.severity} of {self.service_id}"


class RiskRollup(models.Model):
    """Open findings of default branches by estimate, team and lane, as deltas like Rollup. Kept by triggers."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+")
    lane = models.CharField(max_length=12)
    risk_key = models.BigIntegerField()
    count = models.IntegerField()
    estimate = models.ForeignObject(
        Estimate, models.DO_NOTHING, from_fields=["risk_key"], to_fields=["key"], null=True, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["service", "team"], name="risk_rollup_by_service")]

    def __str__(self) -> str:
        return f"{self.service_id} {self.risk_key} {self.count}"


class Simulation(models.Model):
    """Many years of a portfolio, under the hash of everything that went in: the row is the cache and the truth."""

    input_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, default="queued")  # queued, running, done, failed
    years = models.IntegerField()
    seed = models.BigIntegerField()
    version = models.CharField(max_length=120)
    units: "models.JSONField[Any, Any]" = models.JSONField()  # [[key, service, team, lane, count, hash]]: what is drawn
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    result: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.input_hash[:8]} {self.state}"


class StatedMeanwhile(models.Model):
    """Of this service something was stated while an import computed figures of it: they are to be computed again.
    Written with the import, so that it outlives the process that would have done it. Several of one service are one."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"figures of {self.service_id}"


class RiskPolicy(models.Model):
    """Thresholds of the lanes and the tolerance line; the newest row holds, older ones stay."""

    thresholds: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    tolerance: "models.JSONField[Any, Any]" = models.JSONField(default=list)  # [[amount, probability]]
    currency = models.CharField(max_length=3, default="USD")  # of the tolerance
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=2000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"policy {self.pk}"
