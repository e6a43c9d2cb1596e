"""Bars of new and closed findings per week, as figures that a template writes into SVG attributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from findings.selectors import Week
from platform_risk.quantities.scale import round_scale

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


def weeks_chart(weeks: Sequence[Week]) -> WeeksChart:
    most = max([week.opened for week in weeks] + [week.closed for week in weeks] + [1])
    top, step = map(int, round_scale(most))
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
    summary = (
        f"In these {len(weeks)} weeks {_were(opened, 'finding ', 'findings ')}new or came back,"
        f" and {_were(closed)}closed."
    )
    return WeeksChart(lines, bars, width, summary)


def _were(count: int, one: str = "", many: str = "") -> str:
    return f"1 {one}was " if count == 1 else f"{count:,} {many}were "
