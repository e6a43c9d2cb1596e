"""Daily spend that a user may see, forecast, and what is unusual in it. Reads the cube's daily totals."""

import contextlib
import functools
import hashlib
import itertools
import json
import pickle
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

from django.core.cache import cache
from django.db.models import Count, Max, QuerySet, Sum
from django.utils import timezone
from redis.exceptions import RedisError

from costs.forecasting.anomalies import Anomaly, anomalies
from costs.forecasting.coherent import Coherent, Key, coherent
from costs.forecasting.daily import Daily, TooShortError
from costs.forecasting.forecast import LEVELS, Forecast, forecast
from costs.forecasting.months import Crossing, Month, after, crossing, months
from costs.models import BillVersion, Budget, ChargeDay, DayTotal, SeenAnomaly
from platform_risk import __version__
from platform_risk.core.errors import Refused
from platform_risk.core.models import Team, User

T = TypeVar("T")
# Group by name → column, of the daily totals; an account is in the cube alone.
COLUMNS = {
    "team": "team__slug", "service": "service__slug", "environment": "environment__slug",
    "cloud_service": "cloud_service", "provider": "provider", "account": "key__account",
}  # fmt: skip
MEASURES = ("billed", "effective")
MOST_DAYS = 800
LONGEST_GAP = 28  # days without any bill that are filled from the weeks around them
MOST_GROUPS = 20  # forecast each by itself; the rest together
REST = "(rest)"
_KEPT_SECONDS = 24 * 3600  # the key names the days it was computed of: what is kept is never out of date
# What a newer or older version kept, whose classes are not those of this one.
_UNREADABLE = (pickle.UnpicklingError, ImportError, AttributeError, EOFError)


def cached(user: User, name: str, asked: Any, make: Callable[[], T]) -> T:
    """What was computed for somebody who sees the same, of the same days. Forecasts take longer than a page may."""
    # Whatever changes days writes new rows of them, or takes a version out of force.
    current = BillVersion.objects.filter(is_current=True).aggregate(Count("pk"), Max("observed_at"))
    newest = [DayTotal.objects.aggregate(Max("pk")), current]
    today = timezone.now().date()
    if DayTotal.objects.filter(day__gt=today).exists():
        newest.append({"until": today})  # days to come are counted once they have come
    sees = "all" if user.is_admin else [sorted(user.team_ids), user.sees_unowned]
    seen = SeenAnomaly.objects.count()
    text = json.dumps([_code(), name, asked, sees, newest, seen], default=str, sort_keys=True)
    key = f"outlook:{hashlib.sha256(text.encode()).hexdigest()}"
    found = _kept(key)
    if found is None:
        found = make()
        with contextlib.suppress(RedisError, OSError):  # slower, and as right
            cache.set(key, found, _KEPT_SECONDS)
    return cast(T, found)


@functools.cache
def _code() -> str:
    """The code that computes: what another state of it kept may be of other classes, and is not taken for ours."""
    here = Path(__file__).resolve().parent
    digest = hashlib.sha256(__version__.encode())
    for path in sorted((*here.glob("*.py"), *here.glob("forecasting/*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _kept(key: str) -> Any:
    try:
        return cache.get(key)
    except (*_UNREADABLE, RedisError, OSError):
        return None


@dataclass(frozen=True)
class Spend:
    """Days of one currency. `groups` have the days of the whole: none of a group is nothing, a day without any is
    missing."""

    currency: str
    whole: Daily
    groups: Mapping[Key, Daily]
    by_day: Mapping[date, Decimal]
    notes: tuple[str, ...] = ()

    def spent_in_month_of(self, day: date) -> Decimal:
        """What the month took before `day`."""
        first = day.replace(day=1)
        return sum((value for at, value in self.by_day.items() if first <= at < day), Decimal(0))

    def crossed_on(self, ends: date, amount: Decimal) -> date | None:
        """The day of the month before `ends` since which it has taken more than the amount."""
        total, on = Decimal(0), None
        for at in sorted(at for at in self.by_day if ends.replace(day=1) <= at < ends):
            total += self.by_day[at]
            on = None if total <= amount else on or at
        return on


def currencies(user: User) -> list[str]:
    """The one with the most days first."""
    found = DayTotal.objects.visible_to(user).values("currency").annotate(days=Count("day", distinct=True))
    return [row["currency"] for row in found.order_by("-days", "currency")]


def spend(
    user: User,
    currency: str,
    *,
    group_by: Sequence[str] = (),
    measure: str = "billed",
    only: Mapping[str, Any] | None = None,
) -> Spend:
    """Raises TooShortError where there is not one day."""
    rows = _rows(user, currency, [*group_by, *(only or {})])
    for name, value in (only or {}).items():
        rows = rows.filter(**{_column(name): value})
    columns = [_column(name) for name in group_by]
    found = rows.values_list("day", *columns).annotate(money=Sum(measure)).order_by("day")
    by_group: dict[Key, dict[date, Decimal]] = defaultdict(dict)
    by_day: dict[date, Decimal] = defaultdict(Decimal)
    for day, *names, money in found:
        by_group[tuple(name or "" for name in names)][day] = money
        by_day[day] += money
    if not by_day:
        raise TooShortError("No bill with spend of this, as far as you may see, has been imported yet.")
    if only or not user.is_admin:
        for day in _billed_days(rows, currency, min(by_day)):
            by_day[day] += 0
    return _as_spend(currency, by_day, by_group if group_by else {})


def _billed_days(rows: QuerySet[Any], currency: str, first: date) -> Iterable[date]:
    """Days on which the exports that bring these rows had any charge: one without these is not missing, but free."""
    scopes = rows.order_by().values("scope" if rows.model is DayTotal else "version__scope").distinct()
    of_exports = DayTotal.objects.filter(scope__in=scopes, currency=currency, day__gte=first)
    return of_exports.filter(day__lte=timezone.now().date()).order_by().values_list("day", flat=True).distinct()


def _column(name: str) -> str:
    return COLUMNS.get(name, name)


def _rows(user: User, currency: str, names: Iterable[str]) -> QuerySet[Any]:
    if "account" in names:
        rows: QuerySet[Any] = ChargeDay.objects.visible_to(user)
        swap = {"team", "service", "environment", "cloud_service", "provider"}
        assert not swap & set(names), "an account is grouped by alone"
    else:
        rows = DayTotal.objects.visible_to(user)
    # A charge that stands on a day to come, or a year that was mistyped, is no history.
    rows = rows.filter(day__lte=timezone.now().date())
    last = rows.aggregate(Max("day"))["day__max"]
    rows = rows.filter(currency=currency)
    return rows.filter(day__gt=last - timedelta(days=MOST_DAYS)) if last else rows


def _as_spend(
    currency: str, by_day: Mapping[date, Decimal], by_group: Mapping[Key, Mapping[date, Decimal]]
) -> Spend:  # fmt: skip
    days, notes = _since_gap(by_day)
    last = max(days)
    if len(days) > 1 and _is_cut(days, last):
        del days[last]
        notes.append(f"{last} is left out: its month is not finished, and the day is not whole yet.")
    whole = Daily.of(days)
    groups = {}
    for key, own in _largest(by_group).items():
        groups[key] = Daily.of({day: own.get(day, Decimal(0)) for day in days})
    return Spend(currency, whole, groups, days, tuple(notes))


def _since_gap(by_day: Mapping[date, Decimal]) -> tuple[dict[date, Decimal], list[str]]:
    """Without what lies before a gap that is too long to be filled, and what is to be said of that."""
    known = sorted(by_day)
    for ends, begins in reversed(list(itertools.pairwise(known))):
        if (begins - ends).days > LONGEST_GAP:
            gap = f"nothing is known from {ends + timedelta(days=1)} to {begins - timedelta(days=1)}"
            left = {day: by_day[day] for day in known if day >= begins}
            return left, [f"What was spent by {ends} is left out: {gap}, which is too long to be filled."]
    return dict(by_day), []


def _is_cut(days: Mapping[date, Decimal], last: date) -> bool:
    """The last day of a provisional month comes in over many hours: half of what it usually is is no figure."""
    provisional = BillVersion.objects.filter(is_current=True, is_provisional=True, scope__period=last.replace(day=1))
    week_ago = days.get(last - timedelta(days=7))
    return bool(week_ago and days[last] < week_ago * Decimal("0.6") and provisional.exists())


def _largest(by_group: Mapping[Key, Mapping[date, Decimal]]) -> dict[Key, dict[date, Decimal]]:
    order = sorted(by_group, key=lambda key: -abs(sum(by_group[key].values(), Decimal(0))))
    found = {key: dict(by_group[key]) for key in order[:MOST_GROUPS]}
    rest: dict[date, Decimal] = defaultdict(Decimal)
    for key in order[MOST_GROUPS:]:
        for day, money in by_group[key].items():
            rest[day] += money
    if rest:
        found[tuple(REST for _ in order[0])] = dict(rest)
    return found


# --- forecast


@dataclass(frozen=True)
class Outlook:
    """One currency's forecast, with its months. `told` is None when `too_short` says why."""

    currency: str
    spend: Spend | None
    told: Coherent | None
    months: tuple[Month, ...] = ()
    too_short: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def whole(self) -> Forecast | None:
        return self.told.whole if self.told else None


def outlook(
    user: User,
    currency: str,
    *,
    group_by: Sequence[str] = (),
    horizon: int = 90,
    levels: Sequence[int] = LEVELS,
    measure: str = "billed",
    only: Mapping[str, Any] | None = None,
) -> Outlook:
    asked = [currency, list(group_by), horizon, sorted(levels), measure, only]

    def make() -> Outlook:
        try:
            found = spend(user, currency, group_by=group_by, measure=measure, only=only)
            told = coherent(found.whole, found.groups, horizon, tuple(sorted(set(levels))))
        except TooShortError as error:
            return Outlook(currency, None, None, too_short=str(error))
        known = found.spent_in_month_of(told.whole.start)
        return Outlook(
            currency, found, told, tuple(months(told.whole, tuple(sorted(levels)), known)),
            notes=(*found.notes, *told.whole.notes),
        )  # fmt: skip

    return cached(user, "forecast", asked, make)


# --- budgets


@dataclass(frozen=True)
class Standing:
    """How a budget stands in the month that the bills have reached."""

    month: date
    as_of: date  # the last day that is known
    crossing: Crossing
    sentence: str


def standing(budget: Budget, user: User) -> Standing | str:
    """Or why nothing can be said."""
    asked = [budget.pk, budget.kind, budget.of, budget.currency, budget.amount]
    return cached(user, "budget", asked, lambda: _standing(budget, user))


def _standing(budget: Budget, user: User) -> Standing | str:
    kind = budget.kind
    only = {} if kind == "everything" else {kind: budget.of}
    try:
        found = spend(user, budget.currency, only=only)
    except TooShortError as error:
        return str(error)
    ends = found.whole.end
    spent = found.spent_in_month_of(ends)
    try:
        crossed = crossing(forecast(found.whole, (after(ends) - ends).days), spent, budget.amount)
    except TooShortError as error:
        if spent <= budget.amount:
            return str(error)
        crossed = Crossing(budget.amount, spent, None, None, 1.0, is_crossed=True)  # which takes no forecast
    as_of = ends - timedelta(days=1)
    if crossed.is_crossed:
        crossed = replace(crossed, on=found.crossed_on(ends, budget.amount))
    return Standing(ends.replace(day=1), as_of, crossed, _sentence(crossed, as_of, budget.currency))


def _sentence(found: Crossing, as_of: date, currency: str) -> str:
    if found.is_crossed:
        on = "" if found.on in (None, as_of) else f" on {found.on}"
        return f"Used up{on}: {found.spent:,.2f} {currency} by {as_of}."
    percent = (
        "over 99"
        if found.probability > 0.99
        else "under 1"
        if found.probability < 0.01
        else f"{100 * found.probability:.0f}"
    )
    if found.on is not None:
        return f"Expected to cross on {found.on} with probability {percent} %."
    return f"Not expected to cross this month; the probability that it does is {percent} %."


# --- what is unusual


@dataclass(frozen=True)
class Unusual:
    """An unusual day of one team's spend; `seen` when somebody has said why it is all right."""

    team: str | None
    currency: str
    found: Anomaly
    seen: SeenAnomaly | None


def unusual(user: User, *, since: date | None = None) -> list[Unusual]:
    """Of each team that the user sees and of nobody's, the newest first."""
    rows = cached(user, "unusual", [since], lambda: _unusual(user, since))
    seen = {
        (each.team.slug if each.team else None, each.day, each.currency): each
        for each in SeenAnomaly.objects.select_related("team", "seen_by")
    }
    told = [Unusual(team, money, each, seen.get((team, each.day, money))) for team, money, each in rows]
    return sorted(told, key=lambda each: (each.found.day, abs(each.found.size)), reverse=True)


def check_unusual(user: User, team: Team | None, day: date, currency: str) -> None:
    """Raises Refused for a day of which there is nothing to be said."""
    of = team.slug if team else None
    if not any((each.team, each.found.day, each.currency) == (of, day, currency) for each in unusual(user)):
        raise Refused(f"{day} is no unusual day of {of or 'nobody'} in {currency[:40]}.", field="day")


def _unusual(user: User, since: date | None) -> list[tuple[str | None, str, Anomaly]]:
    days = ChargeDay.objects.visible_to(user).filter(day__lte=timezone.now().date())
    last = days.aggregate(Max("day"))["day__max"]
    if last is None:
        return []
    rows = (
        days.filter(day__gt=last - timedelta(days=MOST_DAYS))
        .exclude(charge_category__in=("Purchase", "Tax", "Credit", "Adjustment"))
        .values_list("key__team__slug", "currency", "key__cloud_service", "key__account", "day")
        .annotate(money=Sum("effective"))
    )
    wholes: dict[tuple[str | None, str], dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    parts: dict[tuple[str | None, str], dict[Key, dict[date, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    for team, currency, service, account, day, money in rows:
        wholes[team, currency][day] += money
        parts[team, currency][service, account][day] = money
    found = []
    for (team, currency), by_day in wholes.items():
        own = {key: Daily.of(each, absent=0.0) for key, each in parts[team, currency].items()}
        found += [(team, currency, each) for each in anomalies(Daily.of(by_day), own, since=since)]
    return found
