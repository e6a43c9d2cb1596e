"""Bills as a daily cube, by import and scope; and what is summed up from it for pages.

Money is NUMERIC with 28 places: what the reader takes over (costs.bills.cube) always fits, so nothing is ever rounded.
`team`, `service` and `environment` of a key are derived by costs.allocation and follow ownership rules.
"""

from typing import Any

from django.db import models

from platform_risk.core.models import Environment, Import, Service, Team, User


def amount(*, null: bool = False) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=60, decimal_places=28, null=null)


def seen_by(user: User, key: str = "") -> models.Q:
    """What of costs a user sees: of their teams, and of their teams' services; of nobody for managers; all for admins.

    `key` is the path to the columns team and service, "" or one that ends with "__".
    """
    if user.is_admin:
        return models.Q()
    mine = models.Q(**{f"{key}team_id__in": user.team_ids})
    mine |= models.Q(**{f"{key}service_id__in": Service.objects.filter(team_id__in=user.team_ids).values("id")})
    if user.sees_unowned:
        mine |= models.Q(**{f"{key}team_id__isnull": True})
    return mine


class BillScope(models.Model):
    """Export × billing account × billing period: an import replaces exactly its scope's state."""

    export = models.CharField(max_length=100)
    billing_account = models.CharField(max_length=200)
    period = models.DateField()  # the first day of the billing month
    last_complete_at = models.DateTimeField(null=True)  # observed_at of the last applied complete import
    last_seen_at = models.DateTimeField(null=True)
    # The month had not ended when it was last observed, or the bill itself calls it an estimate.
    is_provisional = models.BooleanField(default=False)

    class Meta:
        ordering = ["-period", "billing_account", "export"]
        constraints = [models.UniqueConstraint(fields=["export", "billing_account", "period"], name="bill_scope_once")]
        indexes = [models.Index(fields=["billing_account", "period"], name="bill_scope_by_account")]

    def __str__(self) -> str:
        return f"{self.export} of {self.billing_account}, {self.period:%Y-%m}"


class BillVersion(models.Model):
    """What one import put into one scope. A complete one replaces all before it, a piece is added to it."""

    scope = models.ForeignKey(BillScope, on_delete=models.CASCADE, related_name="versions")
    import_row = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="bill_versions")
    observed_at = models.DateTimeField()
    is_complete = models.BooleanField()
    is_current = models.BooleanField()
    is_provisional = models.BooleanField()
    replaced_by = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replaced")
    # Its days were deleted, for newer ones have taken their place several times over.
    is_pruned = models.BooleanField(default=False)
    lines = models.BigIntegerField()
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)
    # [{currency, charge_category, file_billed, loaded_billed, file_effective, loaded_effective}], decimal strings
    totals: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    # Of a restatement: [{currency, before_billed, after_billed, before_effective, after_effective}]
    difference: "models.JSONField[Any, Any]" = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "import_row"], name="bill_version_once")]

    def __str__(self) -> str:
        return f"{self.scope} from import {self.import_row_id}"


class SharedCost(models.Model):
    """Cost that nobody alone has caused: split over the teams by a stated rule, in what is shown to them."""

    class Kind(models.TextChoices):
        ACCOUNT = "account", "Account"
        CLOUD_SERVICE = "cloud_service", "Cloud service"
        NAMESPACE = "namespace", "Namespace"
        TAG = "tag", "Tag"

    class Split(models.TextChoices):
        PROPORTIONAL = "proportional", "By what each team spends directly in the month"
        EVEN = "even", "The same for each team that spends in the month"

    kind = models.CharField(max_length=13, choices=Kind)
    pattern = models.CharField(max_length=500)
    split = models.CharField(max_length=12, choices=Split, default=Split.PROPORTIONAL)
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["kind", "pattern"], name="shared_cost_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pattern}"


class ChargeKey(models.Model):
    """One combination of what a bill says of a charge beside day, category and money, and whose it is."""

    digest = models.CharField(max_length=32, unique=True)
    provider = models.CharField(max_length=200)
    cloud_service = models.CharField(max_length=300)  # the provider's: Amazon Elastic Compute Cloud …
    service_category = models.CharField(max_length=100)
    account = models.CharField(max_length=200)  # the account below the billing account
    account_name = models.CharField(max_length=300)
    region = models.CharField(max_length=100)
    resource_group = models.CharField(max_length=300)
    namespace = models.CharField(max_length=253)
    unit = models.CharField(max_length=100)
    # The tags by which costs are given to somebody, and no others: their number would make the cube the bill itself.
    tags: "models.JSONField[Any, Any]" = models.JSONField(default=dict)

    service = models.ForeignKey(Service, null=True, on_delete=models.SET_NULL, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="+")
    team_from = models.CharField(max_length=8, blank=True)  # rule, service, tag; "" for nobody's
    environment = models.ForeignKey(Environment, null=True, on_delete=models.SET_NULL, related_name="+")
    shared = models.ForeignKey(SharedCost, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"{self.provider} {self.cloud_service} {self.account}"


class ChargeDayQuerySet(models.QuerySet["ChargeDay"]):
    def visible_to(self, user: User) -> "ChargeDayQuerySet":
        """The one door to days: those in force, of what the user may see."""
        return self.filter(seen_by(user, "key__"), is_current=True)


class ChargeDay(models.Model):
    """One cell of the cube: what a key cost on a day (UTC) in one charge category and currency.

    A charge of several days stands on the day on which it begins.
    """

    # Without constraints: looked up row by row at the commit, they take a fifth of an import. Only the loader writes
    # here, and reconciles what it wrote over both (costs/sql/load.sql, loaded).
    version = models.ForeignKey(BillVersion, on_delete=models.CASCADE, related_name="days", db_constraint=False)
    is_current = models.BooleanField()
    day = models.DateField()
    key = models.ForeignKey(ChargeKey, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    charge_category = models.CharField(max_length=20)
    currency = models.CharField(max_length=40)
    billed = amount()  # what the invoice says
    effective = amount()  # with commitments paid up front spread over what used them
    list = amount(null=True)  # at list prices; null where the bill has none
    quantity = amount(null=True)  # in the key's unit
    lines = models.IntegerField()

    objects = ChargeDayQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["day"], name="charge_by_day", condition=models.Q(is_current=True)),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.key_id} {self.billed} {self.currency}"


class ChargeMonthQuerySet(models.QuerySet["ChargeMonth"]):
    def visible_to(self, user: User) -> "ChargeMonthQuerySet":
        return self.filter(seen_by(user, "key__"))


class ChargeMonth(models.Model):
    """The cube by calendar month: sums of the days in force, kept in the load's own transaction."""

    scope = models.ForeignKey(BillScope, on_delete=models.CASCADE, related_name="+")
    month = models.DateField()
    key = models.ForeignKey(ChargeKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    charge_category = models.CharField(max_length=20)
    currency = models.CharField(max_length=40)
    billed = amount()
    effective = amount()
    list = amount(null=True)
    quantity = amount(null=True)

    objects = ChargeMonthQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["month"], name="charge_by_month")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.key_id} {self.billed} {self.currency}"


class DayTotalQuerySet(models.QuerySet["DayTotal"]):
    def visible_to(self, user: User) -> "DayTotalQuerySet":
        return self.filter(seen_by(user))


class DayTotal(models.Model):
    """Days in force by whose they are and the cloud's service: what daily series are read from. Derived: it equals a
    recount at all times, and follows when ownership changes."""

    scope = models.ForeignKey(BillScope, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    provider = models.CharField(max_length=200)
    cloud_service = models.CharField(max_length=300)
    service = models.ForeignKey(Service, null=True, on_delete=models.SET_NULL, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="+")
    environment = models.ForeignKey(Environment, null=True, on_delete=models.SET_NULL, related_name="+")
    charge_category = models.CharField(max_length=20)
    currency = models.CharField(max_length=40)
    billed = amount()
    effective = amount()

    objects = DayTotalQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["day"], name="total_by_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.cloud_service} {self.billed} {self.currency}"


class ResourceMonthQuerySet(models.QuerySet["ResourceMonth"]):
    def visible_to(self, user: User) -> "ResourceMonthQuerySet":
        return self.filter(seen_by(user, "key__"), is_current=True)


class ResourceMonth(models.Model):
    """What one resource cost in one calendar month: for what is new, gone, dearer or more."""

    # Without constraints, as those of days.
    version = models.ForeignKey(BillVersion, on_delete=models.CASCADE, related_name="resources", db_constraint=False)
    is_current = models.BooleanField()
    month = models.DateField()
    resource = models.CharField(max_length=1000)
    key = models.ForeignKey(ChargeKey, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    currency = models.CharField(max_length=40)
    billed = amount()
    effective = amount()
    quantity = amount(null=True)

    objects = ResourceMonthQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["month"], name="resource_by_month", condition=models.Q(is_current=True)),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.resource} {self.billed} {self.currency}"
