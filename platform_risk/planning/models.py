"""Tables of planning. Models hold fields and constraints; writes have names in services of their subject."""

from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from findings.models import Finding, choices
from findings.vocabulary import Lane
from platform_risk.core.catalog.models import slug_validator
from platform_risk.core.models import Service, Team, User
from platform_risk.planning.vocabulary import NoteKind, RemedyState

MOST_DAYS = 1000


class RemedyQuerySet(models.QuerySet["Remedy"]):
    def visible_to(self, user: User) -> "RemedyQuerySet":
        """Those of everybody, and those of the user's teams."""
        if user.is_admin:
            return self
        return self.filter(models.Q(team__isnull=True) | models.Q(team_id__in=user.team_ids))


class Remedy(models.Model):
    """Something that can be done, and that closes the findings of some checks: of one team, or of all."""

    slug = models.CharField(max_length=80, unique=True, validators=[slug_validator])
    title = models.CharField(max_length=200)
    how = models.TextField(max_length=4000, blank=True)
    lane = models.CharField(max_length=12, choices=choices(Lane), blank=True)  # "": nobody says
    effort_days = models.DecimalField(
        max_digits=5, decimal_places=1, validators=[MinValueValidator(Decimal("0.1")), MaxValueValidator(MOST_DAYS)]
    )
    checks = ArrayField(models.CharField(max_length=60), size=50)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="remedies")
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=choices(RemedyState), default=RemedyState.PROPOSED.value)
    done_at = models.DateTimeField(null=True, blank=True)
    # What it was to close when it was said to be done: [{service, findings, minutes, loss, monthly, currency}]
    claimed: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = RemedyQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "remedies"

    def __str__(self) -> str:
        return self.title


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, user: User) -> "IncidentQuerySet":
        return self if user.is_admin else self.filter(service__in=Service.objects.visible_to(user))


class Incident(models.Model):
    """Something that went wrong with a service. None is "nobody says", never no."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="incidents")
    title = models.CharField(max_length=300)
    started_at = models.DateTimeField()
    detected_at = models.DateTimeField(null=True, blank=True)
    recovered_at = models.DateTimeField(null=True, blank=True)
    users_affected: "models.DecimalField[Decimal | None, Decimal | None]" = models.DecimalField(
        max_digits=7, decimal_places=6, null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    was_predicted = models.BooleanField(null=True, blank=True)  # a finding had told of it before
    was_alerted = models.BooleanField(null=True, blank=True)  # an alert told of it, not a user
    findings = models.ManyToManyField(Finding, blank=True, related_name="incidents")
    notes = models.TextField(max_length=10_000, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["service", "started_at", "title"], name="incident_once"),
            models.CheckConstraint(
                condition=models.Q(detected_at__isnull=True) | models.Q(detected_at__gte=models.F("started_at")),
                name="incident_detected_after_start",
                violation_error_message="It cannot be detected before it starts.",
            ),
            models.CheckConstraint(
                condition=models.Q(recovered_at__isnull=True)
                | models.Q(recovered_at__gte=models.F("started_at"), detected_at__isnull=True)
                | models.Q(recovered_at__gte=models.F("detected_at"), detected_at__isnull=False),
                name="incident_recovered_in_order",
                violation_error_message="It cannot be recovered before it starts or is detected.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.service.slug}, {self.started_at:%Y-%m-%d})"

    @property
    def detect_seconds(self) -> float | None:
        return (self.detected_at - self.started_at).total_seconds() if self.detected_at else None

    @property
    def recover_seconds(self) -> float | None:
        """From detection on."""
        if self.detected_at is None or self.recovered_at is None:
            return None
        return (self.recovered_at - self.detected_at).total_seconds()


class OfATeamQuerySet(models.QuerySet[Any]):
    """Rows of one team each; those of none are for managers and administrators."""

    def visible_to(self, user: User) -> "OfATeamQuerySet":
        if user.is_admin:
            return self
        mine = models.Q(team_id__in=user.team_ids)
        if user.sees_unowned:
            mine |= models.Q(team__isnull=True)
        return self.filter(mine)


class ReviewSnapshot(models.Model):
    """The figures of one team's week as they were when it had ended. Never written again: a past review stays true."""

    week = models.DateField()  # its Monday, UTC
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+")  # None: of no team
    figures: "models.JSONField[Any, Any]" = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OfATeamQuerySet.as_manager()

    class Meta:
        ordering = ["-week", "team_id"]
        constraints = [
            models.UniqueConstraint(fields=["week", "team"], name="review_snapshot_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.week} {self.team or 'of no team'}"


class ReviewNote(models.Model):
    """What was decided or said in a team's review of a week."""

    week = models.DateField()
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=choices(NoteKind), default=NoteKind.DECISION.value)
    text = models.TextField(max_length=4000)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OfATeamQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["week"], name="review_note_by_week")]

    def __str__(self) -> str:
        return f"{self.week} {self.kind}"


class Digest(models.Model):
    """A digest that was sent, or is being sent: the row is taken before the mail goes, so that none goes twice."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=6)  # daily, weekly
    of_day = models.DateField()  # the day, or the week's Monday, that it tells of
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind", "of_day"], name="digest_once")]

    def __str__(self) -> str:
        return f"{self.kind} digest of {self.of_day} to {self.user}"
