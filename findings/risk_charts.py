"""Charts of risk as numbers that a template writes into SVG attributes: the content security policy forbids styles.

PURE: amounts come in, places on a drawing go out.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 1080, 340, 52, 16, 12, 34


@dataclass(frozen=True)
class Tick:
    label: str
    at: float


@dataclass(frozen=True)
class Axis:
    """By decades, from `low` to `high`."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        share = (math.log10(inside) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return round(self.start + (self.end - self.start) * share, 1)

    def ticks(self) -> list[Tick]:
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        step = max(1, (last - first) // 6 + 1) if last - first > 8 else 1
        return [Tick(short(10.0**power), self.place(10.0**power)) for power in range(first, last + 1, step)]


def short(amount: float) -> str:
    """1.4M, 36k, 3.2, 0.05: as few figures as tell it."""
    size = abs(amount)
    for least, divisor, word in ((1e9, 1e9, "bn"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if size >= least:
            return f"{_figures(amount / divisor)}{word}"
    if size >= 100:
        return f"{amount:,.0f}"
    return _figures(amount)


def _figures(amount: float) -> str:
    if amount == 0:
        return "0"
    if abs(amount) >= 100:
        return f"{amount:,.0f}"
    text = f"{amount:.3g}"
    if "e" in text:
        text = f"{amount:.6f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decades(values: Sequence[float], least: float, most: float) -> tuple[float, float]:
    known = [value for value in values if value > 0]
    if not known:
        return least, most
    low, high = 10.0 ** math.floor(math.log10(min(known))), 10.0 ** math.ceil(math.log10(max(known)) + 1e-9)
    return low, max(high, low * 10)


@dataclass(frozen=True)
class Line:
    points: str  # of a polyline
    label: str


@dataclass(frozen=True)
class Mark:
    x: float
    label: str


@dataclass(frozen=True)
class ExceedanceChart:
    curve: Line
    tolerance: Line | None
    across: list[Tick]
    up: list[Tick]
    marks: list[Mark]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    base: int = HEIGHT - FOOT


def exceedance_chart(
    points: Sequence[tuple[float, float]], tolerance: Sequence[tuple[float, float]], marks: Sequence[tuple[str, float]]
) -> ExceedanceChart | None:
    """Amounts by decades across, probabilities from 0 to 1 up. None where no year loses anything."""
    drawn = [(amount, probability) for amount, probability in points if amount > 0]
    if not drawn:
        return None
    low, high = _decades([amount for amount, _ in drawn] + [amount for amount, _ in tolerance], 1.0, 10.0)
    low = max(low, high / 1e6)
    axis = Axis(low, high, LEFT, WIDTH - RIGHT)

    def up(probability: float) -> float:
        return round(HEIGHT - FOOT - probability * (HEIGHT - FOOT - TOP), 1)

    def line(of: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{axis.place(amount)},{up(probability)}" for amount, probability in of)

    # Below the least loss every year exceeds it, but for those that lose nothing.
    before = next((probability for amount, probability in points if amount <= 0), 1.0)
    whole = [(low, before), (drawn[0][0], before), *drawn, (high, drawn[-1][1])]
    return ExceedanceChart(
        curve=Line(line(whole), "exceeded with this probability"),
        tolerance=Line(_steps(tolerance, axis, up), "tolerated") if tolerance else None,
        across=axis.ticks(),
        up=[Tick(f"{100 * share:.0f} %", up(share)) for share in (0, 0.25, 0.5, 0.75, 1)],
        marks=_apart([Mark(axis.place(amount), label) for label, amount in marks if amount >= low]),
    )


_NEAR = 36.0


def _apart(marks: Sequence[Mark]) -> list[Mark]:
    """Those whose words do not stand on each other's."""
    kept: list[Mark] = []
    for mark in marks:
        if all(abs(mark.x - other.x) >= _NEAR for other in kept):
            kept.append(mark)
    return kept


def _steps(points: Sequence[tuple[float, float]], axis: Axis, up: Callable[[float], float]) -> str:
    """From each point on no more than its probability, until the next."""
    found: list[str] = []
    before: float | None = None
    for amount, probability in points:
        x = axis.place(amount)
        if before is not None:
            found.append(f"{x},{up(before)}")
        found.append(f"{x},{up(probability)}")
        before = probability
    if before is not None:
        found.append(f"{axis.end},{up(before)}")
    return " ".join(found)


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    r: float
    label: str
    url: str
    band: str


@dataclass(frozen=True)
class Scatter:
    dots: list[Dot]
    across: list[Tick]
    up: list[Tick]
    bounds_x: list[float]
    bounds_y: list[float]
    width: int = WIDTH
    height: int = HEIGHT + 60
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    base: int = HEIGHT + 60 - FOOT


@dataclass(frozen=True)
class Spot:
    """Findings that stand at one place: how often a year, how much an event."""

    frequency: float
    per_event: float
    count: int
    label: str
    url: str
    band: str


def scatter(
    spots: Sequence[Spot], often: tuple[float, float], much: tuple[float, float], bounds: tuple[Sequence[float], ...]
) -> Scatter:
    """`often` and `much`: to which the scales are drawn; `bounds`: where their levels meet."""
    height = HEIGHT + 60
    across, up = Axis(*much, LEFT, WIDTH - RIGHT), Axis(*often, height - FOOT, TOP)
    dots = [
        Dot(
            across.place(each.per_event),
            up.place(each.frequency),
            round(min(4 + 3 * math.log10(max(each.count, 1)), 16), 1),
            each.label,
            each.url,
            each.band,
        )
        for each in spots
    ]
    # The largest below: no dot hides behind another.
    dots.sort(key=lambda dot: -dot.r)
    return Scatter(
        dots,
        across.ticks(),
        up.ticks(),
        [across.place(bound) for bound in bounds[1]],
        [up.place(bound) for bound in bounds[0]],
    )


@dataclass(frozen=True)
class BurnBar:
    """Time to detect and time to repair side by side."""

    detect: float
    repair_x: float
    repair: float


BAR_WIDTH = 300.0


def burn_bars(parts: Sequence[tuple[float, float]]) -> list[BurnBar]:
    """(before it is noticed, after), on one scale; what is not nothing stays visible."""
    most = max((hidden + repair for hidden, repair in parts), default=0.0) or 1.0
    bars = []
    for hidden, repair in parts:
        first, second = (round(max(part / most * BAR_WIDTH, 1.5), 1) if part > 0 else 0.0 for part in (hidden, repair))
        gap = 1.5 if first and second else 0.0
        bars.append(BurnBar(first, round(first + gap, 1), second))
    return bars
