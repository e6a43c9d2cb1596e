"""Users and tokens as the API shows and reads them."""

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject
from rest_framework import serializers
from rest_framework.request import Request

from platform_risk.core.api import enums
from platform_risk.core.api.catalog import team_named
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import SlugField, shown_date, shown_time
from platform_risk.core.api.problems import bad_field
from platform_risk.core.api.resources import Body
from platform_risk.core.models import Membership, Team, Token, User


def users() -> QuerySet[User]:
    """With their roles in the same query, so that an export needs no other."""
    roles = (
        Membership.objects.filter(user=OuterRef("pk"))
        .order_by("team__slug")
        .values(json=JSONObject(team="team__slug", role="role"))
    )
    return User.objects.annotate(role_list=ArraySubquery(roles))


def tokens(user: User, *, of_all: bool) -> QuerySet[Token]:
    rows = Token.objects.select_related("user")
    return rows if of_all else rows.filter(user=user)


def roles_of(sent: Sequence[dict[str, Any]], user: User) -> dict[Team, str]:
    roles = {}
    for each in sent:
        team = team_named(each["team"], user)
        assert team is not None
        roles[team] = each["role"]
    return roles


def token_user(name: str | None, user: User, *, for_all: bool) -> User:
    """Whose token it will be: one's own, unless an administrator says otherwise."""
    if name is None or name == user.get_username():
        return user
    if not for_all:
        raise PermissionDenied("Tokens of others are made by administrators, through a token only with scope admin.")
    found = User.objects.filter(username=name).first()
    if found is None:
        raise bad_field("/user", f"No user “{name}”.")
    return found


def check_scope(wanted: str, request: Request) -> None:
    """A token cannot make one that may do more than itself."""
    order = enums.TOKEN_SCOPES
    if isinstance(request.auth, Token) and order.index(wanted) > order.index(request.auth.scope):
        raise PermissionDenied(f"This token has scope {request.auth.scope}: it cannot make one with scope {wanted}.")


def user_row(user: Any) -> dict[str, Any]:
    return {
        "id": str(user.pk),
        "username": user.get_username(),
        "email": user.email,
        "is_admin": user.is_admin,
        "is_active": user.is_active,
        "teams": user.role_list,
        "last_sign_in_at": shown_time(user.last_login),
        "created_at": shown_time(user.date_joined),
    }


def token_row(token: Token, secret: str | None = None) -> dict[str, Any]:
    return {
        "id": str(token.pk),
        "user": token.user.get_username(),
        "name": token.name,
        "scope": token.scope,
        "prefix": token.prefix,
        "expires_on": shown_date(token.expires_at.date() if token.expires_at else None),
        "last_used_at": shown_time(token.last_used_at),
        "created_at": shown_time(token.created_at),
        "token": secret,
    }


class RoleSerializer(Body):
    team = SlugField()
    role = serializers.ChoiceField(choices=enums.ROLES)


class UserSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    username = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    is_admin = serializers.BooleanField()
    is_active = serializers.BooleanField()
    teams = RoleSerializer(many=True)
    last_sign_in_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class UserWrittenSerializer(Body):
    username = serializers.RegexField(r"^[\w.@+-]+\Z", max_length=150)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    is_admin = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)
    teams = RoleSerializer(many=True, required=False)


class TokenSerializer(serializers.Serializer[Any]):
    """`token` is there once: in the answer to its creation."""

    id = serializers.CharField()
    user = serializers.CharField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(choices=enums.TOKEN_SCOPES)
    prefix = serializers.CharField()
    expires_on = serializers.DateField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    token = serializers.CharField(allow_null=True)


class TokenWrittenSerializer(Body):
    user = serializers.CharField(max_length=150, required=False, help_text="Yourself unless told otherwise.")
    name = serializers.CharField(max_length=100)
    scope = serializers.ChoiceField(choices=enums.TOKEN_SCOPES, required=False)
    expires_on = serializers.DateField(required=False, help_text="The last day on which it works.")


class TokenChangeSerializer(Body):
    name = serializers.CharField(max_length=100, required=False)
    expires_on = serializers.DateField(required=False)


USERS = Table(
    "users", ("id", "username", "email", "is_admin", "is_active", "teams", "last_sign_in_at", "created_at"), user_row
)
TOKENS = Table(
    "tokens",
    ("id", "user", "name", "scope", "prefix", "expires_on", "last_used_at", "created_at"),
    token_row,
)
