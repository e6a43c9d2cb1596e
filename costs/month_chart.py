"""Months that were and months to come as figures that a template writes into SVG attributes. PURE.

For pages that load no Plotly; the page of costs draws the same months with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from platform_risk.quantities.scale import round_scale

WIDTH, HEIGHT, LEFT, TOP, FOOT = 640, 210, 52, 12, 26


@dataclass(frozen=True)
class Grid:
    value: float
    y: float


@dataclass(frozen=True)
class Bar:
    month: date
    spent: float
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Label:
    text: str
    x: float
    anchor: str  # end for the last month, whose name would stick out


@dataclass(frozen=True)
class MonthChart:
    """`band` and `line` are paths, "" without months to come; `budget` is a height, None without one."""

    grid: list[Grid]
    bars: list[Bar]
    labels: list[Label]
    bar: float
    band: str
    line: str
    budget: float | None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    label_x: int = LEFT - 8
    base: int = HEIGHT - FOOT
    label_y: int = HEIGHT - 8


def month_chart(
    past: Sequence[tuple[date, float]], to_come: Sequence[tuple[date, float, float, float]], budget: float | None
) -> MonthChart:
    """`past`: (first day, spent); `to_come`: (first day, expected, low, high). The month under way is in both."""
    times = sorted({*(at for at, _ in past), *(at for at, *_ in to_come)})
    most = max([money for _, money in past] + [high for *_, high in to_come] + [budget or 0.0], default=0.0)
    top, step = round_scale(most)
    base = HEIGHT - FOOT
    slot = (WIDTH - LEFT) / max(len(times), 1)
    width = round(slot * 0.62, 1)
    middle = {at: round(LEFT + slot * (number + 0.5), 1) for number, at in enumerate(times)}

    def y(value: float) -> float:
        return round(base - min(max(value, 0.0), top) * (base - TOP) / top, 1)

    bars = [Bar(at, money, round(middle[at] - width / 2, 1), y(money), round(base - y(money), 1)) for at, money in past]
    # Six months apart the words of a phone, twice as large in this box, stay apart too.
    every = 6 if len(times) > 18 else 4 if len(times) > 8 else 1
    return MonthChart(
        [Grid(step * number, y(step * number)) for number in range(1, round(top / step) + 1)],
        bars,
        [
            Label(f"{at:%b %y}", middle[at], "middle" if number < len(times) - 1 else "end")
            for number, at in enumerate(times)
            if number % every == 0
        ],
        width,
        _path([(middle[at], y(high)) for at, *_, high in to_come]
              + [(middle[at], y(low)) for at, _, low, _ in reversed(to_come)], "Z") if len(to_come) > 1 else "",
        _path([(middle[at], y(expected)) for at, expected, *_ in to_come]),
        None if budget is None else y(budget),
    )  # fmt: skip


def _path(points: Sequence[tuple[float, float]], end: str = "") -> str:
    return f"M{' L'.join(f'{x},{y}' for x, y in points)}{end}" if points else ""
