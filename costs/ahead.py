"""Where spend goes from here: this month to its end, twelve months on, budgets, and what is missing of the bills. Each
is computed once for everybody who sees the same of the same bills."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone

from costs import ahead_charts, outlook, reconciling, selectors, spending
from costs.forecasting.months import Month
from costs.models import BillScope, Budget, ChargeMonth, DayTotal
from costs.month_chart import MonthChart, month_chart
from costs.outlook import Standing
from costs.reconciling import Gap
from platform_risk.core.models import Service, Team, User

_LEVELS = (50, 80)
_DAYS = 366 + 31  # twelve whole months after the one that is under way
_BUDGETS_SHOWN = 8


@dataclass(frozen=True)
class Ahead:
    """Months of one currency. `ends`: the month that the bills have reached, to its end; None where that cannot be
    told, and `why` says why. `months`: up to twelve after it."""

    ends: Month | None
    months: tuple[Month, ...]
    why: str = ""

    @property
    def year(self) -> Decimal | None:
        return sum((each.mean for each in self.months), Decimal(0)) if len(self.months) == 12 else None

    @property
    def every(self) -> tuple[Month, ...]:
        return (*([self.ends] if self.ends else []), *self.months)


def ahead(user: User, currency: str, cost: str, month: date) -> Ahead:
    return outlook.cached(user, "ahead", [currency, cost, month], lambda: _ahead(user, currency, cost, month))


def _ahead(user: User, currency: str, cost: str, month: date) -> Ahead:
    found = outlook.outlook(user, currency, horizon=_DAYS, levels=_LEVELS, measure=cost)
    whole = [each for each in found.months if each.is_whole]
    ends = next((each for each in whole if each.first == month), None)
    return Ahead(ends, tuple([each for each in whole if each.first > month][:12]), found.too_short)


def figure(
    times: Sequence[date], totals: Sequence[Decimal], to_come: Ahead, currency: str, budget: Decimal | None,
    budget_name: str = "budget",
) -> str:  # fmt: skip
    return ahead_charts.months(
        [(time, float(total)) for time, total in zip(times, totals, strict=True)],
        [
            (each.first, float(each.mean), float(each.bounds[80][0]), float(each.bounds[80][1]))
            for each in to_come.every
        ],
        spending.currency_words(currency),
        None if budget is None else float(budget),
        budget_name,
    )


# --- budgets


@dataclass(frozen=True)
class BudgetRow:
    budget: Budget
    standing: Standing | None
    sentence: str

    @property
    def word(self) -> str:
        """The icon that says how it stands."""
        if self.standing is None:
            return "info"
        crossing = self.standing.crossing
        return "critical" if crossing.is_crossed else "important" if crossing.probability > 0.5 else "check"


def budgets(user: User, currency: str) -> list[BudgetRow]:
    """That of everything first."""
    rows = Budget.objects.visible_to(user).filter(currency=currency).select_related("team", "service", "environment")
    ranked = sorted(rows, key=lambda each: (each.kind != "everything", each.pk))[:_BUDGETS_SHOWN]
    found = [(budget, outlook.standing(budget, user)) for budget in ranked]
    return [
        BudgetRow(budget, None, said) if isinstance(said, str) else BudgetRow(budget, said, said.sentence)
        for budget, said in found
    ]


# --- what is missing


@dataclass(frozen=True)
class Freshness:
    gaps: tuple[Gap, ...]
    provisional: tuple[date, ...]  # months whose bill is not final


def freshness(user: User) -> Freshness:
    """Of all bills, for they are everybody's; which account and export it is, managers and administrators are told."""
    today = timezone.now().date()
    found = outlook.cached(user, "freshness", [today], _freshness)
    if user.sees_unowned:
        return found
    gaps = dict.fromkeys(replace(each, billing_account="", export="") for each in found.gaps)
    return replace(found, gaps=tuple(gaps))


def _freshness() -> Freshness:
    scopes = BillScope.objects.filter(is_provisional=True, versions__is_current=True)
    months = scopes.order_by("period").values_list("period", flat=True).distinct()
    return Freshness(tuple(reconciling.gaps_of(BillScope.objects.all())), tuple(months))


# --- tiles of other pages


@dataclass(frozen=True)
class Tile:
    """What a user may see of everything, one service or one team: this month, and to its end. Effective cost."""

    currency: str
    month: date
    last: date  # the last day that is known
    so_far: Decimal
    before: Decimal  # the month before, whole
    ahead: Ahead
    compared: tuple[date, date]  # the last two whole months
    trend: Decimal | None  # percent between them; None where that says nothing
    past: tuple[tuple[date, Decimal], ...]  # up to twelve months before this one, and this one


def tile(user: User) -> Tile | None:
    """Of everything that the user sees, in the currency in which most is spent; None without any cost."""
    return outlook.cached(user, "tile", [], lambda: _tile(user, None))


def tile_of(user: User, of: Service | Team) -> Tile | None:
    """Of a service or a team. None where it has cost nothing that the user sees."""
    kind = "service" if isinstance(of, Service) else "team"
    return outlook.cached(user, "tile", [kind, of.pk], lambda: _tile(user, (kind, of)))


@dataclass(frozen=True)
class Projection:
    """What other pages show of spend: the tile, its chart, and the budget of everything."""

    tile: Tile
    chart: MonthChart
    budget: BudgetRow | None


def projection(user: User) -> Projection | None:
    """None without any cost."""
    found = tile(user)
    if found is None:
        return None
    budget = next((each for each in budgets(user, found.currency) if each.budget.kind == "everything"), None)
    chart = month_chart(
        [(at, float(money)) for at, money in found.past],
        [(at.first, float(at.mean), float(at.bounds[80][0]), float(at.bounds[80][1])) for at in found.ahead.every],
        float(budget.budget.amount) if budget else None,
    )
    return Projection(found, chart, budget)


def prepare(user: User) -> None:
    """Computes what the first look at costs shows, so that nobody waits for a forecast."""
    found = tile(user)
    if found is None:
        return
    for cost in outlook.MEASURES:
        ahead(user, found.currency, cost, found.month)
    budgets(user, found.currency)
    freshness(user)


def _tile(user: User, of: tuple[str, Service | Team] | None) -> Tile | None:
    days, months = DayTotal.objects.visible_to(user), ChargeMonth.objects.visible_to(user)
    if of is not None:
        kind, thing = of
        days, months = days.filter(**{f"{kind}_id": thing.pk}), months.filter(**{f"key__{kind}_id": thing.pk})
    dearest = months.values("currency").annotate(money=Sum("effective")).order_by("-money").first()
    if dearest is None:
        return None
    currency = dearest["currency"]
    _, last = selectors.bounds(user, currency)
    if last is None or not days.filter(currency=currency).exists():
        return None
    rows = months.filter(currency=currency).values_list("month").annotate(Sum("effective")).order_by()
    by_month: dict[date, Decimal] = dict(rows)
    month = last.replace(day=1)
    if of is None:
        to_come = ahead(user, currency, "effective", month)
    else:
        found = outlook.outlook(
            user, currency, horizon=31, levels=_LEVELS, measure="effective", only={of[0]: of[1].slug}
        )  # fmt: skip
        ends = next((each for each in found.months if each.first == month and each.is_whole), None)
        to_come = Ahead(ends, (), found.too_short)
    compared = spending.compared(last)
    was, came = (by_month.get(each, Decimal(0)) for each in compared)
    nothing, start = Decimal(0), spending.minus_months(month, 12)
    return Tile(
        currency, month, last, by_month.get(month, nothing), by_month.get(spending.previous(month), nothing), to_come,
        compared, 100 * (came - was) / was if was > 0 else None,
        tuple(sorted((at, money) for at, money in by_month.items() if start <= at <= month)),
    )  # fmt: skip
