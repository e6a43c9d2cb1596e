"""Bars of findings per week and of spend per month, as figures that a template writes into SVG attributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from findings.selectors import Week

WIDTH, HEIGHT, LEFT, TOP, FOOT = 640, 190, 44, 10, 24


@dataclass(frozen=True)
class Line:
    value: int
    y: float
    text_y: float


@dataclass(frozen=True)
class Bar:
    start: date
    opened: int
    closed: int
    opened_x: float
    opened_y: float
    opened_h: float
    closed_x: float
    closed_y: float
    closed_h: float
    middle: float
    label: str


@dataclass(frozen=True)
class WeeksChart:
    lines: list[Line]
    bars: list[Bar]
    bar: float
    summary: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    label_x: int = LEFT - 8
    base: int = HEIGHT - FOOT
    label_y: int = HEIGHT - 6


def _top_of_scale(most: int) -> tuple[int, int]:
    """(top, step): a round step so that at most four lines reach the highest bar."""
    step = 1
    while step * 4 < most:
        step = step * 2 if str(step)[0] in "15" else step * 5 // 2
    return max(step, -(-most // step) * step), step


def weeks_chart(weeks: Sequence[Week]) -> WeeksChart:
    top, step = _top_of_scale(max([week.opened for week in weeks] + [week.closed for week in weeks] + [1]))
    base = HEIGHT - FOOT
    scale = (base - TOP) / top
    slot = (WIDTH - LEFT) / max(len(weeks), 1)
    width = round(min(18.0, slot * 0.3), 1)

    def height(count: int) -> float:
        return round(max(count * scale, 2.0), 1) if count > 0 else 0.0

    bars = []
    for number, week in enumerate(weeks):
        middle = LEFT + slot * (number + 0.5)
        bars.append(
            Bar(
                week.start,
                week.opened,
                week.closed,
                round(middle - width - 1, 1),
                round(base - height(week.opened), 1),
                height(week.opened),
                round(middle + 1, 1),
                round(base - height(week.closed), 1),
                height(week.closed),
                round(middle, 1),
                f"{week.start:%-d %b}" if (len(weeks) - 1 - number) % 2 == 0 else "",
            )
        )
    lines = [
        Line(value, round(base - value * scale, 1), round(base - value * scale + 4, 1))
        for value in range(step, top + 1, step)
    ]
    opened, closed = sum(week.opened for week in weeks), sum(week.closed for week in weeks)
    summary = f"Bars of {len(weeks)} weeks: {opened:,} findings new or reopened, {closed:,} closed. A table follows."
    return WeeksChart(lines, bars, width, summary)


# --- spend


@dataclass(frozen=True)
class SpendMonth:
    """What a month took, or is expected to take with its intervals: of fifty and of eighty in a hundred."""

    first: date
    amount: Decimal
    half: tuple[Decimal, Decimal] | None = None
    most: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True)
class SpendBar:
    month: SpendMonth
    x: float
    y: float
    h: float
    middle: float
    half_y: tuple[float, float] | None  # upper and lower end
    most_y: tuple[float, float] | None


@dataclass(frozen=True)
class SpendChart:
    lines: list[Line]
    bars: list[SpendBar]
    bar: float
    currency: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT + 16
    label_x: int = LEFT + 8
    base: int = HEIGHT - FOOT
    label_y: int = HEIGHT - 6


def spend_chart(months: Sequence[SpendMonth], currency: str) -> SpendChart:
    left, base = LEFT + 16, HEIGHT - FOOT
    highest = max((each.most[1] if each.most else each.amount for each in months), default=Decimal(0))
    top, step = _top_of_scale(max(int(highest) + 1, 1))
    scale = (base - TOP) / top
    slot = (WIDTH - left) / max(len(months), 1)
    width = round(min(26.0, slot * 0.6), 1)

    def at(amount: Decimal) -> float:
        return round(base - max(float(amount), 0.0) * scale, 1)

    def ends(interval: tuple[Decimal, Decimal] | None) -> tuple[float, float] | None:
        return (at(interval[1]), at(interval[0])) if interval else None

    bars = []
    for number, month in enumerate(months):
        middle = left + slot * (number + 0.5)
        y = at(month.amount)
        bars.append(
            SpendBar(
                month, round(middle - width / 2, 1), y, round(base - y, 1), round(middle, 1), ends(month.half),
                ends(month.most),
            )
        )  # fmt: skip
    lines = [
        Line(value, round(base - value * scale, 1), round(base - value * scale + 4, 1))
        for value in range(step, top + 1, step)
    ]
    return SpendChart(lines, bars, width, currency)
