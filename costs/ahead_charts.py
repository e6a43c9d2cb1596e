"""Months that were and months to come as a Plotly figure. PURE. A trace names its colour by a token of the page."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go


def months(
    past: Sequence[tuple[date, float]], to_come: Sequence[tuple[date, float, float, float]], currency: str,
    budget: float | None = None, budget_name: str = "budget",
) -> str:  # fmt: skip
    """Bars are (first day, spent); the line and its band (first day, expected, low and high of the 80 % interval). The
    month that is under way stands in both: what is spent of it, and where it ends."""
    shown, at = [day.isoformat() for day, _ in past], [day.isoformat() for day, *_ in to_come]
    traces: list[dict[str, Any]] = [
        {"type": "bar", "x": shown, "y": [money for _, money in past], "name": "spent", "meta": "accent",
         "opacity": 0.75}
    ]  # fmt: skip
    if to_come:
        for place, fill, name in ((2, None, "80 %, low"), (3, "tonexty", "80 % interval")):
            traces.append(
                {"x": at, "y": [month[place] for month in to_come], "mode": "lines", "name": name, "fill": fill,
                 "line": {"width": 0}, "meta": "accent", "customdata": [0.2], "showlegend": fill is not None,
                 "hoverinfo": "skip"}
            )  # fmt: skip
        traces.append(
            {"x": at, "y": [month[1] for month in to_come], "mode": "lines+markers", "name": "expected",
             "meta": "accent", "line": {"dash": "dash"}}
        )  # fmt: skip
    if budget is not None and (shown or at):
        ends = [min(shown + at), max(shown + at)]
        traces.append(
            {"x": ends, "y": [budget, budget], "mode": "lines", "name": budget_name, "meta": "imm-b",
             "line": {"dash": "dot"}}
        )  # fmt: skip
    layout = {
        "template": "none",
        "margin": {"l": 64, "r": 16, "t": 12, "b": 44},
        "xaxis": {"type": "date", "tickformat": "%b %y"},
        "yaxis": {"title": {"text": f"{currency} a month"}, "rangemode": "tozero"},
        "legend": {"orientation": "h", "y": -0.18},
    }
    return str(go.Figure(traces, layout).to_json())
