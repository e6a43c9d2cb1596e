"""What a finding's figures look like over time, as Plotly figures and as tables. PURE.

A trace's `meta` names the colour token that the page gives it; lines differ by dashes too, never by colour alone.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from findings.checks import recomputing
from findings.checks.recomputing import CannotError, Terms
from findings.checks.time_sync import drift_seconds_per_day
from findings.checks.what_if import Outcome
from findings.checks.words import counted
from platform_risk.quantities.budget import burned_percent

_STATED, _CHANGED, _LIMIT = ("as read", "accent", "solid"), ("your inputs", "cri-b", "dash"), ("text", "dot")
_MOST_POINTS = 400
_LEAST, _WHOLE = 0.001, 100  # of numbers in sentences: below the one nothing is told, from the other on no decimals


@dataclass(frozen=True)
class Series:
    name: str
    points: tuple[tuple[float, float], ...]
    token: str
    dash: str = "solid"
    is_step: bool = False


@dataclass(frozen=True)
class Chart:
    """One chart over time; `sentence` says what it shows."""

    title: str
    x: str
    y: str
    series: tuple[Series, ...]
    sentence: str

    @property
    def figure(self) -> str:
        made = go.Figure()
        for each in self.series:
            made.add_scatter(
                x=[x for x, _ in each.points], y=[y for _, y in each.points], name=each.name, mode="lines",
                meta=each.token, line={"dash": each.dash, "shape": "hv" if each.is_step else "linear"},
            )  # fmt: skip
        made.update_layout(
            template="none",
            margin={"l": 64, "r": 16, "t": 8, "b": 44},
            xaxis={"title": {"text": self.x}, "rangemode": "tozero"},
            yaxis={"title": {"text": self.y}, "rangemode": "tozero"},
            legend={"orientation": "h", "y": -0.25},
        )
        return str(made.to_json())

    @property
    def table(self) -> list[tuple[float, list[float | None]]]:
        """(x, the value of each series); a step holds until the next, a line is told where it has a point."""
        at = sorted({x for each in self.series for x, _ in each.points})
        return [(x, [_value(each, x) for each in self.series]) for x in at[:_MOST_POINTS]]


def _value(series: Series, x: float) -> float | None:
    if not series.is_step:
        return dict(series.points).get(x)
    held = [y for at, y in series.points if at <= x]
    return held[-1] if held else None


def of_finding(check_id: str, stated: Outcome, changed: Outcome | None) -> Chart | None:
    """The chart of a check's figures; None where time tells nothing, or the inputs make no figure."""
    draw = _CHARTS.get(check_id)
    if draw is None:
        return None
    try:
        return draw([(stated, _STATED), *([(changed, _CHANGED)] if changed is not None else [])])
    except (CannotError, ArithmeticError, ValueError, TypeError, KeyError):
        return None


_Drawn = Sequence[tuple[Outcome, tuple[str, str, str]]]


def _held(points: Sequence[tuple[float, float]], until: float) -> tuple[tuple[float, float], ...]:
    """With a last point at the chart's end, where a step still holds."""
    return (*points, (until, points[-1][1])) if points and points[-1][0] < until else tuple(points)


def _autoscaling(drawn: _Drawn) -> Chart | None:
    found = [(recomputing.steps_of(each.terms["replicas_after_seconds"]), style) for each, style in drawn]
    until = max(steps[-1][0] for steps, _ in found) * 1.15 + 1
    series = [Series(name, _held(steps, until), token, dash, is_step=True) for steps, (name, token, dash) in found]
    last, most = found[-1][0][-1]
    sentence = f"From {found[-1][0][0][1]} to {most} pods, the last step {last} s after the first metric asks for more."
    return Chart("Replicas over time", "seconds", "pods", tuple(series), sentence)


def _connections(drawn: _Drawn) -> Chart | None:
    series: list[Series] = []
    crossed: float | None = None
    until = 0.0
    totals: list[tuple[list[tuple[int, int]], tuple[str, str, str]]] = []
    for each, style in drawn:
        terms = each.terms.get("connections_per_scale_step")
        if terms is None:
            return None
        scaled = recomputing.scale_steps(terms)
        others = recomputing.beside_scaling(each.terms["connections_needed"], scaled)
        totals.append(([(at, needed + others) for at, needed in _total(scaled)], style))
        until = max(until, totals[-1][0][-1][0] * 1.15 + 1)
    for steps, (name, token, dash) in totals:
        series.append(Series(f"needed, {name}", _held(steps, until), token, dash, is_step=True))
    last, steps = drawn[-1][0], totals[-1][0]
    limit = recomputing.available_of(last.terms["connections_available"])
    series.append(Series("available", ((0, limit), (until, limit)), *_LIMIT))
    crossed = next((at for at, needed in steps if needed > limit), None)
    sentence = (
        f"More than the {counted(limit, 'connections')} are needed {crossed:g} s after the scaling begins, services "
        "that do not scale at their largest."
        if crossed is not None
        else f"The {counted(limit, 'connections')} are enough while it scales."
    )
    return Chart("Connections while it scales", "seconds", "connections", tuple(series), sentence)


def _total(services: Mapping[str, Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    at = sorted({second for steps in services.values() for second, _ in steps})
    return [(x, sum(next(y for s, y in reversed(steps) if s <= x) for steps in services.values())) for x in at]


def _budget(drawn: _Drawn) -> Chart | None:
    series: list[Series] = []
    until, opens = 0.0, 0.0
    for each, _ in drawn:
        terms = each.terms["error_budget_burned_percent"]
        until = max(until, _opens_after(terms) * 1.5, 60.0)
    for each, (name, token, dash) in drawn:
        terms = each.terms["error_budget_burned_percent"]
        opens = _opens_after(terms)
        target, days = terms["slo_target"], terms["slo_window"]
        burn = tuple((x / 60, burned_percent(x, target, days)) for x in _ticks(until, opens))
        series.append(Series(f"budget spent, {name}", burn, token, dash))
        share = burned_percent(opens, target, days)
        series.append(Series(f"it opens, {name}", ((opens / 60, 0), (opens / 60, share)), token, "dot"))
    terms = drawn[-1][0].terms["error_budget_burned_percent"]
    share = burned_percent(opens, terms["slo_target"], terms["slo_window"])
    sentence = (
        f"When it opens, {_told(opens / 60)} minutes into a total outage, {_told(share)} % of the budget is spent."
    )
    return Chart("Error budget burnt", "minutes of total outage", "% of the budget", tuple(series), sentence)


def _told(value: float) -> str:
    """Three digits, and never a power of ten."""
    if 0 < value < _LEAST:
        return f"less than {_LEAST}"
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:.3g}"


def _opens_after(terms: Terms) -> float:
    return float(terms.get("time_to_open_worst", terms.get("time_to_open_best")))


def _ticks(until: float, *more: float) -> list[float]:
    return sorted({0.0, until, *more, *(until * number / 12 for number in range(1, 12))})


def _stock(drawn: _Drawn) -> Chart | None:
    series: list[Series] = []
    for each, (name, token, dash) in drawn:
        terms = each.terms["stored_gb_after_12_months"]
        rows = recomputing.logs_of(terms, months=24).rows
        series.append(Series(f"for ever, {name}", _months(rows), token, dash))
    kept = drawn[-1][0].terms.get("cost_per_month_with_retention")
    if kept is not None:
        rows = recomputing.logs_of(kept, kept=True, months=24).rows
        series.append(Series(f"{_told(kept['retention'])} days", _months(rows), *_LIMIT))
    last = series[-1 if kept is None else -2].points[-1][1]
    return Chart("Logs stored", "months", "GB", tuple(series), f"After two years {last:,.0f} GB are stored.")


def _months(rows: Sequence[object]) -> tuple[tuple[float, float], ...]:
    return tuple((row.month, float(row.quantity)) for row in rows)  # type: ignore[attr-defined]


def _drift(drawn: _Drawn) -> Chart | None:
    series: list[Series] = []
    ends = [each.terms["days_to_tolerance"] for each, _ in drawn]
    until = max(terms["tolerance"] / drift_seconds_per_day(terms["drift"]) for terms in ends) * 1.3
    if not math.isfinite(until) or until <= 0:
        return None
    for (_, (name, token, dash)), terms in zip(drawn, ends, strict=True):
        points = tuple((x, x * drift_seconds_per_day(terms["drift"])) for x in _ticks(until))
        series.append(Series(f"off by, {name}", points, token, dash))
    terms = ends[-1]
    series.append(Series("tolerated", ((0, terms["tolerance"]), (until, terms["tolerance"])), *_LIMIT))
    days = terms["tolerance"] / drift_seconds_per_day(terms["drift"])
    return Chart(
        "A free clock drifts", "days", "seconds", tuple(series), f"It leaves the tolerance after {_told(days)} days."
    )


_CHARTS: Mapping[str, Callable[[_Drawn], Chart | None]] = {
    "autoscaling": _autoscaling,
    "db-connections": _connections,
    "alert-delay": _budget,
    "log-retention": _stock,
    "time-sync": _drift,
}
