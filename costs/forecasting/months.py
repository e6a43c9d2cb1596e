"""Days of a forecast as months, with what is known of the first one; and when a budget is used up. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import NormalDist

from costs.forecasting.daily import money
from costs.forecasting.forecast import Forecast

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Month:
    """A calendar month. `known` is what was spent in it already, `days` how many of its days are forecast."""

    first: date
    known: Decimal
    mean: Decimal
    bounds: dict[int, tuple[Decimal, Decimal]]
    days: int
    is_whole: bool  # known and forecast days together are all its days


def after(day: date) -> date:
    """The first day of the next month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def months(found: Forecast, levels: tuple[int, ...], known: Decimal = Decimal(0)) -> Iterator[Month]:
    """`known`: what was spent in the forecast's first month before it begins."""
    end = found.start + timedelta(days=len(found.mean))
    first = found.start.replace(day=1)
    while first < end:
        begin, until = max(first, found.start), min(after(first), end)
        at, to = (begin - found.start).days, (until - found.start).days
        mean, error = found.sum(at, to)
        spent = known if first < found.start else Decimal(0)
        bounds = {}
        for level in levels:
            wide = _NORMAL.inv_cdf(0.5 + level / 200) * error
            low = max(mean - wide, 0.0) if found.is_spend else mean - wide
            bounds[level] = (spent + money(low), spent + money(mean + wide))
        whole = until == after(first)
        yield Month(first, spent, spent + money(mean), bounds, to - at, whole)
        first = after(first)


@dataclass(frozen=True)
class Crossing:
    """Whether a month's budget will do. `on`: the day that is expected to use it up, None for none of this month."""

    amount: Decimal
    spent: Decimal
    expected: Decimal | None  # by the month's end; None where the past is too short to tell
    on: date | None
    probability: float  # that the month ends above it
    is_crossed: bool  # already


def crossing(found: Forecast, spent: Decimal, amount: Decimal) -> Crossing:
    """For the month of the forecast's first day, of which `spent` is what it took until then."""
    days = min((after(found.start) - found.start).days, len(found.mean))
    left = float(amount - spent)
    total, error = found.sum(0, days)
    if left < 0:
        return Crossing(amount, spent, spent + money(total), found.start - timedelta(days=1), 1.0, is_crossed=True)
    on, so_far = None, 0.0
    for at, value in enumerate(found.mean[:days].tolist()):
        so_far += value
        if so_far > left:
            on = found.start + timedelta(days=at)
            break
    above = 1 - _NORMAL.cdf((left - total) / error) if error > 0 else float(total > left)
    return Crossing(amount, spent, spent + money(total), on, above, is_crossed=False)
