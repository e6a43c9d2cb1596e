"""Every write to users, memberships and tokens: permission, change, audit, one transaction each."""

import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from platform_risk.core import changing
from platform_risk.core.access.audit import record
from platform_risk.core.access.models import TokenScope
from platform_risk.core.errors import Conflict, Refused
from platform_risk.core.models import Membership, Role, Team, Token, User


class UserFields(TypedDict, total=False):
    username: str
    email: str
    first_name: str
    last_name: str
    is_admin: bool
    is_active: bool


class OwnSettings(TypedDict, total=False):
    shortcuts: bool
    daily_digest: bool
    weekly_digest: bool
    email: str
    first_name: str
    last_name: str


def _admin(user: User) -> None:
    if not user.is_admin:
        raise PermissionDenied("Users are kept by administrators.")


def _check_password(password: str, user: User, field: str = "password") -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), field=field) from error


@transaction.atomic
def create_user(
    *,
    by: User,
    password: str,
    teams: Mapping[Team, str] | None = None,
    reason: str = "",
    **fields: Unpack[UserFields],
) -> User:
    """`teams`: team → role."""
    _admin(by)
    admin = fields.pop("is_admin", False)
    user = User(is_superuser=admin, is_staff=admin, **fields)
    _check_password(password, user)
    user.set_password(password)
    changing.save(user)
    record(by, "created", "user", user.pk, user.username, reason=reason)
    if teams:
        set_memberships(user, by=by, teams=teams, reason=reason)
    return user


@transaction.atomic
def change_user(
    user: User,
    *,
    by: User,
    password: str = "",
    teams: Mapping[Team, str] | None = None,
    reason: str = "",
    **fields: Unpack[UserFields],
) -> User:
    """Fields, the admin role, the roles in teams (`teams` replaces them all), and a new password where one is given,
    which ends the user's sessions."""
    _admin(by)
    user = User.objects.select_for_update().get(pk=user.pk)
    admin = fields.pop("is_admin", user.is_superuser)
    if user.is_superuser and not (admin and fields.get("is_active", user.is_active)):
        _another_admin(user)
    changes = changing.set_fields(user, {**fields, "is_superuser": admin, "is_staff": admin})
    changes.pop("is_staff", None)
    if password:
        _check_password(password, user)
        user.set_password(password)
        user.save(update_fields=["password"])
        changes["password"] = ["", "set anew"]
    if changes:
        record(by, "changed", "user", user.pk, user.username, changes=changes, reason=reason)
    return user if teams is None else set_memberships(user, by=by, teams=teams, reason=reason)


def _another_admin(user: User) -> None:
    """Locks the admins, so that two who retire each other at once do not both succeed."""
    others = User.objects.select_for_update().filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if not list(others):
        raise Conflict("This is the last administrator: make somebody else one first.")


@transaction.atomic
def delete_user(user: User, *, by: User, reason: str = "") -> User:
    """Deactivated, not removed: what they decided keeps its name. Their tokens go."""
    user = change_user(user, by=by, reason=reason, is_active=False)
    for token in Token.objects.filter(user=user):
        revoke_token(token, by=by, reason=reason or "The user was deactivated")
    return user


@transaction.atomic
def set_memberships(user: User, *, by: User, teams: Mapping[Team, str], reason: str = "") -> User:
    """The whole set, team → role; a team that is not named is left."""
    _admin(by)
    for role in teams.values():
        if role not in Role.values:
            raise Refused(f"A role is one of {', '.join(Role.values)}.", field="teams")
    User.objects.select_for_update().get(pk=user.pk)
    old = {row.team: row.role for row in Membership.objects.filter(user=user).select_related("team")}
    changes = {
        f"role in {team.slug}": [old.get(team), teams.get(team)]
        for team in {**old, **teams}
        if old.get(team) != teams.get(team)
    }
    if changes:
        Membership.objects.filter(user=user).exclude(team__in=list(teams)).delete()
        for team, role in teams.items():
            Membership.objects.update_or_create(user=user, team=team, defaults={"role": role})
        record(by, "changed", "user", user.pk, user.username, changes=changes, reason=reason)
        user.__dict__.pop("roles", None)
    return user


@transaction.atomic
def change_own_settings(*, user: User, **fields: Unpack[OwnSettings]) -> User:
    user = User.objects.select_for_update().get(pk=user.pk)
    changes = changing.set_fields(user, fields)
    if changes:
        record(user, "changed", "user", user.pk, user.username, changes=changes)
    return user


@transaction.atomic
def change_own_password(*, user: User, old: str, new: str) -> User:
    """The caller keeps its own session with update_session_auth_hash; all others end."""
    if not user.check_password(old):
        raise Refused("This is not your present password.", field="old_password")
    _check_password(new, user, "new_password")
    user.set_password(new)
    user.save(update_fields=["password"])
    record(user, "changed", "user", user.pk, user.username, changes={"password": ["", "set anew"]})
    return user


def _end_of(day: date) -> datetime:
    today = timezone.now().date()
    if day < today:
        raise Refused("A token needs a date that is not past.", field="expires_on")
    if day > today + timedelta(days=3660):
        raise Refused("A token lives for ten years at most.", field="expires_on")
    return datetime.combine(day, time.max, tzinfo=UTC)


@transaction.atomic
def create_token(
    *, by: User, user: User, name: str, scope: str = TokenScope.READ, expires_on: date | None = None
) -> tuple[Token, str]:
    """The token and its secret, which is not kept: this is the only time that it can be shown. It lives through the
    day `expires_on` (UTC); without one, for the days of the setting."""
    if by.pk != user.pk and not by.is_admin:
        raise PermissionDenied("Tokens of others are made by administrators.")
    if scope == TokenScope.ADMIN and not user.is_admin:
        raise PermissionDenied("A token with scope admin needs a user who is an administrator.")
    if not user.is_active:
        raise Refused("This user is deactivated.", field="user")
    last = expires_on or timezone.now().date() + timedelta(days=settings.TOKEN_DAYS)
    expires_at = _end_of(last)
    secret = "pr_" + secrets.token_urlsafe(32)
    token = Token(
        user=user,
        name=name.strip(),
        prefix=secret[:8],
        digest=Token.digest_of(secret),
        scope=scope,
        expires_at=expires_at,
    )
    changing.save(token)
    record(
        by, "created", "token", token.pk, str(token),
        changes={"user": [None, user.username], "scope": [None, scope], "expires_on": [None, last.isoformat()]},
    )  # fmt: skip
    return token, secret


@transaction.atomic
def change_token(
    token: Token, *, by: User, name: str | None = None, expires_on: date | None = None, reason: str = ""
) -> Token:
    """What is not given stays; the scope always does."""
    if by.pk != token.user_id and not by.is_admin:
        raise PermissionDenied("Tokens of others are changed by administrators.")
    token = Token.objects.select_for_update().get(pk=token.pk)
    fields: dict[str, Any] = {} if name is None else {"name": name.strip()}
    if expires_on is not None:
        fields["expires_at"] = _end_of(expires_on)
    changes = changing.set_fields(token, fields)
    if changes:
        record(by, "changed", "token", token.pk, str(token), changes=changes, reason=reason)
    return token


@transaction.atomic
def revoke_token(token: Token, *, by: User, reason: str = "") -> None:
    if by.pk != token.user_id and not by.is_admin:
        raise PermissionDenied("Tokens of others are revoked by administrators.")
    pk, label = token.pk, str(token)
    token.delete()
    record(by, "revoked", "token", pk, label, reason=reason)
