"""What a bill and measured usage say of a remedy that was to save money: before it was done, and after. PURE.

Days of four weeks before are compared with up to four weeks after; the day itself belongs to neither. A difference
counts as seen when it is larger than twice its standard error, for bills go up and down by themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from statistics import fmean, variance

WINDOW_DAYS, LEAST_DAYS = 28, 7  # days of the week differ: less than a week tells nothing
DAYS_OF_A_MONTH = Decimal(365) / 12
CENT = Decimal("0.01")
# By which words the services of a bill are told that a check is about, in lower case. A check that is not named here
# is about whatever its services cost.
WORDS: Mapping[str, tuple[str, ...]] = {
    "metric-volume": ("cloudwatch", "prometheus", "metric", "monitor", "datadog", "new relic", "newrelic", "grafana"),
    "entity-churn": ("new relic", "newrelic", "datadog", "monitor", "dynatrace", "observability"),
    "log-retention": (
        "cloudwatch", "log", "elastic", "opensearch", "loki", "splunk", "datadog", "new relic", "newrelic", "monitor",
    ),
}  # fmt: skip


def is_about(checks: Sequence[str], cloud_service: str) -> bool:
    name = cloud_service.lower()
    # Load balancers, caches and the like are elastic by their names alone.
    name = name.replace("elastic load", "").replace("elasticache", "").replace("elastic compute", "")
    return any(check not in WORDS or any(word in name for word in WORDS[check]) for check in checks)


@dataclass(frozen=True)
class Window:
    """Half-open."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


def windows(done_on: date) -> tuple[Window, Window]:
    after = done_on + timedelta(days=1)
    return Window(done_on - timedelta(days=WINDOW_DAYS), done_on), Window(after, after + timedelta(days=WINDOW_DAYS))


@dataclass(frozen=True)
class MoneySeen:
    """Of one currency, a month. `seen`: what is less now; None with `why` it cannot be told."""

    currency: str
    claimed: Decimal
    before: Decimal | None
    after: Decimal | None
    seen: Decimal | None
    days_before: int
    days_after: int
    why: str = ""

    @property
    def share(self) -> float | None:
        return None if self.seen is None or not self.claimed else float(self.seen / self.claimed)

    @property
    def verdict(self) -> str:
        """ "cannot be told", or as much of the claim as was seen."""
        if self.share is None:
            return "cannot be told"
        return "confirmed" if self.share >= 0.8 else "partly" if self.share >= 0.2 else "not seen"


def money_seen(
    currency: str, claimed: Decimal, days: Mapping[date, Decimal], done_on: date, *, others: Sequence[str] = ()
) -> MoneySeen:
    """`days`: what the bill says of each day that it has, 0 where nothing of this was charged. `others`: remedies about
    the same that were done within the same weeks."""
    earlier, later = windows(done_on)
    before = [amount for day, amount in sorted(days.items()) if day in earlier]
    after = [amount for day, amount in sorted(days.items()) if day in later]
    told = [_a_month(before), _a_month(after)]

    def answer(seen: Decimal | None, why: str = "") -> MoneySeen:
        return MoneySeen(currency, claimed, told[0], told[1], seen, len(before), len(after), why)

    if len(after) < LEAST_DAYS:
        had = f"only {len(after)} whole days" if after else "no day"
        return answer(None, f"The bill has {had} since it was done: {LEAST_DAYS} are needed.")
    if len(before) < LEAST_DAYS:
        return answer(None, f"The bill has {len(before)} days before it was done: {LEAST_DAYS} are needed.")
    if not any(before) and not any(after):
        return answer(None, "The bill has no cost of this for its services: it may stand under another name.")
    if others:
        return answer(
            None, f"{', '.join(others)} was done within the same weeks: what each of them saved cannot be told apart."
        )
    assert told[0] is not None
    assert told[1] is not None
    saved = told[0] - told[1]
    usual = 2 * sqrt(_squared_error(before) + _squared_error(after)) * float(DAYS_OF_A_MONTH)
    if abs(float(saved)) < usual:
        within = Decimal(usual).quantize(CENT)
        return answer(None, f"The difference is within what the days vary by themselves, ± {within:,} a month.")
    return answer(saved)


def _a_month(amounts: Sequence[Decimal]) -> Decimal | None:
    return (sum(amounts, Decimal(0)) / len(amounts) * DAYS_OF_A_MONTH).quantize(CENT) if amounts else None


def _squared_error(amounts: Sequence[Decimal]) -> float:
    values = [float(each) for each in amounts]
    return variance(values) / len(values) if len(values) > 1 else 0.0


@dataclass(frozen=True)
class UsageSeen:
    """Means of the days that were measured; of places that were measured before and after alone."""

    measure: str
    unit: str
    before: float
    after: float


def usage_seen(
    measure: str, unit: str, places: Mapping[int, Mapping[date, Decimal]], done_on: date
) -> UsageSeen | None:
    """`places`: by the place that measured, its days. None: no place was measured on both sides."""
    earlier, later = windows(done_on)
    sums = [0.0, 0.0]
    known = False
    for days in places.values():
        sides = [[float(value) for day, value in days.items() if day in window] for window in (earlier, later)]
        if all(sides):
            known = True
            sums = [total + fmean(side) for total, side in zip(sums, sides, strict=True)]
    return UsageSeen(measure, unit, sums[0], sums[1]) if known else None
