"""Counts of findings that pages of the core show too. Lazy: each is one query, the first time it is shown."""

from functools import cached_property
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest

from findings import portfolio, selectors
from findings.vocabulary import OPEN_STATUSES
from platform_risk.core.models import User


class Counts:
    def __init__(self, user: User) -> None:
        self._user = user

    @cached_property
    def by_team(self) -> dict[int | None, int]:
        """Open findings by team id; None: of nobody."""
        rows = selectors.rollup(self._user).filter(status__in=list(OPEN_STATUSES))
        return {row["team_id"]: row["n"] for row in rows.values("team_id").annotate(n=Sum("count"))}

    @cached_property
    def open(self) -> int:
        return sum(self.by_team.values())

    @cached_property
    def services(self) -> list[selectors.ServiceRow]:
        return selectors.service_rows(self._user)

    @cached_property
    def risks(self) -> dict[int, portfolio.Sums]:
        """Service id → what is expected of its year. Two queries."""
        return portfolio.sums_by_service(self._user)


def counts(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    return {"counts": Counts(user)} if isinstance(user, User) and user.is_authenticated else {}
