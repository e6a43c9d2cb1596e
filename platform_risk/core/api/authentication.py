"""Bearer tokens and their scopes."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework import exceptions, permissions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from platform_risk.core.models import Token, User

if TYPE_CHECKING:
    # rest_framework.views imports the authentication classes: at run time this would be a circle.
    from rest_framework.views import APIView

SAFE = ("GET", "HEAD", "OPTIONS")


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise exceptions.AuthenticationFailed("Send one token: Authorization: Bearer TOKEN.")
        digest = Token.digest_of(parts[1].decode("latin-1"))
        token = Token.objects.select_related("user").filter(digest=digest).first()
        if token is None or not token.user.is_active:
            raise exceptions.AuthenticationFailed("This token is not known.")
        now = timezone.now()
        if not token.is_live(now):
            raise exceptions.AuthenticationFailed("This token has expired: create a new one.")
        # Once a minute is enough to see which tokens are in use.
        if token.last_used_at is None or token.last_used_at < now - timedelta(minutes=1):
            Token.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ScopedPermission(permissions.BasePermission):
    """Nobody anonymous; a token may do what its scope says and never more than its user may."""

    message = "This token may only read: create one with scope write."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if isinstance(request.user, AnonymousUser) or not request.user.is_active:
            return False
        if isinstance(request.auth, Token):
            # Some answers to POST are only computed.
            if request.method in SAFE or getattr(view, "action", "") in getattr(view, "computes", ()):
                return True
            return request.auth.scope != "read"
        return True


class AdminPermission(permissions.BasePermission):
    """Admins; through a token only with scope admin."""

    message = "Only an administrator may do this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not getattr(request.user, "is_admin", False):
            return False
        return not isinstance(request.auth, Token) or request.auth.scope == "admin"
