"""Rows of projections as Plotly figures. PURE. A trace's `meta` names the colour token that the page gives it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go

from costs.forecasting.forecast import Forecast
from platform_risk.quantities.projections import Projection


def months(named: Sequence[tuple[str, Projection]]) -> str:
    """Quantity (bars) and cost a month (lines) of one setting or two, as a figure's JSON."""
    traces: list[dict[str, Any]] = []
    for number, (name, projection) in enumerate(named):
        at = [row.month for row in projection.rows]
        traces.append(
            {"type": "bar", "x": at, "y": [float(row.quantity) for row in projection.rows], "opacity": 0.55,
             "name": f"{name}: {projection.rows[0].unit}", "meta": ("accent", "opt-b")[number]}
        )  # fmt: skip
        if all(row.cost is not None for row in projection.rows):
            traces.append(
                {"x": at, "y": [float(row.cost or 0) for row in projection.rows], "yaxis": "y2",
                 "name": f"{name}: {projection.currency} a month", "mode": "lines+markers",
                 "meta": ("text", "cri-b")[number]}
            )  # fmt: skip
    unit = named[0][1].rows[0].unit
    layout = {
        "template": "none",
        "margin": {"l": 64, "r": 64, "t": 12, "b": 44},
        "xaxis": {"title": {"text": "month"}, "dtick": max(len(named[0][1].rows) // 12, 1)},
        "yaxis": {"title": {"text": unit}, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": f"{named[0][1].currency} a month"}, "overlaying": "y", "side": "right",
                   "rangemode": "tozero", "showgrid": False, "tickmode": "auto"},
        "legend": {"orientation": "h", "y": -0.22},
        "barmode": "group",
    }  # fmt: skip
    return str(go.Figure(traces, layout).to_json())


def forecast(
    past: Sequence[tuple[date, float]], days: Sequence[date], found: Forecast, currency: str
) -> str:  # fmt: skip
    """What was spent and how it goes on: the mean as a line, intervals as bands that get lighter as they get wider."""
    shown = [day.isoformat() for day in days]
    traces: list[dict[str, Any]] = []
    for level, opacity in ((95, 0.10), (80, 0.18), (50, 0.28)):
        if level not in found.bounds:
            continue
        low, high = found.bounds[level]
        for bound, fill, name in ((low, None, f"{level} %, low"), (high, "tonexty", f"{level} %")):
            traces.append(
                {"x": shown, "y": [round(value, 4) for value in bound.tolist()], "mode": "lines", "name": name,
                 "fill": fill, "line": {"width": 0}, "meta": "accent", "customdata": [opacity],
                 "showlegend": fill is not None, "hoverinfo": "skip"}
            )  # fmt: skip
    traces += [
        {"x": shown, "y": [round(value, 4) for value in found.mean.tolist()], "mode": "lines", "name": "expected",
         "meta": "accent", "line": {"dash": "dash"}},
        {"x": [day.isoformat() for day, _ in past], "y": [value for _, value in past], "mode": "lines",
         "name": "spent", "meta": "text"},
    ]  # fmt: skip
    layout = {
        "template": "none",
        "margin": {"l": 64, "r": 16, "t": 12, "b": 44},
        "xaxis": {"type": "date"},
        "yaxis": {"title": {"text": f"{currency} a day"}, "rangemode": "tozero" if found.is_spend else "normal"},
        "legend": {"orientation": "h", "y": -0.18},
    }
    return str(go.Figure(traces, layout).to_json())
