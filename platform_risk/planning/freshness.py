"""What is not known any more: services that nothing looks at, sources that went silent, bills with a gap."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, Max, Min, OuterRef, Q
from django.utils import timezone

from costs.models import DayTotal
from findings.selectors import silent_sources
from platform_risk.core.models import Scope, Service, User

LOOKED_BACK_DAYS = 90
ENDED_DAYS = 400  # a bill that ended longer ago is over, not late
SHOWN = 200


@dataclass(frozen=True)
class Gap:
    """`kind`: unscanned, silent, bill_gap or bill_late. `since`: None for never."""

    kind: str
    service: str | None
    team: str | None  # the service's
    about: str
    since: date | None
    words: str


def gaps(user: User) -> list[Gap]:
    """Of what the user may see, the oldest first: four queries."""
    found = [*_unscanned(user), *_silent(user), *_bills(user)]
    return sorted(found, key=lambda each: (each.since or date.min, each.service or "", each.about))


def _unscanned(user: User) -> Iterator[Gap]:
    seen = Scope.objects.filter(target__service=OuterRef("pk"), target__is_default_branch=True)
    heard = seen.filter(last_seen_at__isnull=False)
    rows = Service.objects.visible_to(user).filter(~Exists(heard)).select_related("team").order_by("slug")[:SHOWN]
    for service in rows:
        words = "Nothing has been imported of its default branch: what is wrong with it nobody has looked for."
        yield Gap("unscanned", service.slug, _team(service), service.default_branch, None, words)


def _silent(user: User) -> Iterator[Gap]:
    for scope in silent_sources(user, settings.SILENT_SOURCE_DAYS)[:SHOWN]:
        seen: datetime | None = scope.last_seen_at
        assert seen is not None, "only what was heard of once can fall silent"
        days = (timezone.now() - seen).days
        where = f", {scope.target.environment.slug}" if scope.target.environment else ""
        words = f"It has sent nothing for {days} days: what it would find now is not known."
        service = scope.target.service
        yield Gap("silent", service.slug, _team(service), f"{scope.source}{where}", seen.date(), words)


def _team(service: Service) -> str | None:
    return service.team.slug if service.team else None


def _bills(user: User) -> Iterator[Gap]:
    """Whether days are missing is told by all charges; a bill is shown to who sees any of it."""
    today = timezone.now().date()
    begin, recent = today - timedelta(days=ENDED_DAYS), Q(day__gte=today - timedelta(days=LOOKED_BACK_DAYS))
    named = ("scope__export", "scope__billing_account")
    mine = set(DayTotal.objects.visible_to(user).filter(day__gte=begin).order_by().values_list(*named).distinct())
    rows = (
        DayTotal.objects.filter(day__gte=begin)
        .order_by()
        .values_list(*named)
        .annotate(days=Count("day", distinct=True, filter=recent), first=Min("day", filter=recent), last=Max("day"))
    )
    for export, account, days, first, last in rows:
        if (export, account) not in mine:
            continue
        about = f"{export}, {account}" if account else export
        missing = (last - first).days + 1 - days if first is not None else 0
        if missing:
            words = f"Between {first} and {last}, {missing} of the days have no charges: costs are understated."
            yield Gap("bill_gap", None, None, about, first, words)
        if (today - last).days > settings.SILENT_SOURCE_DAYS:
            yield Gap(
                "bill_late", None, None, about, last, f"Its last day is {last}: what has been spent since is not known."
            )
