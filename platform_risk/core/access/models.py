"""Users, their roles per team, tokens, and the record of who changed what."""

import hashlib
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from platform_risk.core.catalog.models import Team

if TYPE_CHECKING:
    from platform_risk.core.catalog.models import Service


class Role(models.TextChoices):
    """viewer reads; member also triages and imports; manager also changes the team's services and sees the unowned."""

    VIEWER = "viewer", "Viewer"
    MEMBER = "member", "Member"
    MANAGER = "manager", "Manager"


class User(AbstractUser):
    """`is_superuser` is the admin role. Roles are read once per request (the object lives that long)."""

    daily_digest = models.BooleanField(default=False)
    weekly_digest = models.BooleanField(default=False)
    shortcuts = models.BooleanField(default=True)  # single-key shortcuts, WCAG 2.2 2.1.4
    is_demo = models.BooleanField(default=False)

    @property
    def is_admin(self) -> bool:
        return self.is_superuser

    @cached_property
    def roles(self) -> dict[int, str]:
        """Team id → role. Note: one query, the first time."""
        return dict(self.memberships.values_list("team_id", "role"))

    @property
    def team_ids(self) -> list[int]:
        return list(self.roles)

    @property
    def writing_team_ids(self) -> list[int]:
        return [team for team, role in self.roles.items() if role != Role.VIEWER]

    @property
    def sees_unowned(self) -> bool:
        return self.is_admin or Role.MANAGER in self.roles.values()

    def may_see(self, team_id: int | None) -> bool:
        """Whether the user sees this team, its services (None: those of no team) and what is imported into them."""
        return self.is_admin or (self.sees_unowned if team_id is None else team_id in self.team_ids)

    def may_write(self, *team_ids: int | None) -> bool:
        """Whether the user may change what belongs to any of these teams (None: what belongs to nobody)."""
        if self.is_admin:
            return True
        return any(
            self.roles.get(team) in (Role.MEMBER, Role.MANAGER) if team is not None else self.sees_unowned
            for team in team_ids
        )

    def may_manage(self, team_id: int | None) -> bool:
        if self.is_admin:
            return True
        return self.sees_unowned if team_id is None else self.roles.get(team_id) == Role.MANAGER

    @property
    def may_import_for_all(self) -> bool:
        """What is of no service and concerns every team: bills, usage."""
        return self.sees_unowned

    def may_change_import(self, service: "Service | None", kind: str, created_by_id: int | None) -> bool:
        """Cancelling, undoing and repeating take what importing took."""
        if service is not None:
            return self.may_import_into(service)
        if kind in ("bill", "usage"):
            return self.may_import_for_all
        return self.is_admin or created_by_id == self.pk

    def may_import_into(self, service: "Service") -> bool:
        return self.may_write(service.team_id)


class Membership(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} {self.role} of {self.team}"


class TokenScope(models.TextChoices):
    READ = "read", "Read"
    WRITE = "write", "Write"
    ADMIN = "admin", "Admin"


class Token(models.Model):
    """An API token. Only its SHA-256 is kept: the token itself has 256 random bits, so no slow hash is needed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=10, choices=TokenScope, default=TokenScope.READ)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    def is_live(self, now: datetime | None = None) -> bool:
        return self.expires_at is None or self.expires_at > (now or timezone.now())


class IdempotencyKey(models.Model):
    """What a request with an Idempotency-Key was answered, kept for 24 hours."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)  # null: still being answered
    body = models.TextField(blank=True)
    headers: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key


class AuditEvent(models.Model):
    """Changes to everything but findings (whose history is findings.History): who, when, what, from, to, why."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=40)  # created, changed, deleted, imported, undone, cancelled …
    kind = models.CharField(max_length=40)  # service, team, ownership_rule, user, token, import …
    object_id = models.CharField(max_length=80)
    label = models.CharField(max_length=250)
    changes: "models.JSONField[Any, Any]" = models.JSONField(default=dict)  # {field: [from, to]}
    reason = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "object_id"], name="audit_by_object")]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.kind} {self.label}"


class SavedView(models.Model):
    """A filter of the findings list under a name; a view with a team is shared with it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000, blank=True)  # the query string of the list
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
