"""The signed-in user of a request, typed."""

from django.http import HttpRequest

from platform_risk.core.models import User


def user_of(request: HttpRequest) -> User:
    """LoginRequiredMiddleware has seen to it that there is one."""
    assert isinstance(request.user, User)
    return request.user
