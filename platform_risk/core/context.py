"""What the shell around every page needs. Lazy: a fragment that shows none of it asks the database nothing."""

from functools import cached_property
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from platform_risk.core.access.selectors import saved_views_of
from platform_risk.core.catalog.selectors import teams_visible_to
from platform_risk.core.models import SavedView, Team, User

THEMES = ("light", "dark")


class Navigation:
    """The user's own ways into the product; each list is one query, the first time it is shown."""

    def __init__(self, user: User | AnonymousUser) -> None:
        self._user = user

    @cached_property
    def saved_views(self) -> list[SavedView]:
        return list(saved_views_of(self._user)[:12])

    @cached_property
    def teams(self) -> list[Team]:
        return [] if isinstance(self._user, AnonymousUser) else list(teams_visible_to(self._user)[:12])


def shell(request: HttpRequest) -> dict[str, Any]:
    """`theme`: light, dark, or "" for what the system prefers; `navigation`; `area`: the first part of the path."""
    theme = request.COOKIES.get("theme", "")
    return {
        "theme": theme if theme in THEMES else "",
        "navigation": Navigation(getattr(request, "user", AnonymousUser())),
        "area": request.path.strip("/").partition("/")[0],
    }
