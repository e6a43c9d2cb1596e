"""Bills against what was loaded of them, gaps in them, and exports that have gone silent."""

import itertools
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from costs import selectors
from costs.models import BillScope, BillVersion, DayTotal, UsageScope
from costs.models.usage import usage_seen_by
from costs.money import added, less, plain
from platform_risk.core.models import Import, ImportKind, User

COLUMNS = (
    "billing_account", "export", "month", "import", "state", "currency", "charge_category", "file_billed",
    "loaded_billed", "file_effective", "loaded_effective", "difference",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One currency and charge category of one account and month, as one import brought it."""

    version: BillVersion
    currency: str
    charge_category: str
    file_billed: Decimal
    loaded_billed: Decimal
    file_effective: Decimal
    loaded_effective: Decimal

    @property
    def difference(self) -> Decimal:
        return less(self.file_billed, self.loaded_billed)

    @property
    def is_equal(self) -> bool:
        return not self.difference and self.file_effective == self.loaded_effective

    @property
    def state(self) -> str:
        if not self.version.is_current:
            return "replaced" if self.version.replaced_by_id else "not applied"
        return "provisional" if self.version.is_provisional else "final"

    def cells(self) -> list[object]:
        scope = self.version.scope
        return [
            scope.billing_account, scope.export, f"{scope.period:%Y-%m}", self.version.import_row_id, self.state,
            self.currency, self.charge_category, plain(self.file_billed), plain(self.loaded_billed),
            plain(self.file_effective), plain(self.loaded_effective), plain(self.difference),
        ]  # fmt: skip


def lines(user: User, *, every: bool) -> list[Line]:
    """The newest month first; with `every` also what was replaced."""
    rows = selectors.versions_of(user).order_by("-scope__period", "scope__billing_account", "scope__export", "-pk")
    if not every:
        rows = rows.filter(is_current=True)
    names = ("file_billed", "loaded_billed", "file_effective", "loaded_effective")
    return [
        Line(version, each["currency"], each["charge_category"], *(Decimal(each[name]) for name in names))
        for version in rows[:2_000]
        for each in version.totals
    ]


def months_of(row: Import, user: User) -> list[BillVersion]:
    """What an import brought, by account and month."""
    return list(selectors.versions_of(user).filter(import_row=row).order_by("scope__billing_account", "scope__period"))


@dataclass(frozen=True)
class Restated:
    version: BillVersion
    currency: str
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        return less(self.after, self.before)


def restated(user: User) -> list[Restated]:
    """The last restatements that changed what was billed."""
    rows = selectors.versions_of(user).exclude(difference=[]).order_by("-pk")[:50]
    found = [
        Restated(version, each["currency"], Decimal(each["before_billed"]), Decimal(each["after_billed"]))
        for version in rows
        for each in version.difference
    ]
    return [each for each in found if each.change]


@dataclass(frozen=True)
class Unloaded:
    """An import in force of which something was rejected; what is missing of it by currency, as far as it is known."""

    row: Import
    missing: tuple[tuple[str, Decimal], ...]


def unloaded(user: User) -> list[Unloaded]:
    """Bills and usage, the newest first. A line without a day is in no month's totals: here it is."""
    bills = BillVersion.objects.filter(scope__in=selectors.scopes(user), is_current=True)
    usage = UsageScope.objects.filter(usage_seen_by(user), last_applied__isnull=False)
    in_force = Q(kind=ImportKind.BILL, pk__in=bills.values("import_row"))
    in_force |= Q(kind=ImportKind.USAGE, pk__in=usage.values("last_applied"))
    rows = Import.objects.filter(in_force, rejected__gt=0).defer("coverage").order_by("-pk")[:50]
    return [Unloaded(row, _missing(row)) for row in rows]


@dataclass(frozen=True)
class Remark:
    """How something in bills in force was read, and the imports of which it is said, the newest first."""

    words: str
    imports: tuple[Import, ...]


def remarks(user: User) -> list[Remark]:
    bills = BillVersion.objects.filter(scope__in=selectors.scopes(user), is_current=True)
    rows = Import.objects.filter(pk__in=bills.values("import_row"), format_reason__contains="; ")
    said: dict[str, list[Import]] = defaultdict(list)
    for row in rows.defer("coverage").order_by("-pk")[:200]:
        # Why it is of its format comes first; what else is said of it follows.
        for words in row.format_reason.split("; ")[1:]:
            said[words].append(row)
    return [Remark(words, tuple(each)) for words, each in said.items()]


def _missing(row: Import) -> tuple[tuple[str, Decimal], ...]:
    found: dict[str, list[Decimal]] = defaultdict(list)
    for each in row.totals or []:
        found[each["currency"]].append(less(Decimal(each["file_billed"]), Decimal(each["loaded_billed"])))
    sums = ((currency, added(amounts)) for currency, amounts in sorted(found.items()))
    return tuple((currency, amount) for currency, amount in sums if amount)


@dataclass(frozen=True)
class Gap:
    """What is missing of one export of an account: days in between, or everything since a day."""

    billing_account: str
    export: str
    first: date
    last: date
    is_silent: bool

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def gaps(user: User) -> list[Gap]:
    return gaps_of(selectors.scopes(user))


def gaps_of(scopes: QuerySet[BillScope]) -> list[Gap]:
    """Days without any charge between the first and the last of an export, and exports that have sent nothing new for
    longer than they should. What is paid ahead says nothing of either."""
    days: dict[tuple[str, str], list[date]] = defaultdict(list)
    today = timezone.now().date()
    rows = (
        DayTotal.objects.filter(scope__in=scopes, day__lte=today)
        .values_list("scope__billing_account", "scope__export", "day")
        .distinct()
        .order_by("scope__billing_account", "scope__export", "day")
    )
    for account, export, day in rows:
        days[account, export].append(day)
    found: list[Gap] = []
    for (account, export), stated in days.items():
        known = _whole_months(stated)
        found += [Gap(account, export, first, last, is_silent=False) for first, last in _holes(known)]
        if (today - known[-1]).days > settings.SILENT_SOURCE_DAYS:
            found.append(Gap(account, export, known[-1] + timedelta(days=1), today, is_silent=True))
    return found


def _whole_months(days: list[date]) -> list[date]:
    """Of a list by month, which stands on each one's first day, all days of its months; of any other its own."""
    if len(days) < 2 or any(day.day != 1 for day in days):  # of one day alone nobody can tell
        return days
    lengths = ((day, monthrange(day.year, day.month)[1]) for day in days)
    return [day + timedelta(days=at) for day, length in lengths for at in range(length)]


def _holes(days: list[date]) -> Iterator[tuple[date, date]]:
    for before, after in itertools.pairwise(days):
        if (after - before).days > 1:
            yield before + timedelta(days=1), after - timedelta(days=1)
