"""Reading users, tokens and the audit. Every function takes the user who asks."""

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, Q, QuerySet

from platform_risk.core.keyset import KeysetPage, page
from platform_risk.core.models import AuditEvent, Membership, SavedView, Token, User

KINDS = (  # of audit events
    "service", "team", "environment", "ownership_rule", "user", "token", "import", "column_mapping", "saved_view",
    "shared_cost",
)  # fmt: skip


def users_for(by: User) -> QuerySet[User]:
    """All users with their teams: for administrators."""
    if not by.is_admin:
        raise PermissionDenied("Users are kept by administrators.")
    memberships = Membership.objects.select_related("team").order_by("team__slug")
    return User.objects.prefetch_related(Prefetch("memberships", queryset=memberships)).order_by("username")


def own_tokens(user: User) -> QuerySet[Token]:
    return Token.objects.filter(user=user).order_by("-id")


def tokens_visible_to(user: User) -> QuerySet[Token]:
    """One's own; all for admins."""
    rows = Token.objects.all() if user.is_admin else Token.objects.filter(user=user)
    return rows.select_related("user").order_by("-id")


def saved_views_of(user: User | AnonymousUser) -> QuerySet[SavedView]:
    """One's own and those that a team of one's shares."""
    if isinstance(user, AnonymousUser):
        return SavedView.objects.none()
    return SavedView.objects.filter(Q(user=user) | Q(team_id__in=user.team_ids)).select_related("team", "user")


def audit(by: User, *, kind: str = "") -> QuerySet[AuditEvent]:
    """The newest first."""
    if not by.is_admin:
        raise PermissionDenied("The audit is for administrators.")
    rows = AuditEvent.objects.filter(kind=kind) if kind else AuditEvent.objects.all()
    return rows.order_by("-id")


def audit_page(by: User, *, kind: str = "", cursor: str | None = None, size: int = 50) -> KeysetPage[AuditEvent]:
    """Raises BadCursor."""
    return page(audit(by, kind=kind), ordering=["-id"], cursor=cursor, size=size)
