"""Rows of projections as Plotly figures. PURE. A trace's `meta` names the colour token that the page gives it."""

from collections.abc import Sequence

import plotly.graph_objects as go

from platform_risk.quantities.projections import Projection


def months(named: Sequence[tuple[str, Projection]]) -> str:
    """Quantity (bars) and cost a month (lines) of one setting or two, as a figure's JSON."""
    figure = go.Figure()
    for number, (name, projection) in enumerate(named):
        at = [row.month for row in projection.rows]
        figure.add_bar(
            x=at, y=[float(row.quantity) for row in projection.rows], name=f"{name}: {projection.rows[0].unit}",
            opacity=0.55, meta=("accent", "opt-b")[number],
        )  # fmt: skip
        if all(row.cost is not None for row in projection.rows):
            figure.add_scatter(
                x=at, y=[float(row.cost or 0) for row in projection.rows], yaxis="y2",
                name=f"{name}: {projection.currency} a month",
                mode="lines+markers", meta=("text", "cri-b")[number],
            )  # fmt: skip
    unit = named[0][1].rows[0].unit
    figure.update_layout(
        template="none",
        margin={"l": 64, "r": 64, "t": 12, "b": 44},
        xaxis={"title": {"text": "month"}, "dtick": max(len(named[0][1].rows) // 12, 1)},
        yaxis={"title": {"text": unit}, "rangemode": "tozero"},
        yaxis2={"title": {"text": f"{named[0][1].currency} a month"}, "overlaying": "y", "side": "right",
                "rangemode": "tozero", "showgrid": False},
        legend={"orientation": "h", "y": -0.22},
        barmode="group",
    )  # fmt: skip
    return str(figure.to_json())
