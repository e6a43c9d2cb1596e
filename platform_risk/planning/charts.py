"""The curve of what each further engineer-day buys, as figures that a template writes into SVG attributes. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass

from findings.risk.plan import Step
from platform_risk.quantities.scale import round_scale

_LEAST = 0.001  # of what an axis may tell apart
WIDTH, HEIGHT, LEFT, TOP, FOOT = 960, 240, 60, 12, 30


@dataclass(frozen=True)
class Tick:
    label: str
    at: float


@dataclass(frozen=True)
class Point:
    step: Step
    x: float
    y: float


@dataclass(frozen=True)
class Curve:
    points: list[Point]
    path: str
    ticks: list[Tick]
    days: list[Tick]
    budget_x: float | None  # where the budget ends
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - FOOT
    label_x: int = LEFT - 8
    label_y: int = HEIGHT - 10
    top: int = TOP


def curve(steps: Sequence[Step], budget: float) -> Curve | None:
    """None when nothing adds anything."""
    if not steps or steps[-1].gain_so_far <= 0:
        return None
    longest = steps[-1].days_so_far
    most, step = round_scale(steps[-1].gain_so_far, least=_LEAST)
    base = HEIGHT - FOOT

    def x(days: float) -> float:
        return round(LEFT + days / longest * (WIDTH - LEFT - 8), 1)

    def y(gain: float) -> float:
        return round(base - gain / most * (base - TOP), 1)

    points = [Point(step, x(step.days_so_far), y(step.gain_so_far)) for step in steps]
    path = f"M{x(0)} {base} " + " ".join(f"L{point.x} {point.y}" for point in points)
    ticks = [Tick(_short(step * number), y(step * number)) for number in range(1, round(most / step) + 1)]
    _, each = round_scale(longest, lines=8, least=_LEAST)
    days = [Tick(f"{each * number:.3g}", x(each * number)) for number in range(1, int(longest / each + 1e-9) + 1)]
    return Curve(points, path, ticks, days, x(budget) if 0 < budget < longest else None)


def _short(amount: float) -> str:
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if amount >= size:
            return f"{amount / size:.3g}{sign}"
    return f"{amount:.3g}"
