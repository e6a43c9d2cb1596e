"""Spend over time as Plotly figures. PURE. A trace names its colour by a token of the page."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import plotly.graph_objects as go

# In the order in which they are given out: told apart in both themes, and by their order in the legend.
_LONGEST = 44  # characters of a name in the legend
TOKENS = ("accent", "opt-b", "imp-b", "cri-b", "ok", "imm-b", "faint")


def stacked(times: Sequence[str], series: Mapping[str, Sequence[Decimal]], currency: str) -> str:
    """One bar for each time, a part for each name, as a figure's JSON."""
    bars = [
        {
            "type": "bar",
            "x": list(times),
            "y": [round(float(value), 4) for value in values],
            "name": name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…",
            "meta": TOKENS[number] if number < len(TOKENS) else "rep",  # the rest of them
            "hovertemplate": "%{x}: %{y:,.2f}<extra>%{fullData.name}</extra>",
        }
        for number, (name, values) in enumerate(series.items())
    ]
    layout = {
        "template": "none",
        "barmode": "relative",
        "margin": {"l": 64, "r": 16, "t": 40, "b": 60},
        "xaxis": {"type": "category" if len(times) <= 24 else "date", "automargin": True},
        "yaxis": {"title": {"text": currency}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "bargap": 0.25,
    }
    # Made at once: to add traces one by one takes three times as long.
    return str(go.Figure(bars, layout).to_json())
